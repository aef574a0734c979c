// Arrivals: when an open loop means to start each of its units, whatever the server does. The times
// are fixed beforehand; who cannot keep them measures from them all the same, so that a stall shows
// in every latency it touched. Plain values; each thread has its own, with every n-th arrival.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace portcullis::bench {

// A constant rate for some time.
struct RateStep {
  double per_second = 0;
  double seconds = 0;  // 0: as long as the run takes
};

// ParseRate reads "500" (all through) or "500:10s,1000:10s" (steps). InvalidArgument when it is
// neither, or when a rate or time is not above zero.
absl::StatusOr<std::vector<RateStep>> ParseRate(const std::string& text);

class Arrivals {
 public:
  // The arrivals first, first + stride, ... of `steps`, of which every one has its time, counted
  // from `origin_ns` on.
  Arrivals(std::span<const RateStep> steps, int64_t origin_ns, uint64_t first, uint64_t stride);

  [[nodiscard]] bool over() const { return step_ == steps_.size(); }
  // The next one's intended start and step; only while not over().
  [[nodiscard]] int64_t intended_ns() const;
  [[nodiscard]] uint32_t step() const { return static_cast<uint32_t>(step_); }
  void Next();

  // SkipUntil passes over what was meant to start before `now_ns` and returns how many that were.
  uint64_t SkipUntil(int64_t now_ns);

 private:
  void Settle();

  std::vector<RateStep> steps_;
  int64_t begin_ns_;  // of the current step
  uint64_t index_;    // in it
  uint64_t stride_;
  size_t step_ = 0;
};

}  // namespace portcullis::bench
