// Readiness: whether traffic should be sent here, as /readyz and /status say. A value.
#pragma once

#include <cstdint>
#include <string_view>

namespace portcullis::server {

enum class Readiness : uint8_t { kStarting, kServing, kDraining };

// ReadinessName returns "starting", "serving" or "draining".
[[nodiscard]] constexpr std::string_view ReadinessName(Readiness readiness) {
  switch (readiness) {
    case Readiness::kStarting:
      return "starting";
    case Readiness::kServing:
      return "serving";
    case Readiness::kDraining:
      return "draining";
  }
  return "unknown";
}

}  // namespace portcullis::server
