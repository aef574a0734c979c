#include "bench/loadgen/tally.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include <nlohmann/json.hpp>

namespace portcullis::bench {
namespace {

constexpr double kShares[] = {0.5, 0.9, 0.99, 0.999, 1.0};
constexpr const char* kNames[] = {"p50", "p90", "p99", "p99.9", "max"};

void Sort(Result& result) {
  std::sort(result.tally.total_us.begin(), result.tally.total_us.end());
  std::sort(result.tally.handshake_us.begin(), result.tally.handshake_us.end());
}

double PerSecond(const Result& result) {
  return result.seconds > 0 ? static_cast<double>(result.tally.done) / result.seconds : 0;
}

double OwnCpuMicros(const Result& result) {
  return result.tally.done == 0 ? 0
                                : result.cpu_seconds * 1e6 / static_cast<double>(result.tally.done);
}

std::string Line(const char* label, const std::vector<uint32_t>& sorted) {
  std::string line = absl::StrFormat("%-18s", label);
  for (size_t i = 0; i < std::size(kShares); ++i) {
    absl::StrAppendFormat(&line, "  %s %.2f ms", kNames[i], Percentile(sorted, kShares[i]) / 1e3);
  }
  return line + "\n";
}

}  // namespace

void Tally::Merge(Tally&& other) {
  done += other.done;
  total_us.insert(total_us.end(), other.total_us.begin(), other.total_us.end());
  handshake_us.insert(handshake_us.end(), other.handshake_us.begin(), other.handshake_us.end());
  for (const auto& [kind, count] : other.failures) failures[kind] += count;
}

uint64_t Tally::failed() const {
  uint64_t total = 0;
  for (const auto& [kind, count] : failures) total += count;
  return total;
}

uint32_t Percentile(const std::vector<uint32_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

std::string Text(Result& result) {
  Sort(result);
  std::string text = absl::StrFormat(
      "%u handshakes in %.2f s: %.0f/s, %u failed, own CPU %.0f us each\n", result.tally.done,
      result.seconds, PerSecond(result), result.tally.failed(), OwnCpuMicros(result));
  text += Line("handshake", result.tally.handshake_us);
  text += Line("connect to answer", result.tally.total_us);
  for (const auto& [kind, count] : result.tally.failures)
    absl::StrAppend(&text, "failed: ", kind, ": ", count, "\n");
  return text;
}

std::string Json(Result& result) {
  Sort(result);
  nlohmann::json out;
  out["handshakes"] = result.tally.done;
  out["seconds"] = result.seconds;
  out["per_second"] = PerSecond(result);
  out["own_cpu_us"] = OwnCpuMicros(result);
  out["failed"] = result.tally.failed();
  out["failures"] = result.tally.failures;
  for (size_t i = 0; i < std::size(kShares); ++i) {
    out["handshake_us"][kNames[i]] = Percentile(result.tally.handshake_us, kShares[i]);
    out["total_us"][kNames[i]] = Percentile(result.tally.total_us, kShares[i]);
  }
  return out.dump(2) + "\n";
}

}  // namespace portcullis::bench
