// Allocations: how often and how much the process has asked malloc for, counted by a wrapper around
// it that exists in benchmark binaries only.
#pragma once

#include <cstdint>

namespace portcullis::bench {

struct Allocations {
  uint64_t count = 0;
  uint64_t bytes = 0;
};

// AllocationsSoFar returns the calling thread's totals.
[[nodiscard]] Allocations AllocationsSoFar();

}  // namespace portcullis::bench
