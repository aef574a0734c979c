// Histogram: latencies in log-linear buckets: every power of two is cut into the same number of
// equal parts, so a value is known to within one part in 2^precision over the whole range. Constant
// cost a record, memory by the largest value seen. Owned by one thread; merged by another
// afterwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace portcullis::bench {

class Histogram {
 public:
  // Values above this (about 73 minutes in nanoseconds) are counted as this.
  static constexpr uint64_t kMost = uint64_t{1} << 42;

  // A bucket is at most 1/2^`precision_bits` of its value wide: 7 for figures, 4 for plots.
  Histogram() : Histogram(7) {}
  explicit Histogram(int precision_bits) : bits_(precision_bits) {}

  void Record(uint64_t value);
  // Merge adds another of the same precision.
  void Merge(const Histogram& other);

  [[nodiscard]] uint64_t count() const { return count_; }
  [[nodiscard]] uint64_t max() const { return max_; }
  [[nodiscard]] double mean() const;

  // Quantile returns the smallest value that at least `share` (0..1) of what was recorded do not
  // exceed, up to a bucket's width; exactly the maximum for 1; 0 when nothing was recorded.
  [[nodiscard]] uint64_t Quantile(double share) const;

 private:
  [[nodiscard]] size_t IndexOf(uint64_t value) const;
  [[nodiscard]] uint64_t UpperEdge(size_t index) const;

  int bits_;
  uint64_t count_ = 0;
  uint64_t max_ = 0;
  double sum_ = 0;
  std::vector<uint64_t> buckets_;
};

}  // namespace portcullis::bench
