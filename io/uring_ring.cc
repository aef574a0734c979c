#include "io/uring_ring.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "io/check.h"
#include "io/ring_cause.h"

namespace portcullis::io {
namespace {

// How often GetSqe tries to make the kernel take entries before the ring counts as broken.
constexpr int kMaxSubmitTries = 1000;

// What an enter may report without anything being lost: nothing came in time, a signal, or (EBUSY,
// EAGAIN) the kernel wants completions reaped before it takes more; unsubmitted entries stay
// queued.
bool Harmless(int result) {
  return result >= 0 || result == -ETIME || result == -EINTR || result == -EBUSY ||
         result == -EAGAIN;
}

}  // namespace

absl::StatusOr<std::unique_ptr<UringRing>> UringRing::Create(const RingOptions& options) {
  std::unique_ptr<UringRing> ring(new UringRing());
  io_uring_params params{};
  params.flags = kRingFlags;
  params.cq_entries = options.cq_entries;
  const int result = io_uring_queue_init_params(options.sq_entries, &ring->ring_, &params);
  if (result < 0) {
    const RingCause cause = RingUnavailable(-result);
    return absl::FailedPreconditionError(
        absl::StrCat("io_uring: ", cause.cause, ". ", cause.remedy));
  }
  ring->initialised_ = true;
  ring->owner_ = std::this_thread::get_id();
  if (const int error = io_uring_ring_dontfork(&ring->ring_); error < 0) {
    return absl::InternalError(absl::StrCat(
        "io_uring: cannot keep the ring out of child processes: ", std::strerror(-error)));
  }
  // Saves a descriptor lookup an enter. A table that is full or missing only costs that.
  static_cast<void>(io_uring_register_ring_fd(&ring->ring_));
  return ring;
}

UringRing::~UringRing() {
  if (initialised_) io_uring_queue_exit(&ring_);
}

io_uring_sqe* UringRing::GetSqe() {
  DCHECK(owner_ == std::this_thread::get_id(), "a ring belongs to the thread that made it");
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  if (sqe == nullptr) [[unlikely]]
    sqe = MakeRoom();
  std::memset(sqe, 0, sizeof *sqe);
  return sqe;
}

io_uring_sqe* UringRing::MakeRoom() {
  ++counters_.sq_full;
  for (int i = 0; i < kMaxSubmitTries; ++i) {
    const unsigned queued = io_uring_sq_ready(&ring_);
    const int result = io_uring_submit(&ring_);
    ++counters_.enters;
    CHECK(Harmless(result), "the ring is broken");
    counters_.submitted += queued - io_uring_sq_ready(&ring_);
    if (io_uring_sqe* sqe = io_uring_get_sqe(&ring_); sqe != nullptr) return sqe;
    // The kernel takes nothing while completions overflow: make room for them.
    SpillCompletions();
    static_cast<void>(io_uring_get_events(&ring_));
  }
  CHECK(false, "the kernel takes no more submissions");
  return nullptr;
}

void UringRing::Submit() {
  DCHECK(owner_ == std::this_thread::get_id(), "a ring belongs to the thread that made it");
  const unsigned queued = io_uring_sq_ready(&ring_);
  if (queued == 0) return;
  ++counters_.enters;
  static_cast<void>(io_uring_submit(&ring_));
  counters_.submitted += queued - io_uring_sq_ready(&ring_);
}

void UringRing::SpillCompletions() {
  unsigned head = 0;
  unsigned count = 0;
  io_uring_cqe* cqe = nullptr;
  io_uring_for_each_cqe(&ring_, head, cqe) {
    spilled_.push_back({.user_data = cqe->user_data, .res = cqe->res, .flags = cqe->flags});
    ++count;
  }
  io_uring_cq_advance(&ring_, count);
}

int UringRing::Enter(std::chrono::nanoseconds timeout) {
  ++counters_.enters;
  const unsigned queued = io_uring_sq_ready(&ring_);
  int result = 0;
  if (timeout.count() <= 0 || spilled_next_ < spilled_.size()) {
    // Completions appear only when this thread asks for events (DEFER_TASKRUN), so ask even without
    // waiting.
    result = io_uring_submit_and_get_events(&ring_);
  } else {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
    __kernel_timespec wait{.tv_sec = seconds.count(), .tv_nsec = (timeout - seconds).count()};
    io_uring_cqe* first = nullptr;
    result = io_uring_submit_and_wait_timeout(&ring_, &first, 1, &wait, nullptr);
  }
  counters_.submitted += queued - io_uring_sq_ready(&ring_);
  return result;
}

size_t UringRing::Reap(std::span<Cqe> out) {
  size_t count = 0;
  while (count < out.size() && spilled_next_ < spilled_.size()) {
    out[count++] = spilled_[spilled_next_++];
  }
  if (spilled_next_ == spilled_.size()) {
    spilled_.clear();
    spilled_next_ = 0;
  }
  unsigned head = 0;
  unsigned taken = 0;
  io_uring_cqe* cqe = nullptr;
  io_uring_for_each_cqe(&ring_, head, cqe) {
    if (count == out.size()) break;
    out[count++] = {.user_data = cqe->user_data, .res = cqe->res, .flags = cqe->flags};
    ++taken;
  }
  io_uring_cq_advance(&ring_, taken);
  counters_.completed += count;
  return count;
}

int UringRing::SubmitAndReap(std::chrono::nanoseconds timeout, std::span<Cqe> out) {
  DCHECK(owner_ == std::this_thread::get_id(), "a ring belongs to the thread that made it");
  const int result = Enter(timeout);
  if (!Harmless(result)) return result;
  if (io_uring_cq_has_overflow(&ring_)) ++counters_.cq_overflow;
  return static_cast<int>(Reap(out));
}

int UringRing::RegisterBufferRing(io_uring_buf_ring* ring, unsigned entries, uint16_t group) {
  io_uring_buf_reg reg{};
  reg.ring_addr = reinterpret_cast<uintptr_t>(ring);
  reg.ring_entries = entries;
  reg.bgid = group;
  return io_uring_register_buf_ring(&ring_, &reg, 0);
}

void UringRing::UnregisterBufferRing(uint16_t group) {
  static_cast<void>(io_uring_unregister_buf_ring(&ring_, group));
}

}  // namespace portcullis::io
