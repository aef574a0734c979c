#include "io/stream.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "io/check.h"

namespace portcullis::io {
namespace {

// A close's cancel that finds nothing although operations fly is repeated this often; what is left
// then ends with the socket's own time-outs.
constexpr uint8_t kMaxCloseCancels = 4;

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

void Stream::StartRecv(StreamEnv& env) {
  CHECK(open());
  if (closing_ || eof_) return;
  recv_wanted_ = true;
  if (recv_ == Recv::kIdle && pauses_ == 0) ArmRecv(env);
}

void Stream::ArmRecv(StreamEnv& env) {
  DCHECK(recv_ == Recv::kIdle && !closing_ && !eof_ && pauses_ == 0);
  io_uring_sqe* sqe = env.ring.GetSqe();
  io_uring_prep_recv_multishot(sqe, fd_, nullptr, 0, 0);
  sqe->flags |= IOSQE_BUFFER_SELECT;
  sqe->buf_group = env.buffers.group();
  sqe->user_data = UserData(Op::kRecv);
  recv_ = Recv::kArmed;
  served_ = false;
  ++inflight_;
}

RecvEvent Stream::OnRecv(StreamEnv& env, const Cqe& cqe, std::span<const uint8_t> bytes) {
  CHECK(recv_ == Recv::kArmed || recv_ == Recv::kPausing, "a receive completed that was not armed");
  CHECK(inflight_ > 0);
  data_ = {};
  if (!cqe.more()) {
    --inflight_;
    recv_ = Recv::kIdle;
    cancel_missed_ = false;
  }
  if (closing_) return RecvEvent::kNothing;
  if (cqe.res > 0) return OnBytes(env, bytes);
  if (cqe.res == 0) {
    eof_ = true;
    recv_wanted_ = false;
    return held_.empty() ? RecvEvent::kEof : RecvEvent::kHeld;
  }
  return OnRecvError(env, -cqe.res);
}

RecvEvent Stream::OnBytes(StreamEnv& env, std::span<const uint8_t> bytes) {
  DCHECK(!bytes.empty(), "received bytes without their buffer");
  bytes_received_ += bytes.size();
  served_ = true;
  if (recv_ == Recv::kIdle) {
    // The kernel ended the multishot although it had data (a full completion queue, its own
    // fairness limit).
    if (pauses_ == 0) ArmRecv(env);
  } else if (recv_ == Recv::kPausing && cancel_missed_) {
    ++env.counters.cancel_misses;
    CancelRecv(env);
  }
  if (pauses_ == 0 && held_.empty()) {
    data_ = bytes;
    return RecvEvent::kData;
  }
  held_.insert(held_.end(), bytes.begin(), bytes.end());
  env.counters.held_bytes_peak = std::max<uint64_t>(env.counters.held_bytes_peak, held_.size());
  return RecvEvent::kHeld;
}

RecvEvent Stream::OnRecvError(StreamEnv& env, int error) {
  switch (error) {
    case ENOBUFS:
    case EAGAIN:
    case EINTR:
      // Re-arming here would spin: an empty group fails at once, data or not.
      if (error == ENOBUFS) ++env.counters.recv_enobufs;
      if (recv_ == Recv::kIdle && pauses_ == 0) {
        recv_ = Recv::kStarved;
        env.rearm.PushBack(*this);
      }
      return RecvEvent::kNothing;
    case ECANCELED:
      // A pause took effect, or has been taken back meanwhile.
      if (recv_ == Recv::kIdle && pauses_ == 0) ArmRecv(env);
      return RecvEvent::kNothing;
    default:
      error_ = error;
      recv_wanted_ = false;
      return RecvEvent::kError;
  }
}

void Stream::Pause(StreamEnv& env) {
  CHECK(open());
  CHECK(pauses_ < UINT16_MAX, "pauses without resumes");
  if (pauses_++ > 0) return;
  ++env.counters.recv_pauses;
  if (recv_ == Recv::kStarved) {
    Unlink();
    recv_ = Recv::kIdle;
  } else if (recv_ == Recv::kArmed && !closing_) {
    recv_ = Recv::kPausing;
    CancelRecv(env);
  }
}

void Stream::Resume(StreamEnv& env) {
  CHECK(pauses_ > 0, "a resume without its pause");
  if (--pauses_ > 0 || closing_) return;
  if (recv_ == Recv::kIdle && recv_wanted_) {
    ArmRecv(env);
  } else if (recv_ == Recv::kPausing && cancel_missed_) {
    recv_ = Recv::kArmed;  // the cancel found nothing, so nothing will end this receive
    cancel_missed_ = false;
  }
  // Else, still pausing: its last completion arms the next receive.
}

std::vector<uint8_t> Stream::TakeHeld() { return std::exchange(held_, {}); }

void Stream::Hold(std::span<const uint8_t> bytes) {
  CHECK(pauses_ > 0, "only a paused stream may hold bytes");
  held_.insert(held_.begin(), bytes.begin(), bytes.end());
}

void Stream::CancelRecv(StreamEnv& env) {
  // By the receive's own user_data: by descriptor would take the send with it.
  io_uring_sqe* sqe = env.ring.GetSqe();
  io_uring_prep_cancel64(sqe, UserData(Op::kRecv), 0);
  sqe->user_data = UserData(Op::kCancel);
  cancel_missed_ = false;
  ++inflight_;
}

void Stream::CancelAll(StreamEnv& env) {
  io_uring_sqe* sqe = env.ring.GetSqe();
  io_uring_prep_cancel_fd(sqe, fd_, IORING_ASYNC_CANCEL_ALL);
  sqe->user_data = UserData(Op::kCancel);
  ++close_cancels_;
  ++inflight_;
}

void Stream::OnCancel(StreamEnv& env, const Cqe& cqe) {
  CHECK(inflight_ > 0, "a cancel completed twice");
  --inflight_;
  if (closing_) {
    // Zero is what cancelling "all" answers when it found none. Whatever flies has normally its
    // completion on the way; if it has not, this slot would never be free.
    if (cqe.res <= 0 && inflight_ > 0 && close_cancels_ < kMaxCloseCancels) CancelAll(env);
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

void Stream::Flush(StreamEnv& env) {
  if (closing_ || send_in_flight_ || output_.empty()) return;
  QueueSend(env);
}

void Stream::QueueSend(StreamEnv& env) {
  DCHECK(open() && !connecting_ && !write_shut_);
  const size_t pieces = output_.Prepare(operands_);
  io_uring_sqe* sqe = env.ring.GetSqe();
  if (pieces == 1) {
    io_uring_prep_send(sqe, fd_, operands_.iov[0].iov_base, operands_.iov[0].iov_len,
                       MSG_NOSIGNAL | MSG_WAITALL);
  } else {
    io_uring_prep_sendmsg(sqe, fd_, &operands_.message, MSG_NOSIGNAL | MSG_WAITALL);
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
  if (inflight_ > 0) CancelAll(env);
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
  fd_ = -1;
  error_ = 0;
  pauses_ = 0;
  recv_wanted_ = eof_ = closing_ = connecting_ = false;
  shut_when_drained_ = write_shut_ = false;
  cancel_missed_ = served_ = false;
  close_cancels_ = 0;
  data_ = {};
  held_ = {};
  bytes_received_ = bytes_sent_ = 0;
}

void RearmStarved(StreamEnv& env) {
  // Whoever got bytes in its last round comes after everyone who got none: one stream can take the
  // whole group at once, and in plain order it would do so every time.
  for (const bool served : {false, true}) {
    ListNode* next = nullptr;
    for (ListNode* node = env.rearm.Front(); node != nullptr; node = next) {
      if (env.buffers.available() * 4 < env.buffers.entries()) return;
      next = env.rearm.Next(*node);
      auto& stream = static_cast<Stream&>(static_cast<RearmNode&>(*node));
      if (stream.served_ != served) continue;
      stream.Unlink();
      stream.recv_ = Stream::Recv::kIdle;
      stream.ArmRecv(env);
    }
  }
}

}  // namespace portcullis::io
