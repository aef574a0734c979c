// Ledger: a thread's accounts: turns what its driver saw into the tally and the time series. Knows
// which units count; what came of them otherwise is not its business. One thread.
#pragma once

#include <cstdint>

#include "bench/loadgen/run.h"
#include "bench/loadgen/session.h"
#include "bench/loadgen/tally.h"
#include "bench/loadgen/unit.h"

namespace portcullis::bench {

class Ledger {
 public:
  Ledger(const Options& options, Run& run);

  // Begin takes a unit that starts now.
  void Begin(Unit& unit, int64_t now_ns);
  // NotStarted counts one whose time was over before its turn came. Its latency is known to be more
  // than it waited, and is taken for that: those who did start are not all there were.
  void NotStarted(const Unit& unit);

  // What a session has seen: the server's acceptance, an answer.
  void Accepted(const Session& session, int64_t handshake_ns);
  void Answered(const Session& session, int64_t now_ns);
  // The end of a session's unit. A client that had to be refused and was not is a failure. One that
  // fails in the window or after it is counted, whenever it was to start: a server that hangs from
  // the warm-up on has nothing else to show.
  void Done(Session& session, int64_t now_ns);
  void Failed(Session& session, int64_t now_ns);
  // Unfinished counts one that was given up before its end, likewise.
  void Unfinished(Unit& unit, int64_t now_ns);

  void ServerClosed() { ++tally_.server_closed; }
  // A connection that is done is to be good until idle mode's end; one that fails after all was not
  // done. A client that had to be refused is held too: a server may come to know better.
  void Held(Unit& unit);
  void Alive() { ++tally_.alive; }

  // Roll publishes the seconds that are over; Close all.
  void Roll(int64_t now_ns);
  void Close();

  [[nodiscard]] Tally& tally() { return tally_; }

 private:
  [[nodiscard]] StepTally* StepOf(const Unit& unit);
  void RecordLatency(const Unit& unit, uint64_t latency);
  void CountFailure(const Unit& unit, const std::string& kind, int64_t now_ns);
  [[nodiscard]] bool Begun(int64_t now_ns) const { return now_ns >= run_.begin_ns(); }

  const Options& options_;
  Run& run_;
  Tally tally_;
  Second second_;
  size_t second_index_ = 0;
};

}  // namespace portcullis::bench
