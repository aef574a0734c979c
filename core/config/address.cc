#include "core/config/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <optional>

#include "absl/status/status.h"

#include "core/config/server_name.h"
#include "core/config/text.h"

namespace portcullis::config {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";

// The C functions below would take a NUL for the end.
bool HasNul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

absl::Status Wrong(const std::string& why) { return absl::InvalidArgumentError(why); }

struct Parts {
  std::string_view host;
  bool bracketed = false;
  uint16_t port = 0;
};

absl::StatusOr<uint16_t> ParsePort(std::string_view text) {
  if (text.empty() || !AllDigits(text)) return Wrong("the port is not a number");
  const std::optional<uint16_t> port = ParseWhole<uint16_t>(text);
  if (!port) return Wrong("the port is above 65535");
  return *port;
}

// Splits "host:port" and "[host]:port".
absl::StatusOr<Parts> Split(std::string_view text) {
  if (text.find("://") != std::string_view::npos) return Wrong("an address has no scheme");
  Parts parts;
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return Wrong("the ']' is missing");
    parts.host = text.substr(1, close - 1);
    parts.bracketed = true;
    port = text.substr(close + 1);
    if (!port.starts_with(':')) return Wrong("the port is missing");
    port.remove_prefix(1);
  } else {
    const size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return Wrong("the port is missing");
    parts.host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (parts.host.find(':') != std::string_view::npos) {
      return Wrong("an IPv6 address stands in brackets: [::1]:443");
    }
  }
  const absl::StatusOr<uint16_t> parsed = ParsePort(port);
  if (!parsed.ok()) return parsed.status();
  parts.port = *parsed;
  return parts;
}

absl::StatusOr<Address> ParseIpv6(std::string_view host, uint16_t port) {
  in6_addr binary;
  if (inet_pton(AF_INET6, std::string(host).c_str(), &binary) != 1) {
    return Wrong("what stands in the brackets is no IPv6 address");
  }
  char text[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, &binary, text, sizeof(text));
  return Address{AddressKind::kIpv6, text, port};
}

// Takes the host for IPv4 when it could be nothing else: its last label has digits only (RFC 1123
// section 2.1).
bool LooksLikeIpv4(std::string_view host) {
  const std::string_view last = host.substr(host.rfind('.') + 1);
  return !last.empty() && AllDigits(last);
}

absl::StatusOr<Address> ParseIpv4(std::string_view host, uint16_t port) {
  in_addr binary;
  if (inet_pton(AF_INET, std::string(host).c_str(), &binary) != 1) {
    return Wrong("the host is no IPv4 address");
  }
  return Address{AddressKind::kIpv4, std::string(host), port};
}

absl::StatusOr<Address> ParseUnix(std::string_view path) {
  if (!path.starts_with('/')) return Wrong("the path of a Unix socket must be absolute");
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Wrong("the path of a Unix socket is above 107 bytes");
  }
  return Address{AddressKind::kUnix, std::string(path), 0};
}

// Returns whether a listener on `a` is offered connections to `b` too; ports aside.
bool TakesIn(const Address& a, const Address& b) {
  if (a.kind == AddressKind::kAny) return true;
  if (a.kind == AddressKind::kIpv6 && a.host == "::") return true;  // listens on both families
  if (a.kind == AddressKind::kIpv4 && a.host == "0.0.0.0") return b.kind == AddressKind::kIpv4;
  return a.kind == b.kind && a.host == b.host;
}

}  // namespace

absl::StatusOr<Address> ParseListenAddress(std::string_view text) {
  if (HasNul(text)) return Wrong("there is a NUL character in it");
  if (text.starts_with(kUnixPrefix)) return Wrong("only backend targets can be Unix sockets");
  const absl::StatusOr<Parts> parts = Split(text);
  if (!parts.ok()) return parts.status();
  if (parts->bracketed) return ParseIpv6(parts->host, parts->port);
  if (parts->host == "*") return Address{AddressKind::kAny, "", parts->port};
  if (parts->host.empty()) return Wrong("the host is missing: * stands for every address");
  if (!LooksLikeIpv4(parts->host)) return Wrong("a name cannot be listened on, only an address");
  return ParseIpv4(parts->host, parts->port);
}

absl::StatusOr<Address> ParseTargetAddress(std::string_view text) {
  if (HasNul(text)) return Wrong("there is a NUL character in it");
  if (text.starts_with(kUnixPrefix)) return ParseUnix(text.substr(kUnixPrefix.size()));
  const absl::StatusOr<Parts> parts = Split(text);
  if (!parts.ok()) return parts.status();
  if (parts->port == 0) return Wrong("port 0 cannot be connected to");
  if (parts->bracketed) return ParseIpv6(parts->host, parts->port);
  if (parts->host.empty()) return Wrong("the host is missing");
  if (parts->host == "*") return Wrong("* cannot be connected to");
  if (LooksLikeIpv4(parts->host)) return ParseIpv4(parts->host, parts->port);
  if (!IsDnsName(parts->host)) return Wrong("the host is no DNS name");
  return Address{AddressKind::kName, ToLower(parts->host), parts->port};
}

std::string FormatAddress(const Address& address) {
  switch (address.kind) {
    case AddressKind::kAny:
      return Concat("*:", address.port);
    case AddressKind::kIpv4:
      return Concat(address.host, ":", address.port);
    case AddressKind::kIpv6:
      return Concat("[", address.host, "]:", address.port);
    case AddressKind::kName:
      return Concat(address.host, ":", address.port);
    case AddressKind::kUnix:
      return Concat("unix:", address.host);
  }
  return {};
}

bool AddressesOverlap(const Address& a, const Address& b) {
  if (a.port == 0 || a.port != b.port) return false;
  return TakesIn(a, b) || TakesIn(b, a);
}

}  // namespace portcullis::config
