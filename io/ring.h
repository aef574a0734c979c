// Ring: the seam between a worker and the kernel. UringRing is the real one; ScriptRing (tests)
// performs the same operations on real descriptors in software, with seeded faults and shuffled
// completions. One conformance suite runs on both.
//
// A ring belongs to one thread, the one that created it: no other may call anything here. The
// virtual calls are one a submission and one a turn, never one a completion (completions are copied
// out in a batch).
#pragma once

#include <liburing.h>

#include <chrono>
#include <cstdint>
#include <span>

namespace portcullis::io {

// A completion, copied out of the ring.
struct Cqe {
  uint64_t user_data = 0;
  int32_t res = 0;
  uint32_t flags = 0;

  [[nodiscard]] bool more() const { return (flags & IORING_CQE_F_MORE) != 0; }
  [[nodiscard]] bool has_buffer() const { return (flags & IORING_CQE_F_BUFFER) != 0; }
  [[nodiscard]] uint16_t buffer_id() const {
    return static_cast<uint16_t>(flags >> IORING_CQE_BUFFER_SHIFT);
  }
};

// Counted by the ring itself; read by the owner thread once a turn.
struct RingCounters {
  uint64_t submitted = 0;    // SQEs handed to the kernel
  uint64_t completed = 0;    // CQEs reaped
  uint64_t enters = 0;       // io_uring_enter calls
  uint64_t sq_full = 0;      // GetSqe had to submit early
  uint64_t cq_overflow = 0;  // turns that saw the overflow flag
};

class Ring {
 public:
  virtual ~Ring() = default;

  // GetSqe returns the next free submission entry, cleared. Submits early when the queue is full;
  // never null. Call the io_uring_prep_* function first, then set user_data: every entry must carry
  // a Token. From here on the entry counts as in flight, whether it has been submitted yet or not.
  virtual io_uring_sqe* GetSqe() = 0;

  // Submit hands over what is queued, without waiting for anything and without completions: for the
  // midst of a long turn, so that nobody waits for its end. What the kernel does not take now is
  // submitted by the next SubmitAndReap, which also says if the ring is broken.
  virtual void Submit() = 0;

  // SubmitAndReap submits what is queued, waits until one completion is there or `timeout` has
  // passed (zero: does not wait), and copies at most `out.size()` completions. Returns their number
  // (0 on timeout or EINTR) or -errno when the ring itself is broken (EBADR, EBADF, ...): the
  // worker cannot go on.
  [[nodiscard]] virtual int SubmitAndReap(std::chrono::nanoseconds timeout, std::span<Cqe> out) = 0;

  // RegisterBufferRing gives the kernel a provided-buffer ring of `entries` (a power of two, <=
  // 32768) under `group`. Returns 0 or -errno. The memory must outlive the registration.
  [[nodiscard]] virtual int RegisterBufferRing(io_uring_buf_ring* ring, unsigned entries,
                                               uint16_t group) = 0;
  virtual void UnregisterBufferRing(uint16_t group) = 0;

  [[nodiscard]] virtual const RingCounters& counters() const = 0;
};

}  // namespace portcullis::io
