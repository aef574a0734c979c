#include "core/config/server_name.h"

#include <algorithm>
#include <cstdint>

#include "absl/status/status.h"

#include "core/config/text.h"

namespace portcullis::config {
namespace {

constexpr size_t kMaxLabelBytes = 63;
constexpr size_t kMaxNameBytes = 253;

bool IsLabel(std::string_view label) {
  if (label.empty() || label.size() > kMaxLabelBytes) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  return std::all_of(label.begin(), label.end(),
                     [](char c) { return IsLetter(c) || IsDigit(c) || c == '-' || c == '_'; });
}

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<uint8_t>(c) < 0x80; });
}

}  // namespace

bool IsDnsName(std::string_view text) {
  if (text.empty() || text.size() > kMaxNameBytes) return false;
  for (size_t start = 0; start <= text.size();) {
    const size_t end = std::min(text.find('.', start), text.size());
    if (!IsLabel(text.substr(start, end - start))) return false;
    start = end + 1;
  }
  return true;
}

absl::StatusOr<std::string> ParseServerName(std::string_view text) {
  std::string_view name = text;
  if (name.starts_with("*.")) name.remove_prefix(2);
  if (text == "*") {
    return absl::InvalidArgumentError("a listener's default_host takes every other name");
  }
  if (name.find('*') != std::string_view::npos) {
    return absl::InvalidArgumentError("'*' stands for the whole first label only");
  }
  if (!IsAscii(name)) {
    return absl::InvalidArgumentError("international names are written as A-labels (xn--...)");
  }
  if (name.ends_with('.')) return absl::InvalidArgumentError("SNI has no dot at the end");
  if (name.find(':') != std::string_view::npos) {
    return absl::InvalidArgumentError("SNI has no port");
  }
  if (name.size() > kMaxNameBytes) return absl::InvalidArgumentError("it is above 253 bytes");
  if (!IsDnsName(name)) {
    return absl::InvalidArgumentError("a label is empty, above 63 bytes or has other characters");
  }
  const std::string_view last = name.substr(name.rfind('.') + 1);
  if (AllDigits(last)) {
    return absl::InvalidArgumentError("SNI does not carry IP addresses");
  }
  return ToLower(text);
}

}  // namespace portcullis::config
