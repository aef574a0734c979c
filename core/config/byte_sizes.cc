#include "core/config/byte_sizes.h"

#include <algorithm>
#include <limits>

#include "core/config/text.h"

namespace portcullis::config {
namespace {

struct ByteUnit {
  std::string_view suffix;
  uint64_t num_bytes;
};

constexpr ByteUnit kByteUnits[] = {
    {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}};  // largest first

}  // namespace

std::optional<uint64_t> ParseByteSize(std::string_view text) {
  const auto* unit_start = std::find_if_not(text.begin(), text.end(), IsDigit);
  const auto num_digits = static_cast<size_t>(unit_start - text.begin());
  const std::optional<uint64_t> number = ParseWhole<uint64_t>(text.substr(0, num_digits));
  if (!number) return std::nullopt;
  for (const ByteUnit& unit : kByteUnits) {
    if (text.substr(num_digits) != unit.suffix) continue;
    if (*number > std::numeric_limits<uint64_t>::max() / unit.num_bytes) return std::nullopt;
    return *number * unit.num_bytes;
  }
  return std::nullopt;
}

std::string FormatByteSize(uint64_t num_bytes) {
  for (const ByteUnit& unit : kByteUnits) {
    if (num_bytes != 0 && num_bytes % unit.num_bytes == 0) {
      return Concat(num_bytes / unit.num_bytes, unit.suffix);
    }
  }
  return "0";
}

}  // namespace portcullis::config
