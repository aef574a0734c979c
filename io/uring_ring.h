// UringRing: the kernel's io_uring behind the Ring seam: SINGLE_ISSUER, DEFER_TASKRUN, one enter a
// turn.
//
// Created, used and destroyed on one thread, the worker's: the kernel refuses submissions from any
// other (EEXIST). Needs Linux 6.1 and liburing 2.3. Whoever destroys it has seen every completion
// first: the kernel may write into buffers until then.
#pragma once

#include <liburing.h>

#include <chrono>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"

#include "io/ring.h"

namespace portcullis::io {

// The set-up flags that a worker's ring needs; the probe tries the same.
inline constexpr unsigned kRingFlags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                       IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE |
                                       IORING_SETUP_CLAMP;

struct RingOptions {
  unsigned sq_entries = 4096;  // rounded up to a power of two, clamped to the kernel's limit
  unsigned cq_entries =
      32768;  // multishot operations complete many times an entry: deep on purpose
};

class UringRing final : public Ring {
 public:
  // Create sets up a ring for the calling thread. Errors name the cause and its remedy (see
  // RingUnavailable).
  static absl::StatusOr<std::unique_ptr<UringRing>> Create(const RingOptions& options);
  ~UringRing() override;
  UringRing(const UringRing&) = delete;
  UringRing& operator=(const UringRing&) = delete;

  io_uring_sqe* GetSqe() override;
  void Submit() override;
  [[nodiscard]] int SubmitAndReap(std::chrono::nanoseconds timeout, std::span<Cqe> out) override;
  [[nodiscard]] int RegisterBufferRing(io_uring_buf_ring* ring, unsigned entries,
                                       uint16_t group) override;
  void UnregisterBufferRing(uint16_t group) override;
  [[nodiscard]] const RingCounters& counters() const override { return counters_; }

 private:
  UringRing() = default;
  [[nodiscard]] io_uring_sqe* MakeRoom();
  [[nodiscard]] int Enter(std::chrono::nanoseconds timeout);
  [[nodiscard]] size_t Reap(std::span<Cqe> out);
  void SpillCompletions();

  io_uring ring_{};
  bool initialised_ = false;
  std::thread::id owner_;
  RingCounters counters_;
  // Completions taken out early because submitting was refused while they were pending; delivered
  // first.
  std::vector<Cqe> spilled_;
  size_t spilled_next_ = 0;
};

}  // namespace portcullis::io
