#include "metrics/histogram.h"

#include <cmath>

#include "metrics/check.h"

namespace portcullis::metrics {

void HistogramSnapshot::Merge(const HistogramSnapshot& other) {
  for (size_t i = 0; i < kNumBuckets; ++i) buckets[i] += other.buckets[i];
  sum_ns += other.sum_ns;
}

uint64_t HistogramSnapshot::Count() const {
  uint64_t count = 0;
  for (const uint64_t bucket : buckets) count += bucket;
  return count;
}

uint64_t HistogramSnapshot::CountAtMost(uint64_t edge_ns) const {
  METRICS_CHECK(IsEdge(edge_ns));
  const size_t last = BucketIndex(edge_ns);
  uint64_t count = 0;
  for (size_t i = 0; i <= last; ++i) count += buckets[i];
  return count;
}

uint64_t HistogramSnapshot::Quantile(double q) const {
  METRICS_CHECK(q >= 0 && q <= 1);
  const uint64_t count = Count();
  if (count == 0) return 0;
  // The rank of the value asked for, from 1. Compared as a double: counts stay far below 2^53.
  const double rank = std::fmax(1.0, std::ceil(q * static_cast<double>(count)));
  uint64_t seen = 0;
  for (size_t i = 0; i < kNumBuckets - 1; ++i) {
    seen += buckets[i];
    if (static_cast<double>(seen) >= rank) return UpperEdgeNs(i);
  }
  return UpperEdgeNs(kNumBuckets - 2);
}

void Histogram::MergeInto(HistogramSnapshot& out) const {
  for (size_t i = 0; i < kNumBuckets; ++i) out.buckets[i] += buckets_[i].value();
  out.sum_ns += sum_ns_.value();
}

}  // namespace portcullis::metrics
