// Result: a merged tally and its circumstances, as text for people and as JSON for programs (and
// for the HTML report, which is made of nothing else). Values; any thread.
#pragma once

#include <ctime>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "bench/loadgen/options.h"
#include "bench/loadgen/tally.h"

namespace portcullis::bench {

struct Result {
  Options options;
  time_t started = 0;  // by the wall clock
  Tally tally;
  std::vector<Second> timeline;  // from the warm-up's begin
  double seconds = 0;            // of the window
  bool interrupted = false;      // by a signal, before it was over
  double cpu_seconds = 0;        // of this process, from the window's begin to the last unit's end
};

// PerSecond is the rate at which the server did what was asked: done in the window, by its length.
[[nodiscard]] double PerSecond(const Result& result);
// OwnCpuMicros is what a unit cost this process, whatever came of it.
[[nodiscard]] double OwnCpuMicros(const Result& result);

// MegabytesPerSecond is that of bodies: `all` when the run was counted out, else those in the
// window.
[[nodiscard]] double MegabytesPerSecond(const Result& result, uint64_t all, uint64_t in_window);

// ExitCode is the exit status that tells what came of it, the first of these that applies: 130 for
// an interrupted run, 3 for clients that had to be refused and were accepted, 1 where nothing came
// about that was wanted (of idle connections: where none is alive at the end), else 0.
[[nodiscard]] int ExitCode(const Result& result);

[[nodiscard]] std::string ToText(const Result& result);
// ToJson's times are in microseconds where a name ends in _us, else in seconds.
[[nodiscard]] nlohmann::json ToJson(const Result& result);

}  // namespace portcullis::bench
