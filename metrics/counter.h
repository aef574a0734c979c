// Counter and Gauge: numbers with one writing thread (a worker) and any number of readers (the
// admin threads). A write is a relaxed load and a relaxed store: no locked instruction, no fence.
// Two writers would lose updates: do not. Owned by a shard. They order nothing: a reader may see
// one number newer than another.
#pragma once

#include <atomic>
#include <cstdint>

namespace portcullis::metrics {

class Counter {
 public:
  Counter() = default;
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  // Add adds `n`. The writer only.
  void Add(uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }

  // MirrorTotal sets the counter to a total that is counted elsewhere by the same thread (a ring's
  // own counters). The totals given must never fall. The writer only.
  void MirrorTotal(uint64_t total) { value_.store(total, std::memory_order_relaxed); }

  // value returns the total so far. Any thread.
  [[nodiscard]] uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Gauge {
 public:
  Gauge() = default;
  Gauge(const Gauge&) = delete;
  Gauge& operator=(const Gauge&) = delete;

  // Add adds `n`, which may be negative. The writer only.
  void Add(int64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void Sub(int64_t n = 1) { Add(-n); }

  // Set replaces the value. The writer only.
  void Set(int64_t value) { value_.store(value, std::memory_order_relaxed); }

  // value returns the current value. Any thread.
  [[nodiscard]] int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

static_assert(std::atomic<uint64_t>::is_always_lock_free);

}  // namespace portcullis::metrics
