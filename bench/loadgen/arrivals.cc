#include "bench/loadgen/arrivals.h"

#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace portcullis::bench {
namespace {

bool Positive(absl::string_view text, double most, double& out) {
  return absl::SimpleAtod(text, &out) && std::isfinite(out) && out > 0 && out <= most;
}

uint64_t CountOf(const RateStep& step) {
  return static_cast<uint64_t>(std::llround(step.per_second * step.seconds));
}

int64_t Nanos(double seconds) { return std::llround(seconds * 1e9); }

}  // namespace

absl::StatusOr<std::vector<RateStep>> ParseRate(const std::string& text) {
  std::vector<RateStep> steps;
  const std::vector<std::string> parts = absl::StrSplit(text, ',');
  for (const std::string& part : parts) {
    const std::vector<std::string> halves = absl::StrSplit(part, absl::MaxSplits(':', 1));
    RateStep step;
    bool good = Positive(halves[0], 1e6, step.per_second);
    if (halves.size() == 2) {
      good = good && Positive(absl::StripSuffix(halves[1], "s"), 86'400, step.seconds);
    } else {
      good = good && parts.size() == 1;
    }
    if (!good) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--rate: found '", text, "', wanted starts a second (500) or steps (500:10s,1000:10s)"));
    }
    steps.push_back(step);
  }
  return steps;
}

Arrivals::Arrivals(std::span<const RateStep> steps, int64_t origin_ns, uint64_t first,
                   uint64_t stride)
    : steps_(steps.begin(), steps.end()), begin_ns_(origin_ns), index_(first), stride_(stride) {
  Settle();
}

// Goes on to the step in which the index lies.
void Arrivals::Settle() {
  while (step_ < steps_.size() && index_ >= CountOf(steps_[step_])) {
    index_ -= CountOf(steps_[step_]);
    begin_ns_ += Nanos(steps_[step_].seconds);
    ++step_;
  }
}

int64_t Arrivals::intended_ns() const {
  return begin_ns_ + Nanos(static_cast<double>(index_) / steps_[step_].per_second);
}

void Arrivals::Next() {
  index_ += stride_;
  Settle();
}

uint64_t Arrivals::SkipUntil(int64_t now_ns) {
  uint64_t count = 0;
  for (; !over() && intended_ns() < now_ns; Next()) ++count;
  return count;
}

}  // namespace portcullis::bench
