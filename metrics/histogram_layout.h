// The buckets of a Histogram: log-linear in decimal, so that the bounds people write (0.1 ms, 2.5
// s) are exact edges. A decade [1, 10) is cut at 1.0, 1.1 .. 2.0, 2.25 .. 5.0, 5.5 .. 10: 32
// buckets, none wider than 12.5 % of its lower edge. Eight decades, from 1 us to 100 s; one bucket
// below (whose width is 1 us) and one above. Buckets are (lower, upper], as Prometheus' `le` means
// it. Constant functions, any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace portcullis::metrics {

inline constexpr size_t kDecades = 8;
inline constexpr size_t kBucketsPerDecade = 32;
inline constexpr uint64_t kLowestEdgeNs = 1'000;  // 1 us
// Bucket 0 is (0, 1 us], with 0 itself; the last is (100 s, infinity).
inline constexpr size_t kNumBuckets = kDecades * kBucketsPerDecade + 2;

namespace internal {

// Powers of ten from the lowest edge to the highest.
inline constexpr std::array<uint64_t, kDecades + 1> kDecadeNs = [] {
  std::array<uint64_t, kDecades + 1> decades{};
  uint64_t edge = kLowestEdgeNs;
  for (uint64_t& decade : decades) {
    decade = edge;
    edge *= 10;
  }
  return decades;
}();

// Upper edges within a decade, in fortieths of its lower end (a step is 4, 10 or 20 of them).
inline constexpr uint64_t FortiethsAbove(size_t step) {
  if (step < 10) return 40 + 4 * (step + 1);
  if (step < 22) return 80 + 10 * (step - 9);
  return 200 + 20 * (step - 21);
}

}  // namespace internal

// UpperEdgeNs returns the inclusive upper edge of `bucket` in nanoseconds; UINT64_MAX for the last.
[[nodiscard]] constexpr uint64_t UpperEdgeNs(size_t bucket) {
  if (bucket == 0) return kLowestEdgeNs;
  if (bucket >= kNumBuckets - 1) return UINT64_MAX;
  const size_t decade = (bucket - 1) / kBucketsPerDecade;
  const size_t step = (bucket - 1) % kBucketsPerDecade;
  return internal::kDecadeNs[decade] / 40 * internal::FortiethsAbove(step);
}

// BucketIndex returns the bucket that `ns` nanoseconds falls into.
[[nodiscard]] constexpr size_t BucketIndex(uint64_t ns) {
  if (ns <= kLowestEdgeNs) return 0;
  const uint64_t below = ns - 1;  // turns (lower, upper] into [lower, upper)
  if (below >= internal::kDecadeNs[kDecades]) return kNumBuckets - 1;
  size_t decade = 0;
  while (below >= internal::kDecadeNs[decade + 1]) ++decade;
  const uint64_t fortieths = below / (internal::kDecadeNs[decade] / 40);
  uint64_t step = 0;
  if (fortieths < 80) {
    step = (fortieths - 40) / 4;
  } else if (fortieths < 200) {
    step = 10 + (fortieths - 80) / 10;
  } else {
    step = 22 + (fortieths - 200) / 20;
  }
  return 1 + decade * kBucketsPerDecade + static_cast<size_t>(step);
}

// IsEdge tells whether `ns` is the upper edge of a bucket, so that what is counted up to it is
// exact.
[[nodiscard]] constexpr bool IsEdge(uint64_t ns) { return UpperEdgeNs(BucketIndex(ns)) == ns; }

}  // namespace portcullis::metrics
