// What a worker's loop costs apart from its work: recording a duration, a completion through the
// ring and back to its object, deadlines on the timer wheel.
#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "bench/micro/report.h"
#include "io/slab.h"
#include "io/timer_wheel.h"
#include "io/token.h"
#include "io/uring_ring.h"
#include "metrics/histogram.h"

namespace portcullis::bench {
namespace {

void HistogramRecord(benchmark::State& state) {
  const auto histogram = std::make_unique<metrics::Histogram>();
  uint64_t draw = 1;
  const CountingScope counting(state);
  for (auto _ : state) {
    draw = draw * 6'364'136'223'846'793'005 + 1'442'695'040'888'963'407;
    histogram->Record(static_cast<int64_t>(draw >> 32));  // all sizes up to 4 s
  }
}

void HistogramMerge(benchmark::State& state) {
  const auto histogram = std::make_unique<metrics::Histogram>();
  histogram->Record(1'000'000);
  metrics::HistogramSnapshot snapshot;
  const CountingScope counting(state);
  for (auto _ : state) histogram->MergeInto(snapshot);
  benchmark::DoNotOptimize(snapshot.sum_ns);
}

struct Slot {
  uint32_t slot = 0;
  uint32_t generation = 0;
  Slot* next_free = nullptr;
  uint64_t completions = 0;
};

// A turn of `range` completions (of no-ops): submitted, reaped, decoded, and their slots found.
void RingTurn(benchmark::State& state) {
  auto ring = io::UringRing::Create({.sq_entries = 1024, .cq_entries = 4096});
  if (!ring.ok()) {
    state.SkipWithError("no io_uring here");
    return;
  }
  const auto batch = static_cast<uint32_t>(state.range(0));
  io::Slab<Slot> slab(batch);
  std::vector<Slot*> slots;
  for (uint32_t i = 0; i < batch; ++i) slots.push_back(slab.Take());
  std::array<io::Cqe, 1024> cqes;
  const CountingScope counting(state);
  for (auto _ : state) {
    for (const Slot* slot : slots) {
      io_uring_sqe* const sqe = (*ring)->GetSqe();
      io_uring_prep_nop(sqe);
      const io::Token token{.generation = slot->generation, .slot = slot->slot};
      sqe->user_data = token.Encode();
    }
    for (uint32_t seen = 0; seen < batch;) {
      const int count = (*ring)->SubmitAndReap(std::chrono::seconds(1), cqes);
      for (int i = 0; i < count; ++i) {
        const io::Token token = io::Token::Decode(cqes[static_cast<size_t>(i)].user_data);
        ++slab.Find(token.slot, token.generation)->completions;
      }
      seen += static_cast<uint32_t>(count);
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * batch);
}

// A connection's timer among `range` others: armed, moved twice as bytes come, cancelled.
void TimerArmMoveCancel(benchmark::State& state) {
  const auto wheel = std::make_unique<io::TimerWheel>(0);
  std::vector<io::TimerNode> others(static_cast<size_t>(state.range(0)));
  for (size_t i = 0; i < others.size(); ++i) wheel->Arm(others[i], 1 + i * 7 % 60'000);
  io::TimerNode node;
  {
    const CountingScope counting(state);
    for (auto _ : state) {
      wheel->Arm(node, 10'000);
      wheel->Arm(node, 10'100);
      wheel->Arm(node, 60'000);
      wheel->Cancel(node);
    }
  }
  for (io::TimerNode& other : others) wheel->Cancel(other);
}

// A tick of the wheel with `range` connections whose deadlines are lazily moved: each node that
// comes up is armed anew, a minute away.
void TimerAdvance(benchmark::State& state) {
  const auto wheel = std::make_unique<io::TimerWheel>(0);
  std::vector<io::TimerNode> nodes(static_cast<size_t>(state.range(0)));
  for (size_t i = 0; i < nodes.size(); ++i) wheel->Arm(nodes[i], 1 + i * 7 % 60'000);
  io::Millis now = 0;
  {
    const CountingScope counting(state);
    for (auto _ : state) {
      now += io::TimerWheel::kTickMs;
      wheel->Advance(now, [&](io::TimerNode& node) { wheel->Arm(node, now + 60'000); });
    }
  }
  for (io::TimerNode& node : nodes) wheel->Cancel(node);
}

BENCHMARK(HistogramRecord);
BENCHMARK(HistogramMerge);
BENCHMARK(RingTurn)->Arg(1)->Arg(32)->Arg(256);
BENCHMARK(TimerArmMoveCancel)->Arg(0)->Arg(15'000);
BENCHMARK(TimerAdvance)->Arg(1'000)->Arg(15'000);

}  // namespace
}  // namespace portcullis::bench
