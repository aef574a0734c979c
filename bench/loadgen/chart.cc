#include "bench/loadgen/chart.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "metrics/utf8.h"

namespace portcullis::bench {
namespace {

// Of a line plot's area, in SVG units.
constexpr double kWidth = 640;
constexpr double kHeight = 300;
constexpr double kLeft = 64;
constexpr double kRight = 16;
constexpr double kTop = 28;
constexpr double kBottom = 44;
constexpr size_t kColours = 8;

// Maps values of an axis to its pixels.
class Scale {
 public:
  Scale(const Axis& axis, double low, double high, double from, double to)
      : log_(axis.log), low_(Of(low)), high_(Of(high)), from_(from), to_(to) {
    if (high_ <= low_) high_ = low_ + 1;
  }
  [[nodiscard]] double At(double value) const {
    return from_ + (Of(value) - low_) / (high_ - low_) * (to_ - from_);
  }

 private:
  [[nodiscard]] double Of(double value) const { return log_ ? std::log10(value) : value; }
  bool log_;
  double low_;
  double high_;
  double from_;
  double to_;
};

struct Range {
  double low = 0;
  double high = 1;
};

// What an axis must span; `zero`: from zero on, unless it is logarithmic.
template <typename Coordinate>
Range Span(const LinePlot& plot, const Axis& axis, bool zero, Coordinate coordinate) {
  bool any = false;
  Range range;
  for (const Series& series : plot.series) {
    for (const auto& point : series.points) {
      const double value = coordinate(point);
      if (axis.log && value <= 0) continue;
      range.low = any ? std::min(range.low, value) : value;
      range.high = any ? std::max(range.high, value) : value;
      any = true;
    }
  }
  if (!any) return axis.log ? Range{1, 10} : Range{};
  if (zero && !axis.log) range.low = 0;
  if (axis.log) {
    range.low = std::pow(10, std::floor(std::log10(range.low) * 5) / 5);
    range.high = std::pow(10, std::ceil(std::log10(range.high) * 5) / 5);
  }
  return range;
}

std::vector<std::pair<double, std::string>> LabelsOf(const Axis& axis, const Range& range,
                                                     int most) {
  std::vector<std::pair<double, std::string>> labels;
  for (const auto& label : axis.labels) {
    if (label.first >= range.low && label.first <= range.high) labels.push_back(label);
  }
  if (!axis.labels.empty()) return labels;
  for (const double tick : RoundTicks(range.low, range.high, axis.log, most))
    labels.emplace_back(tick, ShortNumber(tick));
  return labels;
}

std::string Line(double x1, double y1, double x2, double y2, const char* css) {
  return absl::StrFormat("<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' class='%s'/>", x1, y1, x2,
                         y2, css);
}

std::string Text(double x, double y, const char* anchor, const std::string& text) {
  return absl::StrFormat("<text x='%.1f' y='%.1f' text-anchor='%s'>%s</text>", x, y, anchor,
                         EscapeHtml(text));
}

// A text of at most so many characters; the whole of a longer one is shown by pointing at it.
std::string ShortText(double x, double y, const char* anchor, const std::string& text,
                      size_t most) {
  size_t end = 0;        // in bytes
  size_t shortened = 0;  // where to cut, so that there is room for what says so
  for (size_t count = 0; end < text.size() && count < most; ++count) {
    shortened = end;
    const auto rest = std::string_view(text).substr(end);
    end += std::max<size_t>(1, metrics::Utf8SequenceLength(rest));
  }
  if (end == text.size()) return Text(x, y, anchor, text);
  return absl::StrFormat(
      "<text x='%.1f' y='%.1f' text-anchor='%s'>%s\u2026<title>%s</title></text>", x, y, anchor,
      EscapeHtml(text.substr(0, shortened)), EscapeHtml(text));
}

std::string Path(const LinePlot& plot, const Series& series, size_t colour, const Scale& x,
                 const Scale& y) {
  std::vector<std::pair<double, double>> shown;
  for (const auto& [px, py] : series.points) {
    if ((plot.x.log && px <= 0) || (plot.y.log && py <= 0)) continue;
    shown.emplace_back(x.At(px), y.At(py));
  }
  if (shown.empty()) return "";
  if (shown.size() == 1) {  // no line goes through it
    return absl::StrFormat(
        "<circle cx='%.1f' cy='%.1f' r='3' class='dot c%u'><title>%s</title></circle>",
        shown[0].first, shown[0].second, colour % kColours, EscapeHtml(series.name));
  }
  std::string path;
  for (const auto& [at_x, at_y] : shown)
    absl::StrAppendFormat(&path, "%s%.1f %.1f", path.empty() ? "M" : "L", at_x, at_y);
  return absl::StrFormat("<path d='%s' class='line c%u'><title>%s</title></path>", path,
                         colour % kColours, EscapeHtml(series.name));
}

std::string Legend(const LinePlot& plot) {
  std::string legend = "<p class='legend'>";
  for (size_t i = 0; i < plot.series.size(); ++i) {
    absl::StrAppendFormat(&legend, "<span><i class='c%u'></i>%s</span>", i % kColours,
                          EscapeHtml(plot.series[i].name));
  }
  return legend + "</p>";
}

}  // namespace

std::string EscapeHtml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string ShortNumber(double value) {
  const double size = std::fabs(value);
  if (size >= 1e9) return absl::StrFormat("%.3gG", value / 1e9);
  if (size >= 1e6) return absl::StrFormat("%.3gM", value / 1e6);
  if (size >= 1e4) return absl::StrFormat("%.3gk", value / 1e3);
  return size >= 1000 ? absl::StrFormat("%.0f", value) : absl::StrFormat("%.3g", value);
}

std::vector<double> RoundTicks(double low, double high, bool log, int most) {
  std::vector<double> ticks;
  if (log) {
    const bool wide = std::log10(high / low) > 3;
    const int last = static_cast<int>(std::floor(std::log10(high * 1.001)));
    for (int power = static_cast<int>(std::floor(std::log10(low))); power <= last; ++power) {
      for (const double step : {1.0, 2.0, 5.0}) {
        const double tick = std::pow(10, power) * step;
        if ((step == 1.0 || !wide) && tick >= low * 0.999 && tick <= high * 1.001)
          ticks.push_back(tick);
      }
    }
    return ticks;
  }
  if (!(high > low)) return {low};
  const double raw = (high - low) / most;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  double step = power * 10;
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (power * factor >= raw) step = power * factor;
  }
  const auto last = static_cast<int64_t>(std::floor(high * 1.0001 / step));
  for (auto i = static_cast<int64_t>(std::ceil(low / step)); i <= last; ++i)
    ticks.push_back(static_cast<double>(i) * step);
  return ticks;
}

