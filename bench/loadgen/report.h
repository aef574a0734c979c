// Report: one HTML page of one or several results, which loads nothing from elsewhere: figures,
// comparison bars, percentile plot, time series, failures by kind. Made of the JSON results alone.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace portcullis::bench {

// ToHtml draws results as ToJson makes them. Whatever one lacks, or has of another type, counts as
// zero or none.
[[nodiscard]] std::string ToHtml(const std::vector<nlohmann::json>& results);

// ReportMain is `portcullis-loadgen report A.json [B.json...] --html FILE`; returns the exit
// status.
[[nodiscard]] int ReportMain(std::span<const char* const> arguments);

}  // namespace portcullis::bench
