#include "core/config/durations.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "core/config/text.h"

namespace portcullis::config {
namespace {

struct DurationUnit {
  std::string_view suffix;
  int64_t milliseconds;
};

constexpr DurationUnit kDurationUnits[] = {
    {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}};  // largest first

}  // namespace

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  const auto* unit_start = std::find_if_not(text.begin(), text.end(), IsDigit);
  const auto num_digits = static_cast<size_t>(unit_start - text.begin());
  const std::optional<int64_t> number = ParseWhole<int64_t>(text.substr(0, num_digits));
  if (!number) return std::nullopt;
  for (const DurationUnit& unit : kDurationUnits) {
    if (text.substr(num_digits) != unit.suffix) continue;
    if (*number > std::numeric_limits<int64_t>::max() / unit.milliseconds) return std::nullopt;
    return std::chrono::milliseconds(*number * unit.milliseconds);
  }
  return std::nullopt;
}

std::string FormatDuration(std::chrono::milliseconds duration) {
  if (duration.count() == 0) return "0s";
  for (const DurationUnit& unit : kDurationUnits) {
    if (duration.count() % unit.milliseconds == 0) {
      return Concat(duration.count() / unit.milliseconds, unit.suffix);
    }
  }
  return Concat(duration.count(), "ms");
}

}  // namespace portcullis::config
