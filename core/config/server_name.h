// Server names as they may stand in a virtual host: what a client's SNI can carry (RFC 6066 section
// 3), or a wildcard for its first label. Syntax only; pure functions, any thread.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace portcullis::config {

inline constexpr std::string_view kServerNameForms =
    "a DNS name (www.example.org) or a wildcard for the first label (*.example.org)";

// IsDnsName returns whether `text` is one or more labels of 1 to 63 letters, digits, '-' or '_',
// none starting or ending with '-', 253 bytes in all, with no dot at the end. Underscores are out
// of the RFCs and in use all the same.
bool IsDnsName(std::string_view text);

// ParseServerName returns `text` in lower case. The error says in a few words what is wrong with
// it.
absl::StatusOr<std::string> ParseServerName(std::string_view text);

}  // namespace portcullis::config
