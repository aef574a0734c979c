// The spelling of names in certificates: what is a host name, a mailbox, a URI (RFC 5280 4.2.1.6,
// 4.2.1.10). Pure functions, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace portcullis::tls {

// IsHostName: letters, digits and hyphens in labels (RFC 1034 3.5, RFC 1123 2.1), at least one, the
// last not all digits: that would be an address.
[[nodiscard]] bool IsHostName(std::string_view text);

// IsHostPattern: a host name, or "*." and a host name of at least two labels.
[[nodiscard]] bool IsHostPattern(std::string_view text);

// IsMailbox: local part and host (RFC 2821 4.1.2); an asterisk is a letter like any other.
[[nodiscard]] bool IsMailbox(std::string_view text);

// IsAbsoluteUri: scheme, colon and something behind it, in printable ASCII (RFC 3986).
[[nodiscard]] bool IsAbsoluteUri(std::string_view text);

// IsAddressAndMask: 8 or 32 octets, the second half a prefix mask (RFC 4632).
[[nodiscard]] bool IsAddressAndMask(std::span<const uint8_t> octets);

// ReadsAsDomain and ReadsAsAddress tell whether a person takes `text`, a common name, for a domain
// name or an IP address, well written or not.
[[nodiscard]] bool ReadsAsDomain(std::string_view text);
[[nodiscard]] bool ReadsAsAddress(std::string_view text);

}  // namespace portcullis::tls
