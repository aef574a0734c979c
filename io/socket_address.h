// SocketAddress: an IPv4, IPv6 or Unix-domain socket address as a value, with its text form.
// Resolves no names.
//
// Plain value, any thread. Text forms: "192.0.2.1:443", "[2001:db8::1]:443", "unix:/run/app.sock";
// "*:443" parses to every local address ("[::]:443", or "0.0.0.0:443" on a machine without IPv6).
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace portcullis::io {

class SocketAddress {
 public:
  SocketAddress() = default;  // unspecified: family() is AF_UNSPEC

  // Parse reads one of the text forms above. The error quotes `text` and says what is allowed.
  static absl::StatusOr<SocketAddress> Parse(std::string_view text);
  // FromIp reads an IPv4 or IPv6 literal without brackets, such as a resolver returns.
  static absl::StatusOr<SocketAddress> FromIp(std::string_view ip, uint16_t port);
  // FromSockaddr copies `address`; families other than the three give an unspecified address.
  static SocketAddress FromSockaddr(const sockaddr* address, socklen_t length);

  [[nodiscard]] sa_family_t family() const { return storage_.any.sa_family; }
  [[nodiscard]] bool is_ip() const { return family() == AF_INET || family() == AF_INET6; }
  [[nodiscard]] bool is_unix() const { return family() == AF_UNIX; }
  [[nodiscard]] uint16_t port() const;  // host order; 0 for Unix sockets
  void set_port(uint16_t port);         // does nothing for Unix sockets

  [[nodiscard]] const sockaddr* data() const { return &storage_.any; }
  [[nodiscard]] socklen_t length() const { return length_; }

  // ip_bytes is the address in network order: 4 or 16 bytes, empty when not an IP address.
  [[nodiscard]] std::span<const uint8_t> ip_bytes() const;
  // Unmapped turns an IPv4 peer of a dual-stack socket (::ffff:a.b.c.d) into plain IPv4; others as
  // they are.
  [[nodiscard]] SocketAddress Unmapped() const;

  [[nodiscard]] std::string ToString() const;  // parses back to an equal address
  [[nodiscard]] std::string Ip() const;  // address only, no port or brackets; a Unix path as it is

  friend bool operator==(const SocketAddress& a, const SocketAddress& b);

 private:
  union Storage {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un local;
  };
  Storage storage_{.local = {}};
  socklen_t length_ = 0;
};

// IpEndpoint: an IP address and port in a sixth of a SocketAddress's room, which is mostly for
// paths: for whoever keeps many. Of a Unix address it knows only that it is one.
class IpEndpoint {
 public:
  IpEndpoint() = default;  // unspecified
  explicit IpEndpoint(const SocketAddress& address);

  [[nodiscard]] SocketAddress Full() const;
  [[nodiscard]] std::string ToString() const { return Full().ToString(); }
  [[nodiscard]] std::string Ip() const { return Full().Ip(); }

 private:
  std::array<uint8_t, 16> ip_{};  // network order; IPv4: the first four
  uint16_t port_ = 0;
  uint8_t family_ = AF_UNSPEC;
};
static_assert(sizeof(IpEndpoint) <= 20, "kept in every connection's slot");

// PeerOf and LocalOf ask the kernel for the two ends of a socket, unmapped. Unspecified when it is
// not connected.
[[nodiscard]] SocketAddress PeerOf(int fd);
[[nodiscard]] SocketAddress LocalOf(int fd);

}  // namespace portcullis::io
