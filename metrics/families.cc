#include "metrics/families.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

#include "metrics/check.h"
#include "metrics/utf8.h"

namespace portcullis::metrics {
namespace {

constexpr double kNsPerSecond = 1e9;

prometheus::MetricType ToPrometheus(Type type) {
  switch (type) {
    case Type::kCounter:
      return prometheus::MetricType::Counter;
    case Type::kGauge:
      return prometheus::MetricType::Gauge;
    case Type::kHistogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

std::vector<prometheus::ClientMetric::Label> Labels(Metric metric, Families::LabelValues values) {
  const std::string names(Info(metric).labels);
  std::vector<prometheus::ClientMetric::Label> labels;
  for (const absl::string_view name : absl::StrSplit(names, ',', absl::SkipEmpty())) {
    labels.emplace_back().name = std::string(name);
  }
  METRICS_CHECK(labels.size() == values.size());
  auto value = values.begin();
  for (prometheus::ClientMetric::Label& label : labels) label.value = SanitizeUtf8(*value++);
  return labels;
}

}  // namespace

Families::Families() {
  families_.reserve(kNumMetrics);
  for (const MetricInfo& info : Catalogue()) {
    prometheus::MetricFamily& family = families_.emplace_back();
    family.name = std::string(info.name);
    family.help = std::string(info.help);
    family.type = ToPrometheus(info.type);
  }
}

prometheus::ClientMetric& Families::Series(Metric metric, LabelValues labels) {
  prometheus::ClientMetric& series = families_[static_cast<size_t>(metric)].metric.emplace_back();
  series.label = Labels(metric, labels);
  return series;
}

void Families::Number(Metric metric, LabelValues labels, double value) {
  const Type type = Info(metric).type;
  METRICS_CHECK(type != Type::kHistogram);
  prometheus::ClientMetric& series = Series(metric, labels);
  if (type == Type::kCounter) {
    series.counter.value = value;
  } else {
    series.gauge.value = value;
  }
}

void Families::Durations(Metric metric, LabelValues labels, const HistogramSnapshot& snapshot) {
  const MetricInfo& info = Info(metric);
  METRICS_CHECK(info.type == Type::kHistogram);
  prometheus::ClientMetric::Histogram& histogram = Series(metric, labels).histogram;
  histogram.sample_count = snapshot.Count();
  histogram.sample_sum = static_cast<double>(snapshot.sum_ns) / kNsPerSecond;
  histogram.bucket.reserve(info.bounds_ns.size() + 1);
  for (const uint64_t bound_ns : info.bounds_ns) {
    prometheus::ClientMetric::Bucket& bucket = histogram.bucket.emplace_back();
    bucket.cumulative_count = snapshot.CountAtMost(bound_ns);
    bucket.upper_bound = static_cast<double>(bound_ns) / kNsPerSecond;
  }
  prometheus::ClientMetric::Bucket& all = histogram.bucket.emplace_back();
  all.cumulative_count = histogram.sample_count;
  all.upper_bound = std::numeric_limits<double>::infinity();
}

bool Families::HasSeries(Metric metric, LabelValues labels) const {
  const std::vector<prometheus::ClientMetric::Label> wanted = Labels(metric, labels);
  const auto& series = families_[static_cast<size_t>(metric)].metric;
  return std::any_of(series.begin(), series.end(),
                     [&](const auto& one) { return one.label == wanted; });
}

std::vector<prometheus::MetricFamily> Families::Take() && { return std::move(families_); }

}  // namespace portcullis::metrics
