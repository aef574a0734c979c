// The part of a driver that decides what to start, and when: closed loop, open loop, kept
// connections, held ones.
#include <algorithm>
#include <chrono>

#include "bench/loadgen/driver.h"

namespace portcullis::bench {
namespace {

using std::chrono::nanoseconds;

// How long a turn may wait though nothing is due: the end of the run is noticed then.
constexpr int64_t kLongestWaitMs = 50;

}  // namespace

// The unit of the next arrival. Those of the warm-up's step do not count.
Unit Driver::NextArrival() const {
  const uint32_t step = arrivals_->step();
  return {.intended_ns = arrivals_->intended_ns(),
          .step = step - std::min(step, warmup_steps_),
          .counted = step >= warmup_steps_};
}

Unit Driver::StartNow() const {
  return {.intended_ns = now_ns_, .counted = now_ns_ >= run_.begin_ns()};
}

bool Driver::ArrivalDue() const {
  return !arrivals_->over() && arrivals_->intended_ns() <= std::min(now_ns_, run_.end_ns() - 1);
}

bool Driver::Take(const Unit& unit) { return !unit.counted || run_.Take(now_ns_); }

// Idle mode has no window that ends: it may have fewer arrivals than connections to hold.
bool Driver::NothingToStart() const {
  const bool no_more = options_.idle != 0 && arrivals_.has_value() && arrivals_->over();
  return now_ns_ >= run_.end_ns() || no_more;
}

void Driver::StartDue() {
  if (options_.keep_alive) OpenKept();
  if (arrivals_.has_value()) {
    StartOpen();
  } else if (!options_.keep_alive) {
    StartClosed();
  }
}

void Driver::StartClosed() {
  while (placed_ < connections_) {
    const Unit unit = StartNow();
    if (!Take(unit) || !StartConnection(unit)) return;
  }
}

// Arrivals that are due, as far as there is room; the others stay due.
void Driver::StartOpen() {
  while (ArrivalDue()) {
    const Unit unit = NextArrival();
    if (options_.keep_alive ? parked_.empty() : placed_ == connections_) return;
    if (!Take(unit)) return;
    arrivals_->Next();
    now_ns_ = NowNs();
    if (!options_.keep_alive) {
      if (!StartConnection(unit)) return;
      continue;
    }
    Session& session = *parked_.back();
    parked_.pop_back();
    session.parked = false;
    session.unit = unit;
    ledger_.Begin(session.unit, now_ns_);
    Act(session, Ask(session));
  }
}

void Driver::OpenKept() {
  while (placed_ < connections_ && StartConnection(Unit{.intended_ns = now_ns_})) {
  }
}

const io::SocketAddress* Driver::NextSource() {
  if (options_.sources.empty()) return nullptr;
  return &options_.sources[next_source_++ % options_.sources.size()];
}

// False when nothing more can be started in this turn.
bool Driver::StartConnection(const Unit& unit) {
  Session* const taken = sessions_.Take();
  if (taken == nullptr) return false;
  Session& session = *taken;
  bool resume = false;
  Client* const client = clients_->Next(resume);
  session.timer.slot = session.slot;
  session.unit = unit;
  if (client == nullptr) {
    run_.Abort();  // the library cannot sign
    sessions_.Give(taken);
    return false;
  }
  const Outcome outcome = session.Start(*env_, *context_, options_, names_.Next(), NextSource(),
                                        *client, resume, now_ns_);
  session.placed = true;
  ++placed_;
  // A kept connection is no unit; its requests are.
  if (!options_.keep_alive) ledger_.Begin(session.unit, now_ns_);
  if (session.stream.open()) {
    run_.open.fetch_add(1, std::memory_order_relaxed);
    wheel_->Arm(session.timer, static_cast<io::Millis>(now_ns_ / 1'000'000) +
                                   static_cast<io::Millis>(options_.timeout_s * 1000));
  }
  Act(session, outcome);
  return outcome == Outcome::kGoing;  // or out of descriptors
}

// A kept connection has nothing to do.
Outcome Driver::GiveWork(Session& session) {
  if (draining_) {
    Close(session);
    return Outcome::kGoing;
  }
  if (arrivals_.has_value()) return Park(session);
  const Unit unit = StartNow();
  if (now_ns_ >= run_.end_ns() || !Take(unit)) {
    Close(session);
    return Outcome::kGoing;
  }
  session.unit = unit;
  ledger_.Begin(session.unit, now_ns_);
  return Ask(session);
}

Outcome Driver::Park(Session& session) {
  wheel_->Cancel(session.timer);
  session.parked = true;
  parked_.push_back(&session);
  if (options_.idle != 0) {
    session.placed = false;
    --placed_;
  }
  return session.Idle(*env_);
}

// Nothing more is started but what came due since the last turn, late as that is: what has no room
// now never will.
void Driver::Drain() {
  if (arrivals_.has_value()) StartOpen();
  draining_ = true;
  // When the budget is spent, the others were not meant to start.
  if (arrivals_.has_value() && !run_.spent()) {
    for (; !arrivals_->over() && arrivals_->intended_ns() < run_.end_ns(); arrivals_->Next())
      ledger_.NotStarted(NextArrival());
  }
  if (options_.idle != 0) return;
  const std::vector<Session*> parked = parked_;
  for (Session* session : parked) Close(*session);
}

// Idle mode's end: each connection held must still be good for a request. No more at once than are
// opened at once: all of them together would try a server's backend more than the server.
void Driver::AskHeld() {
  checking_ = true;
  while (!parked_.empty() && placed_ < connections_) {
    Session& session = *parked_.back();
    parked_.pop_back();
    session.parked = false;
    session.placed = true;
    ++placed_;
    session.unit.counted = true;
    session.unit.going = true;
    Act(session, Ask(session));
  }
}

bool Driver::Over() {
  if (!draining_) return false;
  if (options_.idle != 0) {
    if (!opened_ && placed_ == 0) {
      opened_ = true;
      run_.Opened(now_ns_);
    }
    if (opened_ && run_.checking()) AskHeld();
    if (!checking_) return false;
  }
  return sessions_.live() == 0;
}

nanoseconds Driver::WaitTime() {
  const auto now_ms = static_cast<io::Millis>(now_ns_ / 1'000'000);
  int64_t wait = static_cast<int64_t>(wheel_->NextDelay(now_ms, kLongestWaitMs)) * 1'000'000;
  if (draining_) return nanoseconds(wait);
  wait = std::min(wait, std::max<int64_t>(0, run_.end_ns() - now_ns_));
  const bool room = options_.keep_alive ? !parked_.empty() : placed_ < connections_;
  if (arrivals_.has_value() && !arrivals_->over() && room)
    wait = std::min(wait, std::max<int64_t>(0, arrivals_->intended_ns() - NowNs()));
  return nanoseconds(wait);
}

}  // namespace portcullis::bench
