// Histogram: durations counted by one writing thread into fixed log-linear buckets
// (histogram_layout.h). Recording is O(1), allocates nothing and takes no lock; any thread may take
// a snapshot meanwhile. HistogramSnapshot: a plain copy, which can be merged with those of other
// workers and asked for counts and quantiles.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "metrics/counter.h"
#include "metrics/histogram_layout.h"

namespace portcullis::metrics {

struct HistogramSnapshot {
  std::array<uint64_t, kNumBuckets> buckets{};
  uint64_t sum_ns = 0;

  // Merge adds what `other` counted.
  void Merge(const HistogramSnapshot& other);

  // Count returns how many durations were recorded.
  [[nodiscard]] uint64_t Count() const;

  // CountAtMost returns how many were <= `edge_ns`, which must be an edge (IsEdge): anything else
  // is our own bug.
  [[nodiscard]] uint64_t CountAtMost(uint64_t edge_ns) const;

  // Quantile returns the upper edge in nanoseconds of the bucket in which the `q`-quantile lies, 0
  // <= q <= 1: at most 12.5 % above the true value between 1 us and 100 s. 0 when nothing was
  // recorded; beyond 100 s, 100 s.
  [[nodiscard]] uint64_t Quantile(double q) const;
};

class Histogram {
 public:
  Histogram() = default;
  Histogram(const Histogram&) = delete;
  Histogram& operator=(const Histogram&) = delete;

  // Record counts a duration in nanoseconds. A negative one (a clock that went back) counts as 0.
  // The writer only.
  void Record(int64_t nanoseconds) {
    const uint64_t ns = nanoseconds > 0 ? static_cast<uint64_t>(nanoseconds) : 0;
    buckets_[BucketIndex(ns)].Add();
    sum_ns_.Add(ns);
  }

  // MergeInto adds this histogram to `out`. Any thread. The buckets are read one by one while the
  // writer goes on, so the sum may lag or lead the count by what was recorded meanwhile; the count
  // is always that of the buckets.
  void MergeInto(HistogramSnapshot& out) const;

 private:
  std::array<Counter, kNumBuckets> buckets_{};
  Counter sum_ns_;
};

}  // namespace portcullis::metrics
