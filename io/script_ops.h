// ScriptOp: one operation of a ScriptRing and the attempt to perform it: real, non-blocking system
// calls on a real descriptor, with the results that io_uring would report. Test support; the ring's
// thread only.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>

namespace portcullis::io {

// A provided-buffer group as its consumer sees it: entries shared with the BufferRing, and how far
// they are used.
struct ScriptGroup {
  io_uring_buf* entries = nullptr;
  uint16_t mask = 0;
  uint16_t head = 0;

  [[nodiscard]] uint16_t available() const;
};

struct ScriptOp {
  io_uring_sqe sqe{};
  uint64_t serial = 0;  // order of submission; completions of one operation stay in order
  int fd = -1;          // a duplicate: like the kernel, an operation keeps its file open
  size_t done = 0;      // bytes a send has moved so far
  bool connecting = false;

  [[nodiscard]] bool multishot() const;
  // events is what to poll `fd` for while the operation waits.
  [[nodiscard]] short events() const;
};

// What one attempt came to.
struct ScriptOutcome {
  enum class Kind : uint8_t { kWait, kDone, kMore } kind = Kind::kWait;
  int32_t res = 0;
  uint32_t flags = 0;  // without F_MORE
};

// Attempt tries `op` once. `group` is the one a receive names (null: unknown). A receive or send
// moves at most `max_bytes` (0: no limit) and then counts as complete. kMore: it may be tried again
// at once.
ScriptOutcome Attempt(ScriptOp& op, ScriptGroup* group, size_t max_bytes);

}  // namespace portcullis::io
