// Families: prometheus-cpp metric families under construction, one a row of the catalogue, so that
// names, types and labels can come from nowhere else. A value on the stack of the thread that
// collects.
#pragma once

#include <prometheus/metric_family.h>

#include <initializer_list>
#include <string_view>
#include <vector>

#include "metrics/catalogue.h"
#include "metrics/histogram.h"

namespace portcullis::metrics {

class Families {
 public:
  // Every family of the catalogue, without series.
  Families();

  // The values of a series' labels, in the order of the catalogue. Invalid UTF-8 is replaced (a
  // scrape with any is refused as a whole).
  using LabelValues = std::initializer_list<std::string_view>;

  // Number adds a series of a counter or gauge; Durations one of a histogram of durations, in
  // seconds.
  void Number(Metric metric, LabelValues labels, double value);
  void Durations(Metric metric, LabelValues labels, const HistogramSnapshot& snapshot);

  // HasSeries tells whether a series with just these labels is there already.
  [[nodiscard]] bool HasSeries(Metric metric, LabelValues labels) const;

  [[nodiscard]] std::vector<prometheus::MetricFamily> Take() &&;

 private:
  prometheus::ClientMetric& Series(Metric metric, LabelValues labels);

  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace portcullis::metrics
