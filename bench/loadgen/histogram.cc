#include "bench/loadgen/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "io/check.h"

namespace portcullis::bench {

// Values below 2^(bits+1) have a bucket each; above, the leading bits+1 bits say which.
size_t Histogram::IndexOf(uint64_t value) const {
  const int width = static_cast<int>(std::bit_width(value));
  const int shift = std::max(0, width - (bits_ + 1));
  return (static_cast<size_t>(shift) << bits_) + static_cast<size_t>(value >> shift);
}

uint64_t Histogram::UpperEdge(size_t index) const {
  const size_t octave = index >> bits_;
  if (octave < 2) return index;
  const size_t shift = octave - 1;
  return ((static_cast<uint64_t>(index - (shift << bits_)) + 1) << shift) - 1;
}

void Histogram::Record(uint64_t value) {
  const uint64_t counted = std::min(value, kMost);
  const size_t index = IndexOf(counted);
  if (index >= buckets_.size()) buckets_.resize(index + 1);
  ++buckets_[index];
  ++count_;
  sum_ += static_cast<double>(counted);
  max_ = std::max(max_, counted);
}

void Histogram::Merge(const Histogram& other) {
  CHECK(bits_ == other.bits_, "histograms of two precisions");
  if (other.buckets_.size() > buckets_.size()) buckets_.resize(other.buckets_.size());
  for (size_t i = 0; i < other.buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

double Histogram::mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

uint64_t Histogram::Quantile(double share) const {
  if (count_ == 0) return 0;
  const auto wanted = static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_)));
  uint64_t rank = std::clamp<uint64_t>(wanted, 1, count_);
  for (size_t i = 0; i < buckets_.size(); ++i) {
    if (buckets_[i] >= rank) return std::min(UpperEdge(i), max_);
    rank -= buckets_[i];
  }
  return max_;
}

}  // namespace portcullis::bench
