// Tally: what came of a run: how many, how long, every failure by kind, every refusal by fault. One
// a thread while it runs, merged at the end. Latencies in nanoseconds.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bench/loadgen/histogram.h"
#include "bench/loadgen/options.h"

namespace portcullis::bench {

using Counts = std::map<std::string, uint64_t>;  // by kind

// One step of an open loop.
struct StepTally {
  uint64_t done = 0;
  uint64_t failed = 0;
  uint64_t refused = 0;
  uint64_t late = 0;
  uint64_t not_started = 0;
  Histogram latency;

  void Merge(const StepTally& other);
};

// One second of the run, for the time series: by when units ended.
struct Second {
  uint64_t done = 0;
  uint64_t failed = 0;
  uint64_t refused = 0;
  Histogram latency{4};

  void Merge(const Second& other);
};

struct Tally {
  // Of the units that were meant to start in the window:
  uint64_t done = 0;  // the server accepted: see Mode
  Counts failures;    // what should not have been; of others too that failed since its begin
  std::array<Counts, kNumBadKinds> refused;  // bad clients, refused as they should be
  Histogram latency;  // of those done, from the intended start; at least, of those not done in time
  Histogram start_delay;     // of all that started: behind the intended start
  uint64_t late = 0;         // of those, by more than kLateNs
  uint64_t not_started = 0;  // in time: the window was over before their turn came
  uint64_t unfinished = 0;   // given up after an interrupt
  std::vector<StepTally> steps;

  // Of the accepted connections and answers among them:
  uint64_t handshakes = 0;
  uint64_t resumed = 0;
  uint64_t offered = 0;  // tickets; those not resumed with were declined
  Counts negotiated;     // by cipher and group
  uint64_t requests = 0;
  uint64_t received_bytes = 0;  // of bodies
  uint64_t sent_bytes = 0;      // likewise
  Histogram full_handshake;     // connect to our side complete
  Histogram resumed_handshake;  // likewise
  Histogram request;            // request to whole answer

  uint64_t ended = 0;               // since the window's begin: what own CPU is told for
  uint64_t ended_in_window = 0;     // done, whenever they started: what the rate counts
  uint64_t received_in_window = 0;  // bytes of bodies, by the same rule
  uint64_t sent_in_window = 0;
  uint64_t server_closed = 0;  // kept connections between requests, opened again
  uint64_t held = 0;           // connections held idle
  uint64_t alive = 0;          // of those, answered a request at the end

  static constexpr int64_t kLateNs = 1'000'000;

  void Merge(const Tally& other);
  [[nodiscard]] uint64_t failed() const;
  [[nodiscard]] uint64_t num_refused() const;
  // cut_short: counted units in `latency` of which no more is known than how long they waited.
  [[nodiscard]] uint64_t cut_short() const { return not_started + unfinished; }
};

}  // namespace portcullis::bench
