#include "bench/loadgen/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace portcullis::bench {
namespace {

TEST(Histogram, SmallValuesAreExact) {
  Histogram histogram;
  for (uint64_t value = 1; value <= 10; ++value) histogram.Record(value);
  EXPECT_EQ(histogram.Quantile(0.5), 5U);
  EXPECT_EQ(histogram.Quantile(0.51), 6U);
  EXPECT_EQ(histogram.Quantile(0.9), 9U);
  EXPECT_EQ(histogram.Quantile(0.99), 10U);
  EXPECT_EQ(histogram.Quantile(1.0), 10U);
  EXPECT_EQ(histogram.Quantile(0.0), 1U);
  EXPECT_EQ(histogram.count(), 10U);
  EXPECT_DOUBLE_EQ(histogram.mean(), 5.5);
}

TEST(Histogram, EmptyIsZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.Quantile(0.5), 0U);
  EXPECT_EQ(histogram.max(), 0U);
  EXPECT_EQ(histogram.mean(), 0);
}

TEST(Histogram, TheMaximumIsExactAndHugeValuesAreCapped) {
  Histogram histogram;
  histogram.Record(123'456'789);
  EXPECT_EQ(histogram.Quantile(1.0), 123'456'789U);
  histogram.Record(UINT64_MAX);
  EXPECT_EQ(histogram.max(), Histogram::kMost);
}

TEST(Histogram, QuantilesAreWithinABucketOfTheTruth) {
  constexpr uint64_t kSeed = 7;
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  std::lognormal_distribution<double> draw(14, 2);
  for (const int bits : {4, 7}) {
    Histogram histogram(bits);
    std::vector<uint64_t> values;
    for (int i = 0; i < 20'000; ++i) {
      values.push_back(static_cast<uint64_t>(draw(random)));
      histogram.Record(values.back());
    }
    std::sort(values.begin(), values.end());
    for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999}) {
      const auto rank = static_cast<size_t>(std::ceil(share * 20'000.0));
      const auto truth = static_cast<double>(values[rank - 1]);
      const auto found = static_cast<double>(histogram.Quantile(share));
      EXPECT_GE(found, truth);
      EXPECT_LE(found, truth * (1 + 1.0 / (1 << bits)) + 1) << share << ", " << bits << " bits";
    }
  }
}

TEST(Histogram, MergingIsRecordingInOne) {
  Histogram one;
  Histogram other;
  Histogram both;
  for (uint64_t value = 1; value < 100'000; value = value * 3 / 2 + 1) {
    (value % 2 == 0 ? one : other).Record(value);
    both.Record(value);
  }
  one.Merge(other);
  EXPECT_EQ(one.count(), both.count());
  EXPECT_EQ(one.max(), both.max());
  for (double share = 0; share <= 1; share += 0.05)
    EXPECT_EQ(one.Quantile(share), both.Quantile(share));
}

}  // namespace
}  // namespace portcullis::bench
