#include "bench/loadgen/ledger.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace portcullis::bench {
namespace {

uint64_t Positive(int64_t ns) { return static_cast<uint64_t>(std::max<int64_t>(0, ns)); }

}  // namespace

Ledger::Ledger(const Options& options, Run& run) : options_(options), run_(run) {
  tally_.steps.resize(options.rates.size());
}

StepTally* Ledger::StepOf(const Unit& unit) {
  return unit.step < tally_.steps.size() ? &tally_.steps[unit.step] : nullptr;
}

void Ledger::Begin(Unit& unit, int64_t now_ns) {
  unit.going = true;
  if (!unit.counted) return;
  const int64_t delay = now_ns - unit.intended_ns;
  tally_.start_delay.Record(Positive(delay));
  if (delay <= Tally::kLateNs) return;
  ++tally_.late;
  if (StepTally* step = StepOf(unit)) ++step->late;
}

void Ledger::NotStarted(const Unit& unit) {
  if (!unit.counted) return;
  ++tally_.not_started;
  if (StepTally* step = StepOf(unit)) ++step->not_started;
  RecordLatency(unit, Positive(run_.end_ns() - unit.intended_ns));
}

void Ledger::Accepted(const Session& session, int64_t handshake_ns) {
  // Kept connections are opened before anything counts; that is said of them all the same.
  if (!session.unit.counted && !options_.keep_alive) return;
  ++tally_.handshakes;
  tally_.offered += session.tls().offered() ? 1 : 0;
  tally_.resumed += session.tls().resumed() ? 1 : 0;
  ++tally_.negotiated[session.tls().negotiated()];
  (session.tls().resumed() ? tally_.resumed_handshake : tally_.full_handshake)
      .Record(Positive(handshake_ns));
}

void Ledger::Answered(const Session& session, int64_t now_ns) {
  // The check at idle mode's end comes as a burst, whose latencies say nothing.
  if (session.unit.held) return;
  if (run_.InWindow(now_ns)) {
    tally_.received_in_window += session.body_bytes();
    tally_.sent_in_window += options_.upload_bytes;
  }
  if (!session.unit.counted) return;
  ++tally_.requests;
  tally_.received_bytes += session.body_bytes();
  tally_.sent_bytes += options_.upload_bytes;
  tally_.request.Record(Positive(now_ns - session.asked_ns()));
}

void Ledger::Done(Session& session, int64_t now_ns) {
  Unit& unit = session.unit;
  unit.going = false;
  if (Begun(now_ns)) ++tally_.ended;
  if (const auto bad = session.client().bad; bad.has_value()) {
    CountFailure(unit, absl::StrCat("accepted: ", std::string(BadKindName(*bad))), now_ns);
    return;
  }
  const uint64_t latency = Positive(now_ns - unit.intended_ns);
  ++second_.done;
  second_.latency.Record(latency);
  if (run_.InWindow(now_ns)) ++tally_.ended_in_window;
  if (!unit.counted) return;
  ++tally_.done;
  if (StepTally* step = StepOf(unit)) ++step->done;
  RecordLatency(unit, latency);
}

void Ledger::Held(Unit& unit) {
  ++tally_.held;
  unit.held = true;
}

void Ledger::Failed(Session& session, int64_t now_ns) {
  Unit& unit = session.unit;
  const auto bad = session.client().bad;
  // One that is held though it had to be refused has failed already.
  if (unit.held && bad.has_value()) return;
  // A connection that failed with nothing asked of it counts by when that was.
  if (!unit.going) unit.counted = Begun(now_ns);
  unit.going = false;
  if (unit.held) {
    --tally_.done;
    --tally_.ended_in_window;
    if (StepTally* step = StepOf(unit)) --step->done;
  } else if (Begun(now_ns)) {
    ++tally_.ended;
  }
  if (!bad.has_value() || !session.failure().refusal) {
    CountFailure(unit, session.failure().kind, now_ns);
    return;
  }
  ++second_.refused;
  if (!unit.counted) return;
  ++tally_.refused[static_cast<size_t>(*bad)][session.failure().kind];
  if (StepTally* step = StepOf(unit)) ++step->refused;
}

void Ledger::Unfinished(Unit& unit, int64_t now_ns) {
  const bool counts = unit.going && unit.counted && !unit.held;
  unit.going = false;
  if (!counts) return;
  ++tally_.unfinished;
  RecordLatency(unit, Positive(now_ns - unit.intended_ns));
}

void Ledger::RecordLatency(const Unit& unit, uint64_t latency) {
  tally_.latency.Record(latency);
  if (StepTally* step = StepOf(unit)) step->latency.Record(latency);
}

void Ledger::CountFailure(const Unit& unit, const std::string& kind, int64_t now_ns) {
  ++second_.failed;
  if (unit.counted || Begun(now_ns)) ++tally_.failures[kind];
  if (!unit.counted) return;
  if (StepTally* step = StepOf(unit)) ++step->failed;
}

void Ledger::Roll(int64_t now_ns) {
  const auto index = static_cast<size_t>(Positive(now_ns - run_.origin_ns()) / 1'000'000'000);
  if (index == second_index_) return;
  Close();
  second_index_ = index;
}

void Ledger::Close() {
  run_.Publish(second_index_, second_);
  second_ = Second();
}

}  // namespace portcullis::bench
