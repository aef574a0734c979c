// What the server's calls of a handshake in memory take: the client's part, in the same thread, is
// left out. For benchmarks with manual time; one thread.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <ctime>

#include "bench/micro/allocations.h"

namespace portcullis::bench {

// CPU time of this thread: what a neighbour on the machine takes does not count.
struct ThreadCpu {
  using Duration = std::chrono::nanoseconds;
  static Duration Now() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + Duration(now.tv_nsec);
  }
};

// What the server has spent, on one connection or on all of them.
struct Spent {
  ThreadCpu::Duration time{};
  Allocations allocations;
};

// Timed does `work`, which is the server's, and adds what it took to `spent`.
template <typename F>
void Timed(Spent& spent, F&& work) {
  const Allocations before = AllocationsSoFar();
  const ThreadCpu::Duration start = ThreadCpu::Now();
  work();
  spent.time += ThreadCpu::Now() - start;
  const Allocations after = AllocationsSoFar();
  spent.allocations.count += after.count - before.count;
  spent.allocations.bytes += after.bytes - before.bytes;
}

// Handshakes does one handshake an iteration and reports its time, and allocations and bytes beside
// it. `handshake`: bool(Spent&), false if it failed.
template <typename F>
void Handshakes(benchmark::State& state, F&& handshake) {
  Allocations all;
  for (auto _ : state) {
    Spent spent;
    if (!handshake(spent)) {
      state.SkipWithError("the handshake failed");
      break;
    }
    state.SetIterationTime(std::chrono::duration<double>(spent.time).count());
    all.count += spent.allocations.count;
    all.bytes += spent.allocations.bytes;
  }
  const auto runs = static_cast<double>(state.iterations());
  state.counters["allocs"] = static_cast<double>(all.count) / runs;
  state.counters["bytes"] = static_cast<double>(all.bytes) / runs;
}

}  // namespace portcullis::bench
