// LogSink: where log lines go: stdout, stderr, a file, or nowhere. Writes whole chunks, partial
// writes and slow pipes included, giving up only when told to stop or on an error. Knows nothing of
// lines beyond not gluing two together after a failed write. Used by one thread at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace portcullis::log {

// NamesFile tells whether a sink that is opened as `target` is a file.
[[nodiscard]] bool NamesFile(std::string_view target);

class LogSink {
 public:
  // Open opens `target`: "stdout", "stderr", "off" or a path, created with mode 0640 if need be and
  // appended to.
  [[nodiscard]] static absl::StatusOr<LogSink> Open(std::string_view target);
  ~LogSink();
  LogSink(LogSink&& other) noexcept;
  LogSink& operator=(LogSink&& other) noexcept;

  // OpenAgain opens the file anew by its path, or the file that `target` is, and returns the
  // descriptor, for Replace, possibly in another thread. -1 for sinks which are not files. One
  // thread at a time, whichever.
  [[nodiscard]] absl::StatusOr<int> OpenAgain(std::string_view target);
  // Replace closes the file and goes on with `fd`, which becomes this sink's.
  void Replace(int fd);

  // How long Write waits: until `deadline_ns` (steady clock; 0: as long as it takes), which another
  // thread may set meanwhile if it then makes eventfd `wake_fd` readable. Write may consume the
  // eventfd's count.
  struct Patience {
    int wake_fd;
    const std::atomic<int64_t>& deadline_ns;
  };

  // Write writes all of `bytes`, through partial writes and a slow reader. Returns the bytes
  // written: fewer only after the deadline or an error (disk full, reader gone). A later Write
  // starts on a new line then.
  [[nodiscard]] size_t Write(std::string_view bytes, const Patience& patience);

  [[nodiscard]] bool enabled() const { return fd_ >= 0; }

 private:
  enum class Kind : uint8_t { kOff, kFile, kStream };  // kStream: pipe, terminal, socket, other

  LogSink() = default;

  // Adopts `fd` after a look at what it is.
  void Adopt(int fd, bool owned);
  void Close();
  // One attempt: bytes written, or -errno.
  [[nodiscard]] int64_t WriteSome(std::string_view bytes) const;
  // Waits until the sink takes more; false at the deadline.
  [[nodiscard]] bool AwaitRoom(const Patience& patience) const;
  [[nodiscard]] size_t WriteAll(std::string_view bytes, const Patience& patience) const;

  std::string path_;  // of a file that we opened by name
  int fd_ = -1;
  Kind kind_ = Kind::kOff;
  bool owned_ = false;        // fd_ is ours to close
  bool nonblocking_ = false;  // a write that finds no room returns at once
  bool failed_ = false;       // the last Write was cut short
  bool mid_line_ = false;     // the last byte that got out did not end a line
};

}  // namespace portcullis::log
