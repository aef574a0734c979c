#include "core/log/log_sink.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "core/log/steady_now.h"

namespace portcullis::log {
namespace {

// O_NONBLOCK, so that a named pipe without a reader is an error here instead of a thread that waits
// for ever.
absl::StatusOr<int> OpenFile(const std::string& path) {
  const int fd =
      open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open connection log ", path));
  return fd;
}

// A description of our own for the pipe or terminal behind `fd`, so that making it non-blocking
// does not make it so for the processes we share it with. -1 where that is not permitted.
int OpenPrivately(int fd) {
  return open(absl::StrCat("/proc/self/fd/", fd).c_str(),
              O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

}  // namespace

bool NamesFile(std::string_view target) {
  return !target.empty() && target != "off" && target != "stdout" && target != "stderr";
}

absl::StatusOr<LogSink> LogSink::Open(std::string_view target) {
  LogSink sink;
  if (target == "off") return sink;
  if (target == "stdout" || target == "stderr") {
    sink.Adopt(target == "stdout" ? STDOUT_FILENO : STDERR_FILENO, /*owned=*/false);
    return sink;
  }
  if (target.empty()) return absl::InvalidArgumentError("the connection log has no destination");
  sink.path_ = std::string(target);
  const absl::StatusOr<int> fd = OpenFile(sink.path_);
  if (!fd.ok()) return fd.status();
  sink.Adopt(*fd, /*owned=*/true);
  return sink;
}

LogSink::~LogSink() { Close(); }

LogSink::LogSink(LogSink&& other) noexcept { *this = std::move(other); }

LogSink& LogSink::operator=(LogSink&& other) noexcept {
  if (this == &other) return *this;
  Close();
  path_ = std::move(other.path_);
  fd_ = std::exchange(other.fd_, -1);
  kind_ = std::exchange(other.kind_, Kind::kOff);
  owned_ = std::exchange(other.owned_, false);
  nonblocking_ = other.nonblocking_;
  failed_ = other.failed_;
  mid_line_ = other.mid_line_;
  return *this;
}

void LogSink::Close() {
  if (owned_) close(fd_);
  fd_ = -1;
  owned_ = false;
}

void LogSink::Adopt(int fd, bool owned) {
  fd_ = fd;
  owned_ = owned;
  nonblocking_ = owned;  // OpenFile asked for it
  struct stat status = {};
  const bool known = fstat(fd, &status) == 0;
  if (known && S_ISREG(status.st_mode)) {
    kind_ = Kind::kFile;
  } else {
    kind_ = Kind::kStream;
    const int own = owned ? -1 : OpenPrivately(fd);
    if (own >= 0) {
      fd_ = own;
      owned_ = true;
      nonblocking_ = true;
    }
  }
}

absl::StatusOr<int> LogSink::OpenAgain(std::string_view target) {
  if (path_.empty()) return -1;
  std::string path = NamesFile(target) ? std::string(target) : path_;
  absl::StatusOr<int> fd = OpenFile(path);
  if (fd.ok()) path_ = std::move(path);
  return fd;
}

void LogSink::Replace(int fd) {
  Close();
  Adopt(fd, /*owned=*/true);
  failed_ = false;
  mid_line_ = false;
}

int64_t LogSink::WriteSome(std::string_view bytes) const {
  ssize_t written = 0;
  if (kind_ == Kind::kFile || nonblocking_) {
    written = write(fd_, bytes.data(), bytes.size());
  } else {
    // A pipe we could not get to ourselves: one that polls writable takes PIPE_BUF bytes without
    // blocking.
    pollfd room = {.fd = fd_, .events = POLLOUT, .revents = 0};
    if (poll(&room, 1, 0) == 0) return -EAGAIN;
    written = write(fd_, bytes.data(), std::min<size_t>(bytes.size(), PIPE_BUF));
  }
  return written >= 0 ? written : -errno;
}

bool LogSink::AwaitRoom(const Patience& patience) const {
  const int64_t deadline_ns = patience.deadline_ns.load(std::memory_order_acquire);
  int timeout_ms = -1;
  if (deadline_ns != 0) {
    const int64_t left_ns = deadline_ns - SteadyNowNs();
    if (left_ns <= 0) return false;
    timeout_ms = static_cast<int>(std::min<int64_t>(left_ns / 1'000'000 + 1, INT_MAX));
  }
  std::array<pollfd, 2> fds = {pollfd{.fd = fd_, .events = POLLOUT, .revents = 0},
                               pollfd{.fd = patience.wake_fd, .events = POLLIN, .revents = 0}};
  poll(fds.data(), fds.size(), timeout_ms);
  if ((fds[1].revents & POLLIN) != 0) {
    eventfd_t ignored = 0;
    eventfd_read(patience.wake_fd, &ignored);
  }
  return true;
}

size_t LogSink::WriteAll(std::string_view bytes, const Patience& patience) const {
  size_t done = 0;
  while (done < bytes.size()) {
    const int64_t written = WriteSome(bytes.substr(done));
    if (written >= 0) {
      done += static_cast<size_t>(written);
    } else if (written == -EAGAIN || written == -EWOULDBLOCK) {
      if (!AwaitRoom(patience)) break;
    } else if (written != -EINTR) {
      break;
    }
  }
  return done;
}

size_t LogSink::Write(std::string_view bytes, const Patience& patience) {
  if (fd_ < 0) return bytes.size();
  if (bytes.empty()) return 0;
  if (failed_ && mid_line_) {
    if (WriteAll("\n", patience) != 1) return 0;
    mid_line_ = false;
  }
  const size_t written = WriteAll(bytes, patience);
  failed_ = written < bytes.size();
  if (written > 0) mid_line_ = bytes[written - 1] != '\n';
  return written;
}

}  // namespace portcullis::log
