// The receiving half of Stream: arming, bytes, pauses, starvation.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "io/check.h"
#include "io/stream.h"

namespace portcullis::io {

void Stream::StartRecv(StreamEnv& env) {
  CHECK(open());
  if (closing_ || eof_) return;
  recv_wanted_ = true;
  if (recv_ == Recv::kIdle && pauses_ == 0) ArmRecv(env);
}

void Stream::ArmRecv(StreamEnv& env) {
  DCHECK(recv_ == Recv::kIdle && !closing_ && !eof_ && pauses_ == 0);
  io_uring_sqe* sqe = env.ring.GetSqe();
  if (oneshot_) {
    io_uring_prep_recv(sqe, fd_, nullptr, 0, 0);  // 0: as much as one buffer takes
  } else {
    io_uring_prep_recv_multishot(sqe, fd_, nullptr, 0, 0);
  }
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
  if (recv_ == Recv::kIdle && pauses_ == 0 && oneshot_) {
    // At the end of the turn, when what these bytes lead to has had its chance to pause the stream:
    // nothing is armed then that would have to be cancelled.
    recv_ = Recv::kStarved;
    env.rearm.PushBack(*this);
  } else if (recv_ == Recv::kIdle) {
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
      if (error == ENOBUFS) {
        ++env.counters.recv_enobufs;
        env.buffers.Widen();
      }
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
  oneshot_ = true;  // a source that outran its sink once will do so again
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