std::string ToSvg(const LinePlot& plot) {
  const Range xs = Span(plot, plot.x, false, [](const auto& point) { return point.first; });
  const Range ys = Span(plot, plot.y, true, [](const auto& point) { return point.second; });
  const Scale x(plot.x, xs.low, xs.high, kLeft, kWidth - kRight);
  const Scale y(plot.y, ys.low, ys.high, kHeight - kBottom, kTop);
  const double bottom = kHeight - kBottom;
  std::string svg =
      absl::StrFormat("<figure><svg viewBox='0 0 %.0f %.0f' role='img'>", kWidth, kHeight);
  absl::StrAppend(&svg, "<title>", EscapeHtml(plot.title), "</title>");
  if (plot.shade_until.has_value() && *plot.shade_until > xs.low) {
    absl::StrAppendFormat(&svg, "<rect x='%.1f' y='%.1f' width='%.1f' height='%.1f' class='warm'/>",
                          kLeft, kTop, x.At(std::min(*plot.shade_until, xs.high)) - kLeft,
                          bottom - kTop);
  }
  for (const auto& [value, label] : LabelsOf(plot.y, ys, 6)) {
    svg += Line(kLeft, y.At(value), kWidth - kRight, y.At(value), "grid");
    svg += Text(kLeft - 6, y.At(value) + 4, "end", label);
  }
  for (const auto& [value, label] : LabelsOf(plot.x, xs, 8)) {
    svg += Line(x.At(value), bottom, x.At(value), bottom + 4, "grid");
    svg += Text(x.At(value), bottom + 17, "middle", label);
  }
  for (size_t i = 0; i < plot.series.size(); ++i) svg += Path(plot, plot.series[i], i, x, y);
  svg += Text(kLeft, 16, "start", plot.title + (plot.y.title.empty() ? "" : ", " + plot.y.title));
  svg += Text(kWidth - kRight, kHeight - 8, "end", plot.x.title);
  return svg + "</svg>" + Legend(plot) + "</figure>\n";
}

std::string ToSvg(const BarPlot& plot) {
  constexpr double kRow = 26;
  constexpr double kLabels = 190;
  constexpr size_t kLabelLength = 26;  // has room in that
  constexpr double kValues = 90;
  double most = 0;
  for (const auto& [label, value] : plot.bars) most = std::max(most, value);
  const double height = kTop + kRow * static_cast<double>(plot.bars.size());
  std::string svg =
      absl::StrFormat("<figure><svg viewBox='0 0 %.0f %.0f' role='img'>", kWidth, height);
  svg += Text(0, 16, "start", plot.title + ", " + plot.unit);
  for (size_t i = 0; i < plot.bars.size(); ++i) {
    const auto& [label, value] = plot.bars[i];
    const double top = kTop + kRow * static_cast<double>(i);
    const double width = most > 0 ? value / most * (kWidth - kLabels - kValues) : 0;
    svg += ShortText(kLabels - 8, top + 16, "end", label, kLabelLength);
    absl::StrAppendFormat(&svg, "<rect x='%.1f' y='%.1f' width='%.1f' height='18' class='c%u'/>",
                          kLabels, top + 3, width, i % kColours);
    svg += Text(kLabels + width + 6, top + 16, "start", ShortNumber(value));
  }
  return svg + "</svg></figure>\n";
}

}  // namespace portcullis::bench
