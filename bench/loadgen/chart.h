// Chart: line and bar plots as inline SVG, for a page that loads nothing from elsewhere. Colours
// come from the page's style (classes c0 to c7). Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace portcullis::bench {

// EscapeHtml makes text fit for an element or an attribute.
[[nodiscard]] std::string EscapeHtml(std::string_view text);
// ShortNumber writes a number for people: 1234567 as "1.23M", 0.5 as "0.5".
[[nodiscard]] std::string ShortNumber(double value);

struct Axis {
  std::string title;
  bool log = false;
  // Where it is labelled, and how; empty: at round values.
  std::vector<std::pair<double, std::string>> labels = {};
};

struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;  // by x; on a log axis those <= 0 are left out
};

struct LinePlot {
  std::string title;
  Axis x;
  Axis y;
  std::vector<Series> series;
  std::optional<double> shade_until;  // the warm-up, on the x axis
};
[[nodiscard]] std::string ToSvg(const LinePlot& plot);

struct BarPlot {
  std::string title;
  std::string unit;
  std::vector<std::pair<std::string, double>> bars;  // label and value, not below zero
};
[[nodiscard]] std::string ToSvg(const BarPlot& plot);

// RoundTicks returns at most about `most` round values from `low` to `high`; the powers of ten (and
// 2 and 5 of them where there is room) on a log axis.
[[nodiscard]] std::vector<double> RoundTicks(double low, double high, bool log, int most);

}  // namespace portcullis::bench
