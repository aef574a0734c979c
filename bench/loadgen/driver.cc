#include "bench/loadgen/driver.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"

#include "io/check.h"
#include "io/uring_ring.h"

namespace portcullis::bench {
namespace {

io::Millis ToMillis(int64_t ns) { return static_cast<io::Millis>(ns / 1'000'000); }

uint32_t ShareOf(uint32_t whole, uint32_t thread, uint32_t threads) {
  return whole / threads + (thread < whole % threads ? 1 : 0);
}

}  // namespace

Driver::Driver(const Options& options, const Issuers& issuers, Run& run, uint32_t thread)
    : options_(options),
      issuers_(issuers),
      run_(run),
      thread_(thread),
      connections_(ShareOf(options.connections, thread, options.threads)),
      ledger_(options, run),
      names_(options, thread),
      // Closing sessions hold their slots a little longer; any thread may come to hold all the
      // idle.
      sessions_(connections_ * 2 + options.idle + 16) {}

absl::Status Driver::SetUp() {
  absl::StatusOr<std::unique_ptr<ClientContext>> context = ClientContext::Create(options_);
  if (!context.ok()) return context.status();
  context_ = *std::move(context);
  absl::StatusOr<std::unique_ptr<Clients>> clients =
      Clients::Create(options_, issuers_, thread_, run_.off());
  if (!clients.ok()) return clients.status();
  clients_ = *std::move(clients);
  absl::StatusOr<std::unique_ptr<io::UringRing>> ring = io::UringRing::Create(io::RingOptions{});
  if (!ring.ok()) return ring.status();
  ring_ = *std::move(ring);
  absl::StatusOr<std::unique_ptr<io::BufferRing>> buffers =
      io::BufferRing::Create(*ring_, 0, 1024, 16384);
  if (!buffers.ok()) return buffers.status();
  buffers_ = *std::move(buffers);
  env_.emplace(io::StreamEnv{*ring_, *buffers_, blocks_, rearm_, counters_});
  wheel_.emplace(ToMillis(NowNs()));
  return absl::OkStatus();
}

absl::Status Driver::Drive() {
  if (absl::Status status = SetUp(); !status.ok()) return status;
  if (!run_.ReadyAndWait()) return absl::OkStatus();
  if (!options_.rates.empty()) {
    std::vector<RateStep> steps = options_.rates;
    if (options_.warmup_s > 0) {
      steps.insert(steps.begin(), {steps.front().per_second, options_.warmup_s});
      warmup_steps_ = 1;
    }
    arrivals_.emplace(steps, run_.origin_ns(), thread_, options_.threads);
  }
  Loop();
  ledger_.Close();
  return absl::OkStatus();
}

void Driver::Loop() {
  for (now_ns_ = NowNs(); !Over(); now_ns_ = NowNs()) {
    if (!draining_ && NothingToStart()) Drain();
    if (!given_up_ && now_ns_ >= run_.give_up_ns()) GiveUp();
    if (!draining_) StartDue();
    Turn();
    ledger_.Roll(now_ns_);
  }
}

void Driver::Turn() {
  // What a turn has to say is said at its end, and what is due is begun between turns: with a few
  // handshakes in one, neither waits long.
  std::array<io::Cqe, 8> batch;
  const int count = ring_->SubmitAndReap(WaitTime(), batch);
  CHECK(count >= 0, "the ring is broken");
  now_ns_ = NowNs();
  for (int i = 0; i < count; ++i) Dispatch(batch[static_cast<size_t>(i)]);
  wheel_->Advance(ToMillis(now_ns_), [this](io::TimerNode& node) {
    Session& session = *sessions_.At(node.slot);
    if (!session.ended) Act(session, session.OnTimeout());
  });
  io::RearmStarved(*env_);
  Sweep();
}

void Driver::Dispatch(const io::Cqe& cqe) {
  const io::Token token = io::Token::Decode(cqe.user_data);
  const io::BufferLease lease(*buffers_, token.op == io::Op::kRecv ? cqe : io::Cqe{});
  Session* session = sessions_.Find(token.slot, token.generation);
  CHECK(session != nullptr, "a completion for a released session");
  // Decrypting takes time that the next one's latency must have.
  now_ns_ = NowNs();
  Outcome outcome = Outcome::kGoing;
  if (token.op == io::Op::kConnect) {
    if (session->ended) {
      (void)session->stream.OnConnect(cqe);
    } else {
      outcome = session->OnConnect(*env_, cqe);
    }
  } else if (token.op == io::Op::kRecv) {
    const io::RecvEvent event = session->stream.OnRecv(*env_, cqe, lease.bytes());
    if (!session->ended) outcome = session->OnReceive(*env_, event);
  } else if (token.op == io::Op::kSend) {
    const io::SendEvent event = session->stream.OnSend(*env_, cqe);
    if (!session->ended) outcome = session->OnSent(*env_, event);
  } else {
    session->stream.OnCancel(*env_, cqe);
  }
  Act(*session, outcome);
}

// Goes on with a session until it waits for the server again, or has ended.
void Driver::Act(Session& session, Outcome outcome) {
  while (!session.ended && (outcome == Outcome::kReady || outcome == Outcome::kAnswered))
    outcome = outcome == Outcome::kReady ? OnReady(session) : OnAnswered(session);
  if (session.ended) return;
  if (outcome == Outcome::kFailed) {
    OnFailed(session);
  } else {
    session.Flush(*env_);
  }
}

Outcome Driver::OnReady(Session& session) {
  session.handshaken_ns = now_ns_;
  if (options_.mode == Mode::kHandshake) {
    // Sent before the close: the server must have what completes its side.
    session.Flush(*env_);
    ledger_.Accepted(session, session.handshaken_ns - session.started_ns());
    ledger_.Done(session, now_ns_);
    Close(session);
    return Outcome::kGoing;
  }
  return options_.keep_alive ? GiveWork(session) : Ask(session);
}

Outcome Driver::OnAnswered(Session& session) {
  ++session.answers;
  ledger_.Answered(session, now_ns_);
  if (!session.accepted) {
    session.accepted = true;
    ledger_.Accepted(session, session.handshaken_ns - session.started_ns());
  }
  if (checking_) {
    ledger_.Alive();
    Close(session);
    return Outcome::kGoing;
  }
  if (!options_.keep_alive && session.answers < options_.requests) {
    if (session.reusable()) return Ask(session);
    return session.Fail(Other("closed before all requests were made"));
  }
  ledger_.Done(session, now_ns_);
  if (options_.idle != 0 && session.reusable()) {
    ledger_.Held(session.unit);
    return Park(session);
  }
  if (options_.keep_alive && session.reusable()) return GiveWork(session);
  if (options_.keep_alive) ledger_.ServerClosed();
  Close(session);
  return Outcome::kGoing;
}

void Driver::OnFailed(Session& session) {
  // A server may close a kept connection between requests when it likes, but not one that is held.
  const bool closed = options_.keep_alive && !session.unit.going && session.answers > 0;
  if (closed) {
    ledger_.ServerClosed();
  } else {
    ledger_.Failed(session, now_ns_);
  }
  session.Flush(*env_);
  Close(session);
}

Outcome Driver::Ask(Session& session) {
  wheel_->Arm(session.timer,
              ToMillis(now_ns_) + static_cast<io::Millis>(options_.timeout_s * 1000));
  return session.Ask(*env_, now_ns_);
}

void Driver::Close(Session& session) {
  session.ended = true;
  if (session.placed) --placed_;
  if (session.parked) std::erase(parked_, &session);
  session.placed = session.parked = false;
  wheel_->Cancel(session.timer);
  if (session.stream.open()) {
    if (options_.close_notify) session.TakeLeave(*env_);
    run_.open.fetch_sub(1, std::memory_order_relaxed);
    session.stream.BeginClose(*env_);
  }
  ending_.push_back(&session);
}

// What is still open a while after an interrupt is closed, whatever it waits for.
void Driver::GiveUp() {
  given_up_ = true;
  checking_ = true;
  sessions_.ForEachLive([this](Session& session) {
    if (session.ended) return;
    ledger_.Unfinished(session.unit, now_ns_);
    Close(session);
  });
}

void Driver::Sweep() {
  std::erase_if(ending_, [this](Session* session) {
    if (session->stream.open()) {
      if (!session->stream.releasable()) return false;
      session->stream.Release(*env_, /*abort=*/options_.reset);
    }
    session->Reset();
    sessions_.Give(session);
    return true;
  });
}

}  // namespace portcullis::bench
