// The values that policy matchers compare: what an operator may write for each field, the one form
// it is brought into, and the checks by which a certificate's value is well-formed. Pure functions,
// any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "tls/policy.h"

namespace portcullis::tls {

// AllowedValues says what may be written for `field`; reads on after "allowed:".
[[nodiscard]] std::string_view AllowedValues(MatchField field);

// CanonicalValue returns the form of `value` that matchers look up:
//   kDns        lower case; ".suffix" for "*.suffix", "..suffix" for "**.suffix"
//   kEmail      domain in lower case
//   kIp         IpKey
//   kSerial     upper-case hex without leading zeros ("0" for none)
//   kSha256, kSpki   the 32 bytes
// and `value` itself for the other fields. InvalidArgument says in a few words what is wrong.
absl::StatusOr<std::string> CanonicalValue(MatchField field, std::string_view value);

// A DNS name has at most 253 characters in labels of 1 to 63 letters, digits, '-' and '_'.
inline constexpr size_t kMaxDnsBytes = 253;
// LowerDnsName writes `name` in lower case to `buffer` and returns it; nothing if it is none.
std::optional<std::string_view> LowerDnsName(std::string_view name,
                                             std::array<char, kMaxDnsBytes>& buffer);

// A mail address has one '@', before it 1 to 64 printable ASCII characters other than space, and a
// DNS name after it.
inline constexpr size_t kMaxEmailBytes = 64 + 1 + kMaxDnsBytes;
// LowerEmailDomain writes `address` with its domain in lower case to `buffer` and returns it;
// nothing if it is none.
std::optional<std::string_view> LowerEmailDomain(std::string_view address,
                                                 std::array<char, kMaxEmailBytes>& buffer);

// IsUri returns whether `text` is printable ASCII without spaces, with a scheme before a colon.
[[nodiscard]] bool IsUri(std::string_view text);

// IsSpiffeId returns whether `text` is a SPIFFE ID, path or not (SPIFFE-ID section 2): lower-case
// trust domain; segments of letters, digits and ".-_", neither empty nor "." or ".."; no percent
// encoding, query, port or user; 2048 bytes at most.
[[nodiscard]] bool IsSpiffeId(std::string_view text);

// Network of `num_bits` (0 to 32 or 128) of an address: family (4 or 6), bits, address in 16 bytes
// with all others zero.
using IpKey = std::array<char, 18>;
struct IpAddress {
  bool v6 = false;
  std::array<uint8_t, 16> bytes{};  // the first 4 where not v6
};
// ParseIp reads an address without prefix length, zone or brackets.
std::optional<IpAddress> ParseIp(std::string_view text);
[[nodiscard]] IpKey MakeIpKey(const IpAddress& address, uint8_t num_bits);

// SerialDigits returns `hex` without its leading zeros; "0" where nothing else is in it. Negative
// serial numbers, which RFC 5280 4.1.2.2 forbids, cannot be written and match nothing.
std::string_view SerialDigits(std::string_view hex);

}  // namespace portcullis::tls
