#include "metrics/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <thread>
#include <vector>

namespace portcullis::metrics {
namespace {

HistogramSnapshot Snapshot(const Histogram& histogram) {
  HistogramSnapshot snapshot;
  histogram.MergeInto(snapshot);
  return snapshot;
}

// Log-uniform from 100 ns to 1000 s: below the lowest edge and above the highest too.
uint64_t RandomDuration(std::mt19937_64& random) {
  return static_cast<uint64_t>(
      std::pow(10.0, std::uniform_real_distribution<double>(2, 12)(random)));
}

TEST(HistogramLayout, EdgesRiseAndEachIsTheLastOfItsBucket) {
  for (size_t i = 0; i + 1 < kNumBuckets; ++i) {
    const uint64_t edge = UpperEdgeNs(i);
    EXPECT_EQ(BucketIndex(edge), i) << "edge " << edge;
    EXPECT_EQ(BucketIndex(edge + 1), i + 1) << "edge " << edge;
    EXPECT_TRUE(IsEdge(edge));
    EXPECT_FALSE(IsEdge(edge - 1));
  }
  EXPECT_EQ(UpperEdgeNs(0), 1'000u);
  EXPECT_EQ(UpperEdgeNs(kNumBuckets - 2), 100'000'000'000u);
}

TEST(HistogramLayout, NoBucketIsWiderThanAnEighthOfItsLowerEdge) {
  for (size_t i = 1; i + 1 < kNumBuckets; ++i) {
    const uint64_t lower = UpperEdgeNs(i - 1);
    EXPECT_LE((UpperEdgeNs(i) - lower) * 8, lower) << "bucket " << i;
  }
}

TEST(HistogramLayout, BoundsThatPeopleWriteAreEdges) {
  for (uint64_t decade = 1'000; decade < 100'000'000'000; decade *= 10) {
    for (const uint64_t tenths : {10u, 15u, 20u, 25u, 30u, 50u, 75u}) {
      EXPECT_TRUE(IsEdge(decade / 10 * tenths)) << decade / 10 * tenths;
    }
  }
}

TEST(HistogramLayout, EveryDurationLiesInItsBucket) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t ns = RandomDuration(random);
    const size_t bucket = BucketIndex(ns);
    ASSERT_LT(bucket, kNumBuckets);
    ASSERT_LE(ns, UpperEdgeNs(bucket));
    ASSERT_TRUE(bucket == 0 || ns > UpperEdgeNs(bucket - 1)) << ns;
  }
}

TEST(Histogram, CountsAtAnEdgeIncludeTheEdge) {
  Histogram histogram;
  histogram.Record(999'999);
  histogram.Record(1'000'000);
  histogram.Record(1'000'001);
  const HistogramSnapshot snapshot = Snapshot(histogram);
  EXPECT_EQ(snapshot.CountAtMost(1'000'000), 2u);
  EXPECT_EQ(snapshot.CountAtMost(900'000), 0u);
  EXPECT_EQ(snapshot.Count(), 3u);
  EXPECT_EQ(snapshot.sum_ns, 3'000'000u);
}

TEST(Histogram, TakesZeroNegativeAndEndlessDurations) {
  Histogram histogram;
  histogram.Record(0);
  histogram.Record(-5);
  histogram.Record(std::numeric_limits<int64_t>::max());
  const HistogramSnapshot snapshot = Snapshot(histogram);
  EXPECT_EQ(snapshot.CountAtMost(1'000), 2u);
  EXPECT_EQ(snapshot.CountAtMost(100'000'000'000), 2u);
  EXPECT_EQ(snapshot.Count(), 3u);
  EXPECT_EQ(snapshot.sum_ns, static_cast<uint64_t>(std::numeric_limits<int64_t>::max()));
}

TEST(HistogramDeathTest, CountingAtWhatIsNoEdgeIsABug) {
  const HistogramSnapshot snapshot;
  EXPECT_DEATH((void)snapshot.CountAtMost(1'234'567), "IsEdge");
}

TEST(Histogram, QuantilesAreAtMostAnEighthAboveTheTruth) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  std::lognormal_distribution<double> handshake(std::log(2e6), 0.8);  // around 2 ms
  Histogram histogram;
  std::vector<uint64_t> durations;
  for (int i = 0; i < 20'000; ++i) {
    durations.push_back(static_cast<uint64_t>(std::clamp(handshake(random), 1e3, 1e11)));
    histogram.Record(static_cast<int64_t>(durations.back()));
  }
  std::sort(durations.begin(), durations.end());
  const HistogramSnapshot snapshot = Snapshot(histogram);
  for (const double q : {0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = std::max<size_t>(
        1, static_cast<size_t>(std::ceil(q * static_cast<double>(durations.size()))));
    const uint64_t truth = durations[rank - 1];
    EXPECT_GE(snapshot.Quantile(q), truth) << "q " << q;
    EXPECT_LE(snapshot.Quantile(q), truth + truth / 8 + 1) << "q " << q;
  }
}

TEST(Histogram, QuantileOfNothingIsZeroAndOfTheEndlessIsTheHighestEdge) {
  Histogram histogram;
  EXPECT_EQ(Snapshot(histogram).Quantile(0.5), 0u);
  histogram.Record(500'000'000'000);
  EXPECT_EQ(Snapshot(histogram).Quantile(0.5), 100'000'000'000u);
}

TEST(Histogram, MergingAddsCountsAndSums) {
  Histogram one;
  Histogram two;
  one.Record(2'000'000);
  two.Record(2'000'000);
  two.Record(5'000'000'000);
  HistogramSnapshot merged = Snapshot(one);
  merged.Merge(Snapshot(two));
  EXPECT_EQ(merged.CountAtMost(2'000'000), 2u);
  EXPECT_EQ(merged.Count(), 3u);
  EXPECT_EQ(merged.sum_ns, 5'004'000'000u);
}

TEST(Histogram, SnapshotsTakenWhileRecordingNeverFallAndEndComplete) {
  constexpr uint64_t kTotal = 50'000;
  Histogram histogram;
  std::thread writer([&] {
    for (uint64_t i = 0; i < kTotal; ++i) histogram.Record(static_cast<int64_t>(i * 1'000));
  });
  uint64_t last = 0;
  while (last < kTotal) {
    const uint64_t count = Snapshot(histogram).Count();
    ASSERT_GE(count, last);
    ASSERT_LE(count, kTotal);
    last = count;
  }
  writer.join();
  EXPECT_EQ(Snapshot(histogram).sum_ns, kTotal * (kTotal - 1) / 2 * 1'000);
}

}  // namespace
}  // namespace portcullis::metrics
