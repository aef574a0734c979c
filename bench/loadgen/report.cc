#include "bench/loadgen/report.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "bench/loadgen/chart.h"

namespace portcullis::bench {
namespace {

using nlohmann::json;

constexpr const char* kStyle = R"(
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:1360px;padding:0 1rem;
 color:#1b1f24;background:#fff}
h1{font-size:1.4rem}
h2{font-size:1.15rem;margin-top:2rem;border-top:1px solid #d8dee4;padding-top:1rem}
table{border-collapse:collapse;margin:.5rem 0}
.wide{overflow-x:auto}
td,th{padding:.2rem .5rem;border-bottom:1px solid #d8dee4;text-align:right}
td:first-child,th:first-child{text-align:left}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr));gap:1rem}
figure{margin:0;max-width:720px}svg{width:100%;height:auto}
svg text{font:12px system-ui,sans-serif;fill:currentColor}
.grid{stroke:#8c959f;stroke-opacity:.35}.warm{fill:#8c959f;fill-opacity:.15}
.dot{stroke:none}.line{fill:none;stroke-width:1.8;stroke-linejoin:round}
.legend{margin:0;font-size:13px}.legend span{margin-right:1rem;white-space:nowrap}
.legend i{display:inline-block;width:.8em;height:.8em;margin-right:.35em;border-radius:2px}
@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}
 td,th,h2{border-color:#30363d}}
)";
constexpr const char* kColours[] = {"#0969da", "#cf222e", "#1a7f37", "#9a6700",
                                    "#8250df", "#bf3989", "#1b7c83", "#6e7781"};

double Number(const json& object, const char* key) {
  if (!object.is_object()) return 0;
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

const json& Child(const json& object, const char* key) {
  static const json kNothing;
  if (!object.is_object()) return kNothing;
  const auto found = object.find(key);
  return found == object.end() ? kNothing : *found;
}

std::string String(const json& object, const char* key) {
  const json& found = Child(object, key);
  return found.is_string() ? found.get<std::string>() : "";
}

// What a result is called: by its label or else its target.
std::string Name(const json& result) {
  const std::string label = String(result, "label");
  return label.empty() ? String(Child(result, "setup"), "target") : label;
}

double Millis(const json& result, const char* group, const char* quantile) {
  return Number(Child(result, group), quantile) / 1e3;
}

std::string Row(const std::vector<std::string>& cells, const char* tag = "td") {
  std::string row = "<tr>";
  for (const std::string& cell : cells)
    absl::StrAppend(&row, "<", tag, ">", EscapeHtml(cell), "</", tag, ">");
  return row + "</tr>\n";
}

std::string Sum(const json& counts) {
  double total = 0;
  for (const auto& item : counts.items()) {
    total += item.value().is_number() ? item.value().get<double>() : 0;
    for (const auto& inner : item.value().items())
      total +=
          item.value().is_object() && inner.value().is_number() ? inner.value().get<double>() : 0;
  }
  return absl::StrFormat("%.0f", total);
}

std::string Figures(const std::vector<json>& results) {
  std::string table =
      "<div class='wide'><table>" +
      Row({"run", "done", "each a", "per second", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms",
           "max ms", "resumed", "refused", "failed", "late", "not started", "own CPU us"},
          "th");
  for (const json& result : results) {
    std::vector<std::string> cells = {Name(result), absl::StrFormat("%.0f", Number(result, "done")),
                                      String(result, "unit"),
                                      absl::StrFormat("%.1f", Number(result, "per_second"))};
    for (const char* quantile : {"p50", "p90", "p99", "p99.9", "max"})
      cells.push_back(absl::StrFormat("%.2f", Millis(result, "latency_us", quantile)));
    cells.push_back(absl::StrFormat("%.0f", Number(result, "resumed")));
    cells.push_back(Sum(Child(result, "refused")));
    for (const char* key : {"failed", "late", "not_started", "own_cpu_us"})
      cells.push_back(absl::StrFormat("%.0f", Number(result, key)));
    table += Row(cells);
  }
  return table + "</table></div>\n";
}

std::string Bars(const std::vector<json>& results) {
  BarPlot rate{.title = "Throughput", .unit = "per second", .bars = {}};
  BarPlot p50{.title = "Latency p50", .unit = "ms", .bars = {}};
  BarPlot p99{.title = "Latency p99", .unit = "ms", .bars = {}};
  for (const json& result : results) {
    const std::string label = Name(result);
    rate.bars.emplace_back(label, Number(result, "per_second"));
    p50.bars.emplace_back(label, Millis(result, "latency_us", "p50"));
    p99.bars.emplace_back(label, Millis(result, "latency_us", "p99"));
  }
  return "<h2>Comparison</h2><div class='plots'>" + ToSvg(rate) + ToSvg(p50) + ToSvg(p99) +
         "</div>\n";
}

// Latency against the share that is slower, spread out so that each nine has the same room.
std::string Percentiles(const std::vector<json>& results) {
  LinePlot plot{.title = "Latency by percentile",
                .x = {.title = "percentile",
                      .labels = {{0, "0 %"},
                                 {1, "90 %"},
                                 {2, "99 %"},
                                 {3, "99.9 %"},
                                 {4, "99.99 %"},
                                 {5, "99.999 %"},
                                 {6, "99.9999 %"}}},
                .y = {.title = "ms", .log = true},
                .series = {},
                .shade_until = {}};
  for (const json& result : results) {
    Series& series = plot.series.emplace_back(Series{Name(result), {}});
    for (const json& point : Child(result, "curve")) {
      if (!point.is_array() || point.size() != 2 || !point[0].is_number() || !point[1].is_number())
        continue;
      const double slower = point[0].get<double>();
      if (slower > 0) series.points.emplace_back(-std::log10(slower), point[1].get<double>() / 1e3);
    }
  }
  return ToSvg(plot);
}

// Latency against the offered rate, for runs with steps.
std::string StepPlot(const json& result) {
  const json& steps = Child(result, "steps");
  if (!steps.is_array() || steps.size() < 2) return "";
  LinePlot plot{.title = "Latency by offered rate",
                .x = {.title = "starts a second"},
                .y = {.title = "ms", .log = true},
                .series = {{"p50", {}}, {"p99", {}}, {"p99.9", {}}},
                .shade_until = {}};
  for (const json& step : steps) {
    for (Series& series : plot.series) {
      series.points.emplace_back(Number(step, "rate"),
                                 Millis(step, "latency_us", series.name.c_str()));
    }
  }
  return ToSvg(plot);
}

std::string TimePlots(const json& result) {
  const double warmup = Number(Child(result, "setup"), "warmup_s");
  const auto plot = [&](const char* title, const char* unit, std::vector<Series> series) {
    return LinePlot{.title = title,
                    .x = {.title = "seconds"},
                    .y = {.title = unit},
                    .series = std::move(series),
                    .shade_until = warmup};
  };
  // A second that the window's end cuts short has what was left to finish, and would look like a
  // collapse. A run of less than two has no others.
  const double seconds = warmup + Number(result, "seconds");
  const double whole = seconds < 2 ? HUGE_VAL : seconds + 0.01;
  LinePlot rate = plot("Done", "a second", {{"done", {}}});
  LinePlot latency = plot("Latency", "ms", {{"p50", {}}, {"p99", {}}});
  LinePlot bad = plot("Refused and failed", "a second", {{"refused", {}}, {"failed", {}}});
  for (const json& second : Child(result, "timeline")) {
    const double at = Number(second, "second");
    bad.series[0].points.emplace_back(at, Number(second, "refused"));
    bad.series[1].points.emplace_back(at, Number(second, "failed"));
    if (at + 1 > whole) continue;
    rate.series[0].points.emplace_back(at, Number(second, "done"));
    latency.series[0].points.emplace_back(at, Number(second, "p50_us") / 1e3);
    latency.series[1].points.emplace_back(at, Number(second, "p99_us") / 1e3);
  }
  return ToSvg(rate) + ToSvg(latency) + ToSvg(bad);
}

std::string Endings(const json& result) {
  std::string rows;
  const auto add = [&rows](const std::string& what, const json& counts) {
    if (!counts.is_object()) return;
    for (const auto& [kind, count] : counts.items()) {
      if (count.is_number())
        rows += Row({what, kind, absl::StrFormat("%.0f", count.get<double>())});
    }
  };
  add("failed", Child(result, "failures"));
  const json& refused = Child(result, "refused");
  if (refused.is_object()) {
    for (const auto& [fault, counts] : refused.items()) add("refused: " + fault, counts);
  }
  if (rows.empty()) return "<p>No failures, no refusals.</p>\n";
  return "<table>" + Row({"end", "kind", "count"}, "th") + rows + "</table>\n";
}

std::string LatencyRows(const json& result) {
  constexpr std::pair<const char*, const char*> kKinds[] = {
      {"handshake_full_us", "full handshake"},
      {"resumed_handshake_us", "resumed handshake"},
      {"request_us", "request"}};
  std::string rows;
  for (const auto& [group, what] : kKinds) {
    const double count = Number(Child(result, group), "count");
    if (count == 0) continue;
    std::vector<std::string> cells = {what, absl::StrFormat("%.0f", count)};
    for (const char* quantile : {"p50", "p90", "p99", "p99.9", "max"})
      cells.push_back(absl::StrFormat("%.2f", Millis(result, group, quantile)));
    rows += Row(cells);
  }
  if (rows.empty()) return "";
  return "<table>" +
         Row({"part", "count", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms"}, "th") + rows +
         "</table>\n";
}

// What only some ways of running have, and what was agreed on.
std::string Parts(const json& result) {
  std::vector<std::string> said;
  for (const auto& [key, what] :
       {std::pair("received_mb_per_second", "down"), std::pair("sent_mb_per_second", "up")}) {
    if (const double rate = Number(result, key); rate >= 0.05)
      said.push_back(absl::StrFormat("bodies %s: %.1f MB/s", what, rate));
  }
  if (Number(Child(result, "setup"), "idle") != 0) {
    said.push_back(absl::StrFormat("idle connections: %.0f held, %.0f alive at the end",
                                   Number(result, "held"), Number(result, "alive")));
  }
  const json& negotiated = Child(result, "negotiated");
  if (negotiated.is_object()) {
    for (const auto& [kind, count] : negotiated.items()) {
      if (count.is_number()) said.push_back(absl::StrFormat("%s: %.0f", kind, count.get<double>()));
    }
  }
  const std::string line =
      said.empty() ? "" : "<p>" + EscapeHtml(absl::StrJoin(said, "; ")) + "</p>\n";
  return line + LatencyRows(result);
}

std::string Dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string SetupLine(const json& result) {
  std::string line;
  for (const char* key : {"started_at", "host", "version"}) {
    const std::string value = String(result, key);
    if (!value.empty()) absl::StrAppend(&line, line.empty() ? "" : ", ", key, " ", value);
  }
  const json& setup = Child(result, "setup");
  if (!setup.is_object()) return line;
  for (const auto& [key, value] : setup.items()) {
    if (value == "" || value == 0 || value == false || value.empty()) continue;
    absl::StrAppend(&line, line.empty() ? "" : ", ", key, " ",
                    value.is_string() ? value.get<std::string>() : Dump(value));
  }
  const std::string bound =
      Child(result, "latency_is_lower_bound") == true
          ? "<p>Latencies are lower bounds: some were not started, or not finished, in time.</p>\n"
          : "";
  return "<p>" + EscapeHtml(line) + "</p>\n" + bound;
}

std::string Interrupted(const json& result) {
  return Child(result, "interrupted") == true
             ? "<p><strong>Interrupted: this is what there was until then.</strong></p>\n"
             : "";
}

std::string Style() {
  std::string style = kStyle;
  for (size_t i = 0; i < std::size(kColours); ++i) {
    absl::StrAppend(&style, ".line.c", i, "{stroke:", kColours[i], "}rect.c", i, ",.dot.c", i,
                    "{fill:", kColours[i], "}i.c", i, "{background:", kColours[i], "}\n");
  }
  return style;
}

}  // namespace

std::string ToHtml(const std::vector<json>& results) {
  std::string page = absl::StrCat(
      "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
      "<meta name='viewport' content='width=device-width'><title>Load report</title><style>",
      Style(), "</style></head><body>\n<h1>Load report</h1>\n", Figures(results));
  if (results.size() > 1) page += Bars(results);
  absl::StrAppend(&page, "<div class='plots'>", Percentiles(results), "</div>\n");
  for (const json& result : results) {
    absl::StrAppend(&page, "<h2>", EscapeHtml(Name(result)), "</h2>\n", Interrupted(result),
                    SetupLine(result), Parts(result), "<div class='plots'>", StepPlot(result),
                    TimePlots(result), "</div>\n", Endings(result));
  }
  return page + "</body></html>\n";
}

}  // namespace portcullis::bench
