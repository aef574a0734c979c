// The shape that every line about a configuration must have; shared by the property test and the
// fuzzer. Pure functions, any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/config/diagnostics.h"
#include "core/config/yaml_text.h"

namespace portcullis::config {

// HasPlace returns whether `line` starts with "FILE:LINE:COLUMN: FIELD: ", LINE and COLUMN from 1.
inline bool HasPlace(std::string_view line, std::string_view file) {
  const auto skip_number = [&line] {
    if (line.empty() || line.front() < '1' || line.front() > '9') return false;
    line.remove_prefix(std::min(line.find_first_not_of("0123456789"), line.size()));
    return true;
  };
  const auto skip = [&line](std::string_view text) {
    if (!line.starts_with(text)) return false;
    line.remove_prefix(text.size());
    return true;
  };
  if (!skip(file) || !skip(":") || !skip_number() || !skip(":") || !skip_number() || !skip(": "))
    return false;
  return line.find(": ") != std::string_view::npos && !line.starts_with(": ");
}

// AreFindings returns whether `message` is one or more lines of errors: each with its place, what
// was found and what is allowed, in printable UTF-8. The count of those left out may follow.
inline bool AreFindings(std::string_view message, std::string_view file) {
  while (!message.empty()) {
    const size_t end = std::min(message.find('\n'), message.size());
    const std::string_view line = message.substr(0, end);
    message.remove_prefix(std::min(end + 1, message.size()));
    if (message.empty() && line.starts_with(std::string(file) + ": and ")) return true;
    const size_t found = line.find(": found ");
    if (!HasPlace(line, file) || found == std::string_view::npos) return false;
    if (line.find("; allowed: ", found) == std::string_view::npos) return false;
    Diagnostics unprintable("line");
    if (!CheckYamlText(line, unprintable) || line.find_first_of("\r\t") != std::string_view::npos)
      return false;
    if (message.empty()) return true;
  }
  return false;
}

}  // namespace portcullis::config
