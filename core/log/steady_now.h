// The clock by which the log's writer waits.
#pragma once

#include <chrono>
#include <cstdint>

namespace portcullis::log {

// SteadyNowNs returns the time of the monotonic clock in nanoseconds. Any thread.
[[nodiscard]] inline int64_t SteadyNowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace portcullis::log
