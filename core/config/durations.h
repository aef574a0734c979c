// Durations as operators write them: a whole number and a unit, "250ms", "10s", "2m", "1h". Pure
// functions, any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace portcullis::config {

// ParseDuration returns the duration, or nothing when `text` is not digits followed by ms, s, m or
// h (no sign, fraction or space), or is more than about 292 million years.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);

// FormatDuration returns text that ParseDuration reads back, in the largest unit that is exact;
// zero is "0s". `duration` must not be negative.
std::string FormatDuration(std::chrono::milliseconds duration);

}  // namespace portcullis::config
