#include "io/stream.h"

#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "io/check.h"

namespace portcullis::io {
namespace {

// So many cancels a close makes while operations fly; then the connection is reset.
constexpr uint8_t kMaxCloseCancels = 5;

}  // namespace

Stream::~Stream() { CHECK(fd_ < 0 && inflight_ == 0, "a stream was destroyed under the kernel"); }

void Stream::Open(int fd, Token identity) {
  CHECK(fd >= 0 && fd_ < 0 && inflight_ == 0, "a stream was opened twice");
  fd_ = fd;
  identity_ = identity;
}

uint64_t Stream::UserData(Op op) const {
  Token token = identity_;
  token.op = op;
  return token.Encode();
}

void Stream::Connect(StreamEnv& env, const sockaddr* address, socklen_t length) {
  CHECK(open() && !closing_ && !connecting_);
  CHECK(length <= sizeof(sockaddr_storage));
  // The kernel may read it after submission. Kept for the next connect of this slot.
  if (connect_address_ == nullptr) connect_address_ = std::make_unique<sockaddr_storage>();
  std::memcpy(connect_address_.get(), address, length);
  io_uring_sqe* sqe = env.ring.GetSqe();
  io_uring_prep_connect(sqe, fd_, reinterpret_cast<sockaddr*>(connect_address_.get()), length);
  sqe->user_data = UserData(Op::kConnect);
  connecting_ = true;
  ++inflight_;
}

int Stream::OnConnect(const Cqe& cqe) {
  CHECK(connecting_ && inflight_ > 0, "a connect completed twice");
  connecting_ = false;
  --inflight_;
  if (closing_) return ECANCELED;
  error_ = cqe.res < 0 ? -cqe.res : 0;
  return error_;
}

bool Stream::HasVictims() const {
  return recv_ == Recv::kArmed || recv_ == Recv::kPausing || send_in_flight_ || connecting_;
}

void Stream::CancelAll(StreamEnv& env) {
  io_uring_sqe* sqe = env.ring.GetSqe();
  // By descriptor the kernel looks through every operation of the ring, that is, of every
  // connection; by user_data it does not. What else flies at first is most often a send that is
  // done before the kernel comes to this; where it is not, OnCancel asks again.
  const bool is_recv = recv_ == Recv::kArmed || recv_ == Recv::kPausing;
  cancels_recv_only_ = is_recv && close_cancels_ == 0;
  if (cancels_recv_only_) {
    io_uring_prep_cancel64(sqe, UserData(Op::kRecv), IORING_ASYNC_CANCEL_ALL);
  } else {
    io_uring_prep_cancel_fd(sqe, fd_, IORING_ASYNC_CANCEL_ALL);
  }
  sqe->user_data = UserData(Op::kCancel);
  ++close_cancels_;
  ++inflight_;
}

void Stream::OnCancel(StreamEnv& env, const Cqe& cqe) {
  CHECK(inflight_ > 0, "a cancel completed twice");
  --inflight_;
  if (closing_) {
    if (!HasVictims()) return;
    // Zero is what cancelling "all" answers when it found none. Normally the completions are on
    // their way by then; were they not, this slot would never be free.
    if (cqe.res > 0 && !(cancels_recv_only_ && (send_in_flight_ || connecting_))) return;
    if (close_cancels_ < kMaxCloseCancels) {
      CancelAll(env);
    } else {
      Disconnect();
    }
    return;
  }
  // An answer may be that of an earlier pause's cancel. Taking it for this one's is harmless: at
  // worst the receive is cancelled once more, or ends as cancelled when it counts as armed, and is
  // armed again.
  if (cqe.res >= 0 || recv_ != Recv::kPausing) return;
  if (pauses_ == 0) {
    recv_ = Recv::kArmed;
  } else {
    cancel_missed_ = true;
  }
}

void Stream::Disconnect() {
  // Wakes whatever waits on the socket. A reset, so that nobody takes it for a clean end.
  const sockaddr none{.sa_family = AF_UNSPEC, .sa_data = {}};
  if (::connect(fd_, &none, sizeof none) != 0) static_cast<void>(::shutdown(fd_, SHUT_RDWR));
}

void Stream::Flush(StreamEnv& env) {
  if (closing_ || send_in_flight_ || output_.empty()) return;
  QueueSend(env);
}

void Stream::QueueSend(StreamEnv& env) {
  DCHECK(open() && !connecting_ && !write_shut_);
  const std::span<const uint8_t> front = output_.Front();
  io_uring_sqe* sqe = env.ring.GetSqe();
  if (front.size() == output_.size()) {
    io_uring_prep_send(sqe, fd_, front.data(), front.size(), MSG_NOSIGNAL | MSG_WAITALL);
  } else {
    if (operands_ == nullptr) operands_ = std::make_unique<SendOperands>();
    output_.Prepare(*operands_);
    io_uring_prep_sendmsg(sqe, fd_, &operands_->message, MSG_NOSIGNAL | MSG_WAITALL);
  }
  sqe->user_data = UserData(Op::kSend);
  send_in_flight_ = true;
  ++inflight_;
}

SendEvent Stream::OnSend(StreamEnv& env, const Cqe& cqe) {
  CHECK(send_in_flight_ && inflight_ > 0, "a send completed twice");
  send_in_flight_ = false;
  --inflight_;
  if (cqe.res > 0) {
    // Even a cancelled send may have moved bytes.
    bytes_sent_ += static_cast<uint64_t>(cqe.res);
    output_.Consume(env.blocks, static_cast<size_t>(cqe.res));
  }
  if (closing_) return SendEvent::kNothing;
  if (cqe.res <= 0 && cqe.res != -EINTR && cqe.res != -EAGAIN) {
    error_ = cqe.res == 0 ? EIO : -cqe.res;
    return SendEvent::kError;
  }
  if (!output_.empty()) {
    QueueSend(env);
    return SendEvent::kPartial;
  }
  operands_.reset();  // a connection that idles needs none
  if (shut_when_drained_) ShutdownWrite();
  return SendEvent::kDrained;
}

void Stream::ShutdownWriteWhenDrained() {
  if (!open() || closing_ || write_shut_) return;
  shut_when_drained_ = true;
  if (output_.empty() && !send_in_flight_) ShutdownWrite();
}

void Stream::ShutdownWrite() {
  write_shut_ = true;
  // Fails only when the peer has reset the connection, which the receive reports.
  static_cast<void>(::shutdown(fd_, SHUT_WR));
}

void Stream::BeginClose(StreamEnv& env) {
  if (!open() || closing_) return;
  closing_ = true;
  recv_wanted_ = false;
  if (recv_ == Recv::kStarved) {
    Unlink();
    recv_ = Recv::kIdle;
  }
  if (HasVictims()) CancelAll(env);
}

void Stream::Release(StreamEnv& env, bool abort) {
  CHECK(releasable(), "a stream was released while operations fly");
  CHECK(!linked() && !send_in_flight_ && recv_ == Recv::kIdle);
  if (abort) {
    const linger now{.l_onoff = 1, .l_linger = 0};
    static_cast<void>(::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now));
  }
  ::close(fd_);
  output_.Clear(env.blocks);
  operands_.reset();
  fd_ = -1;
  error_ = 0;
  pauses_ = 0;
  recv_wanted_ = oneshot_ = eof_ = closing_ = connecting_ = false;
  shut_when_drained_ = write_shut_ = false;
  cancel_missed_ = served_ = false;
  cancels_recv_only_ = false;
  close_cancels_ = 0;
  data_ = {};
  held_ = std::vector<uint8_t>();  // not {}, which would keep the memory
  bytes_received_ = bytes_sent_ = 0;
}

int OpenStreamSocket(const SocketAddress& address) {
  const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && address.is_ip()) {
    const int on = 1;
    static_cast<void>(::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
  }
  return fd;
}

}  // namespace portcullis::io
