// ProcessStats: what the kernel says about this process, for the standard process_* metrics. Reads
// /proc: for the admin threads, never for workers.
#pragma once

#include <cstdint>

namespace portcullis::metrics {

struct ProcessStats {
  double cpu_seconds = 0;  // user and system
  uint64_t resident_bytes = 0;
  uint64_t open_fds = 0;
  uint64_t max_fds = 0;           // the soft limit
  double start_time_seconds = 0;  // since the epoch
};

// ReadProcessStats returns the current values; 0 for what /proc does not tell.
[[nodiscard]] ProcessStats ReadProcessStats();

}  // namespace portcullis::metrics
