#include "bench/loadgen/driver.h"

#include <array>
#include <ctime>

#include "io/check.h"
#include "io/uring_ring.h"

namespace portcullis::bench {
namespace {

int64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

io::Millis NowMs() { return static_cast<io::Millis>(NowNs() / 1'000'000); }

uint32_t Micros(int64_t from_ns, int64_t to_ns) {
  return static_cast<uint32_t>((to_ns - from_ns) / 1000);
}

}  // namespace

Driver::Driver(const Options& options, uint32_t connections, Shared& shared)
    // Closing sessions hold their slots a little longer.
    : options_(options),
      connections_(connections),
      shared_(shared),
      sessions_(connections * 2 + 16) {}

absl::Status Driver::SetUp() {
  absl::StatusOr<std::unique_ptr<ClientContext>> context = ClientContext::Create(options_);
  if (!context.ok()) return context.status();
  context_ = *std::move(context);
  absl::StatusOr<std::unique_ptr<io::UringRing>> ring = io::UringRing::Create(io::RingOptions{});
  if (!ring.ok()) return ring.status();
  ring_ = *std::move(ring);
  absl::StatusOr<std::unique_ptr<io::BufferRing>> buffers =
      io::BufferRing::Create(*ring_, 0, 1024, 8192);
  if (!buffers.ok()) return buffers.status();
  buffers_ = *std::move(buffers);
  env_.emplace(io::StreamEnv{*ring_, *buffers_, blocks_, rearm_, counters_});
  wheel_.emplace(NowMs());
  return absl::OkStatus();
}

absl::Status Driver::Run() {
  if (absl::Status status = SetUp(); !status.ok()) return status;
  std::array<io::Cqe, 256> batch;
  while (true) {
    const bool stop = shared_.stop.load(std::memory_order_relaxed);
    if (stop && sessions_.live() == 0) return absl::OkStatus();
    if (stop) {
      sessions_.ForEachLive([this](Session& session) {
        if (!session.ended) Settle(session, Outcome::kGoing);
      });
    } else {
      Fill();
    }
    const auto wait = std::chrono::milliseconds(wheel_->NextDelay(NowMs(), 50));
    const int count = ring_->SubmitAndReap(wait, batch);
    CHECK(count >= 0, "the ring is broken");
    for (int i = 0; i < count; ++i) Dispatch(batch[static_cast<size_t>(i)]);
    wheel_->Advance(NowMs(), [this](io::TimerNode& node) {
      Session& session = *sessions_.At(node.slot);
      if (!session.ended) Settle(session, session.OnTimeout());
    });
    io::RearmStarved(*env_);
    Sweep();
  }
}

void Driver::Fill() {
  while (going_ < connections_) {
    Session* session = sessions_.Take();
    if (session == nullptr) return;
    ++going_;
    session->timer.slot = session->slot;
    const Outcome outcome = session->Start(*env_, *context_, options_, NowNs());
    if (session->stream.open()) {
      wheel_->Arm(session->timer, NowMs() + static_cast<io::Millis>(options_.timeout_s * 1000));
    }
    if (outcome != Outcome::kGoing) {
      Settle(*session, outcome);
      return;  // out of descriptors: not again in this turn
    }
  }
}

void Driver::Dispatch(const io::Cqe& cqe) {
  const io::Token token = io::Token::Decode(cqe.user_data);
  const io::BufferLease lease(*buffers_, token.op == io::Op::kRecv ? cqe : io::Cqe{});
  Session* session = sessions_.Find(token.slot, token.generation);
  CHECK(session != nullptr, "a completion for a released session");
  Outcome outcome = Outcome::kGoing;
  if (token.op == io::Op::kConnect) {
    if (session->ended) {
      (void)session->stream.OnConnect(cqe);
    } else {
      outcome = session->OnConnect(*env_, cqe);
    }
  } else if (token.op == io::Op::kRecv) {
    const io::RecvEvent event = session->stream.OnRecv(*env_, cqe, lease.bytes());
    if (!session->ended) outcome = session->OnReceive(*env_, event, NowNs());
  } else if (token.op == io::Op::kSend) {
    const io::SendEvent event = session->stream.OnSend(*env_, cqe);
    if (!session->ended) outcome = session->OnSent(event);
  } else {
    session->stream.OnCancel(*env_, cqe);
  }
  if (outcome != Outcome::kGoing) Settle(*session, outcome);
}

// Counts an outcome (kGoing: none, the run is over) and closes.
void Driver::Settle(Session& session, Outcome outcome) {
  session.ended = true;
  --going_;
  if (shared_.counting.load(std::memory_order_relaxed)) {
    if (outcome == Outcome::kDone) {
      ++tally_.done;
      tally_.total_us.push_back(Micros(session.started_ns(), NowNs()));
      tally_.handshake_us.push_back(Micros(session.started_ns(), session.handshake_ns()));
      const uint64_t done = shared_.done.fetch_add(1, std::memory_order_relaxed) + 1;
      if (options_.handshakes != 0 && done >= options_.handshakes) shared_.Stop();
    } else if (outcome == Outcome::kFailed) {
      ++tally_.failures[session.failure()];
      shared_.failed.fetch_add(1, std::memory_order_relaxed);
    }
  }
  wheel_->Cancel(session.timer);
  if (session.stream.open()) session.stream.BeginClose(*env_);
  ending_.push_back(&session);
}

void Driver::Sweep() {
  std::erase_if(ending_, [this](Session* session) {
    if (session->stream.open()) {
      if (!session->stream.releasable()) return false;
      session->stream.Release(*env_, /*abort=*/false);
    }
    session->Reset();
    sessions_.Give(session);
    return true;
  });
}

}  // namespace portcullis::bench
