#include "metrics/families.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

namespace portcullis::metrics {
namespace {

const prometheus::MetricFamily& Family(const std::vector<prometheus::MetricFamily>& families,
                                       Metric metric) {
  return families[static_cast<size_t>(metric)];
}

TEST(Families, TakeNamesTypesAndLabelsFromTheCatalogue) {
  Families families;
  families.Number(Metric::kHandshakeRejections, {"edge", "expired"}, 3);
  families.Number(Metric::kWorkers, {}, 2);
  const auto taken = std::move(families).Take();
  const prometheus::MetricFamily& rejections = Family(taken, Metric::kHandshakeRejections);
  EXPECT_EQ(rejections.name, "portcullis_handshake_rejections_total");
  EXPECT_EQ(rejections.type, prometheus::MetricType::Counter);
  ASSERT_EQ(rejections.metric.size(), 1u);
  EXPECT_EQ(rejections.metric[0].label[0].name, "listener");
  EXPECT_EQ(rejections.metric[0].label[0].value, "edge");
  EXPECT_EQ(rejections.metric[0].label[1].name, "reason");
  EXPECT_EQ(rejections.metric[0].label[1].value, "expired");
  EXPECT_EQ(rejections.metric[0].counter.value, 3);
  EXPECT_EQ(Family(taken, Metric::kWorkers).metric[0].gauge.value, 2);
}

TEST(Families, HistogramsAreCumulativeAndEndAtInfinity) {
  HistogramSnapshot snapshot;
  snapshot.buckets[BucketIndex(200'000)] = 1;
  snapshot.buckets[BucketIndex(1'000'000)] = 2;
  snapshot.buckets[BucketIndex(50'000'000'000)] = 4;
  snapshot.sum_ns = 1'500'000'000;
  Families families;
  families.Durations(Metric::kHandshakeDuration, {"edge", "ok", "1.3", "false"}, snapshot);
  const auto taken = std::move(families).Take();
  const auto& histogram = Family(taken, Metric::kHandshakeDuration).metric[0].histogram;
  EXPECT_EQ(histogram.sample_count, 7u);
  EXPECT_DOUBLE_EQ(histogram.sample_sum, 1.5);
  EXPECT_EQ(histogram.bucket.front().upper_bound, 0.0001);
  EXPECT_EQ(histogram.bucket.front().cumulative_count, 0u);
  for (size_t i = 1; i < histogram.bucket.size(); ++i) {
    EXPECT_GT(histogram.bucket[i].upper_bound, histogram.bucket[i - 1].upper_bound);
    EXPECT_GE(histogram.bucket[i].cumulative_count, histogram.bucket[i - 1].cumulative_count);
    if (histogram.bucket[i].upper_bound == 0.001) {
      EXPECT_EQ(histogram.bucket[i].cumulative_count, 3u);
    }
    if (histogram.bucket[i].upper_bound == 10) {
      EXPECT_EQ(histogram.bucket[i].cumulative_count, 3u);
    }
  }
  EXPECT_TRUE(std::isinf(histogram.bucket.back().upper_bound));
  EXPECT_EQ(histogram.bucket.back().cumulative_count, 7u);
}

TEST(Families, InvalidUtf8InLabelsIsReplaced) {
  Families families;
  families.Number(Metric::kCrlNextUpdate, {"t", "CN=\xFF"}, 1);
  EXPECT_TRUE(families.HasSeries(Metric::kCrlNextUpdate, {"t", "CN=\xEF\xBF\xBD"}));
  EXPECT_TRUE(families.HasSeries(Metric::kCrlNextUpdate, {"t", "CN=\xFE"}))
      << "what it would become counts";
  EXPECT_FALSE(families.HasSeries(Metric::kCrlNextUpdate, {"u", "CN=\xFF"}));
}

TEST(FamiliesDeathTest, LabelsMustMatchTheCatalogue) {
  Families families;
  EXPECT_DEATH(families.Number(Metric::kHandshakeRejections, {"edge"}, 1), "labels");
  EXPECT_DEATH(families.Number(Metric::kHandshakeDuration, {"e", "ok", "1.3", "true"}, 1),
               "kHistogram");
}

}  // namespace
}  // namespace portcullis::metrics
