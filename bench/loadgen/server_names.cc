#include "bench/loadgen/server_names.h"

#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"

namespace portcullis::bench {
namespace {

// Steps of about this share of a range visit it evenly.
constexpr double kGolden = 0.6180339887498949;

uint32_t StrideOf(uint32_t size) {
  if (size < 3) return 1;
  auto stride = static_cast<uint32_t>(std::lround(kGolden * size));
  while (std::gcd(stride, size) != 1) ++stride;
  return stride;
}

}  // namespace

ServerNames::ServerNames(const Options& options, uint32_t thread)
    : range_(options.server_names), stride_(StrideOf(range_.size)), name_(options.sni) {
  if (range_.size == 0) return;
  const size_t number = options.sni.find(kServerNumber);
  before_ = options.sni.substr(0, number);
  after_ = options.sni.substr(number + 1);
  at_ = static_cast<uint32_t>(uint64_t{range_.size} * thread / options.threads);
}

const std::string& ServerNames::Next() {
  if (range_.size == 0) return name_;
  name_ = absl::StrCat(before_, range_.first + at_, after_);
  at_ = static_cast<uint32_t>((uint64_t{at_} + stride_) % range_.size);
  return name_;
}

}  // namespace portcullis::bench
