#include "io/inbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "io/check.h"

namespace portcullis::io {

absl::StatusOr<std::unique_ptr<WakeEvent>> WakeEvent::Create() {
  // Blocking on purpose: io_uring fails a read of a non-blocking descriptor with EAGAIN instead of
  // waiting.
  const int fd = ::eventfd(0, EFD_CLOEXEC);
  if (fd < 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot make an eventfd: ", std::strerror(errno)));
  }
  return std::unique_ptr<WakeEvent>(new WakeEvent(fd));
}

WakeEvent::~WakeEvent() {
  CHECK(inflight_ == 0, "a wake event was destroyed under the kernel");
  ::close(fd_);
}

void WakeEvent::Signal() {
  // Blocks only at 2^64 - 2 unread signals; fails only on a bad descriptor.
  const uint64_t one = 1;
  const ssize_t written = ::write(fd_, &one, sizeof one);
  CHECK(written == sizeof one || errno == EINTR, "a wake-up could not be sent");
}

void WakeEvent::Consume() {
  // Interrupted: whoever waits looks and waits again.
  uint64_t signals = 0;
  const ssize_t size = ::read(fd_, &signals, sizeof signals);
  CHECK(size == sizeof signals || errno == EINTR, "a wake-up could not be read");
}

void WakeEvent::Arm(Ring& ring, Token identity) {
  if (armed_ || closing_) return;
  identity_ = identity;
  io_uring_sqe* sqe = ring.GetSqe();
  io_uring_prep_read(sqe, fd_, &value_, sizeof value_, 0);
  identity_.op = Op::kWake;
  sqe->user_data = identity_.Encode();
  armed_ = true;
  ++inflight_;
}

void WakeEvent::OnWake(Ring& ring, const Cqe& cqe) {
  CHECK(armed_ && inflight_ > 0, "a wake completed that was not armed");
  CHECK(cqe.res != -EBADF && cqe.res != -EFAULT && cqe.res != -EINVAL,
        "the eventfd read is broken");
  armed_ = false;
  --inflight_;
  Arm(ring, identity_);
}

void WakeEvent::BeginClose(Ring& ring) {
  if (closing_) return;
  closing_ = true;
  if (!armed_) return;
  io_uring_sqe* sqe = ring.GetSqe();
  io_uring_prep_cancel64(sqe, identity_.Encode(), 0);
  Token token = identity_;
  token.op = Op::kCancel;
  sqe->user_data = token.Encode();
  ++inflight_;
}

void WakeEvent::OnCancel(const Cqe& cqe) {
  CHECK(closing_ && inflight_ > 0, "a cancel completed twice");
  --inflight_;
  // It found nothing although the read is armed: our own signal certainly ends it.
  if (cqe.res < 0 && armed_) Signal();
}

}  // namespace portcullis::io
