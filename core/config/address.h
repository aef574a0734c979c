// Addresses as operators write them, checked by syntax alone: nothing is resolved, bound or opened
// here. Pure functions, any thread.
//
//   listeners, admin   192.0.2.1:443   [2001:db8::1]:443   *:443
//   targets            192.0.2.1:80    [2001:db8::1]:80    name:80    unix:/run/app.sock
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace portcullis::config {

enum class AddressKind : uint8_t { kAny, kIpv4, kIpv6, kName, kUnix };

struct Address {
  AddressKind kind = AddressKind::kAny;
  std::string host;   // without brackets, in canonical form; a name in lower case; the path of a
                      // Unix socket; "" for `*`
  uint16_t port = 0;  // 0 for a Unix socket
};

inline constexpr std::string_view kListenAddressForms =
    "IPv4:port, [IPv6]:port or *:port, port 0 to 65535";
inline constexpr std::string_view kTargetAddressForms =
    "IPv4:port, [IPv6]:port, name:port (port 1 to 65535) or unix:/path";

// ParseListenAddress accepts the forms for listeners; port 0 lets the kernel choose. The error says
// in a few words what is wrong with `text`.
absl::StatusOr<Address> ParseListenAddress(std::string_view text);

// ParseTargetAddress accepts the forms for targets. A Unix socket's path is absolute and at most
// 107 bytes (sun_path).
absl::StatusOr<Address> ParseTargetAddress(std::string_view text);

// FormatAddress returns the canonical text: equal for two spellings of one address.
std::string FormatAddress(const Address& address);

// AddressesOverlap returns whether two listeners on these addresses would compete for connections:
// one port, and one address or an any-address that takes the other in. `*` and [::] take in both
// families, 0.0.0.0 takes in IPv4. Port 0 overlaps with nothing.
bool AddressesOverlap(const Address& a, const Address& b);

}  // namespace portcullis::config
