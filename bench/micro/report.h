// CountingScope: what a benchmark's loop asked malloc for, reported beside its time as "allocs" and
// "bytes" an iteration. Lives around the loop, on its thread.
#pragma once

#include <benchmark/benchmark.h>

#include "bench/micro/allocations.h"

namespace portcullis::bench {

class CountingScope {
 public:
  explicit CountingScope(benchmark::State& state) : state_(state), before_(AllocationsSoFar()) {}
  ~CountingScope() {
    const Allocations after = AllocationsSoFar();
    const auto runs = static_cast<double>(state_.iterations());
    if (runs == 0) return;
    state_.counters["allocs"] = static_cast<double>(after.count - before_.count) / runs;
    state_.counters["bytes"] = static_cast<double>(after.bytes - before_.bytes) / runs;
  }
  CountingScope(const CountingScope&) = delete;
  CountingScope& operator=(const CountingScope&) = delete;

 private:
  benchmark::State& state_;
  Allocations before_;
};

}  // namespace portcullis::bench
