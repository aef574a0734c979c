#include "io/socket_address.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace portcullis::io {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr size_t kPathOffset = offsetof(sockaddr_un, sun_path);

absl::Status Malformed(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", std::string(text), "\" is not a socket address: ", std::string(why),
                   " (allowed: 192.0.2.1:443, [2001:db8::1]:443, *:443, unix:/path)"));
}

bool ParsePort(std::string_view text, uint16_t& out_port) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, out_port);
  return error == std::errc() && stop == end;
}

bool HasIpv6() {
  const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  ::close(fd);
  return true;
}

template <int (*kAsk)(int, sockaddr*, socklen_t*)>
SocketAddress Ask(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (kAsk(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  return SocketAddress::FromSockaddr(reinterpret_cast<sockaddr*>(&storage), length).Unmapped();
}

int AskPeer(int fd, sockaddr* address, socklen_t* length) {
  return ::getpeername(fd, address, length);
}
int AskLocal(int fd, sockaddr* address, socklen_t* length) {
  return ::getsockname(fd, address, length);
}

}  // namespace

absl::StatusOr<SocketAddress> SocketAddress::Parse(std::string_view text) {
  if (text.substr(0, kUnixPrefix.size()) == kUnixPrefix) {
    const std::string_view path = text.substr(kUnixPrefix.size());
    SocketAddress address;
    sockaddr_un& local = address.storage_.local;
    if (path.empty()) return Malformed(text, "the path is empty");
    if (path.find('\0') != std::string_view::npos) return Malformed(text, "the path has a NUL");
    if (path.size() >= sizeof local.sun_path) {
      return Malformed(text, absl::StrCat("the path is longer than ", sizeof local.sun_path - 1));
    }
    local.sun_family = AF_UNIX;
    std::memcpy(local.sun_path, path.data(), path.size());
    address.length_ = static_cast<socklen_t>(kPathOffset + path.size() + 1);
    return address;
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Malformed(text, "the port is missing");
  std::string_view host = text.substr(0, colon);
  uint16_t port = 0;
  if (!ParsePort(text.substr(colon + 1), port)) {
    return Malformed(text, "the port must be a number from 0 to 65535");
  }
  if (host == "*") return FromIp(HasIpv6() ? "::" : "0.0.0.0", port);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  absl::StatusOr<SocketAddress> address = FromIp(host, port);
  if (!address.ok()) return Malformed(text, "the host must be an IP address or *");
  if (bracketed != (address->family() == AF_INET6)) {
    return Malformed(text, "brackets go around an IPv6 address, and only there");
  }
  return address;
}

absl::StatusOr<SocketAddress> SocketAddress::FromIp(std::string_view ip, uint16_t port) {
  SocketAddress address;
  const std::string text(ip);
  if (inet_pton(AF_INET, text.c_str(), &address.storage_.v4.sin_addr) == 1) {
    address.storage_.any.sa_family = AF_INET;
    address.length_ = sizeof(sockaddr_in);
  } else if (inet_pton(AF_INET6, text.c_str(), &address.storage_.v6.sin6_addr) == 1) {
    address.storage_.any.sa_family = AF_INET6;
    address.length_ = sizeof(sockaddr_in6);
  } else {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is not an IP address"));
  }
  address.set_port(port);
  return address;
}

SocketAddress SocketAddress::FromSockaddr(const sockaddr* address, socklen_t length) {
  SocketAddress copy;
  const bool known = (address->sa_family == AF_INET && length >= sizeof(sockaddr_in)) ||
                     (address->sa_family == AF_INET6 && length >= sizeof(sockaddr_in6)) ||
                     (address->sa_family == AF_UNIX && length >= kPathOffset);
  if (!known || length > sizeof(Storage)) return copy;
  std::memcpy(&copy.storage_, address, length);
  copy.length_ = length;
  return copy;
}

uint16_t SocketAddress::port() const {
  switch (family()) {
    case AF_INET:
      return ntohs(storage_.v4.sin_port);
    case AF_INET6:
      return ntohs(storage_.v6.sin6_port);
    default:
      return 0;
  }
}

void SocketAddress::set_port(uint16_t port) {
  if (family() == AF_INET) storage_.v4.sin_port = htons(port);
  if (family() == AF_INET6) storage_.v6.sin6_port = htons(port);
}

std::span<const uint8_t> SocketAddress::ip_bytes() const {
  switch (family()) {
    case AF_INET:
      return {reinterpret_cast<const uint8_t*>(&storage_.v4.sin_addr), sizeof(in_addr)};
    case AF_INET6:
      return {storage_.v6.sin6_addr.s6_addr, sizeof(in6_addr)};
    default:
      return {};
  }
}

SocketAddress SocketAddress::Unmapped() const {
  if (family() != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&storage_.v6.sin6_addr)) return *this;
  SocketAddress plain;
  plain.storage_.v4.sin_family = AF_INET;
  plain.storage_.v4.sin_port = storage_.v6.sin6_port;
  std::memcpy(&plain.storage_.v4.sin_addr, storage_.v6.sin6_addr.s6_addr + 12, sizeof(in_addr));
  plain.length_ = sizeof(sockaddr_in);
  return plain;
}

std::string SocketAddress::Ip() const {
  if (is_unix()) {
    // Not every path that the kernel returns ends with a NUL; an unnamed socket has none at all.
    const char* path = storage_.local.sun_path;
    return std::string(path, strnlen(path, std::min<size_t>(length_ - kPathOffset,
                                                            sizeof storage_.local.sun_path)));
  }
  char text[INET6_ADDRSTRLEN] = "";
  if (is_ip()) inet_ntop(family(), ip_bytes().data(), text, sizeof text);
  return text;
}

std::string SocketAddress::ToString() const {
  switch (family()) {
    case AF_INET:
      return absl::StrCat(Ip(), ":", port());
    case AF_INET6:
      return absl::StrCat("[", Ip(), "]:", port());
    case AF_UNIX:
      return std::string(kUnixPrefix) + Ip();
    default:
      return "unspecified";
  }
}

bool operator==(const SocketAddress& a, const SocketAddress& b) {
  if (a.family() != b.family() || a.port() != b.port()) return false;
  if (a.is_unix()) return a.Ip() == b.Ip();
  const auto a_ip = a.ip_bytes();
  const auto b_ip = b.ip_bytes();
  return std::equal(a_ip.begin(), a_ip.end(), b_ip.begin(), b_ip.end());
}

IpEndpoint::IpEndpoint(const SocketAddress& address)
    : port_(address.port()), family_(static_cast<uint8_t>(address.family())) {
  const std::span<const uint8_t> ip = address.ip_bytes();
  std::copy(ip.begin(), ip.end(), ip_.begin());
}

SocketAddress IpEndpoint::Full() const {
  sockaddr_storage storage{};
  storage.ss_family = family_;
  socklen_t length = sizeof(sa_family_t);
  if (family_ == AF_INET) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
    v4.sin_port = htons(port_);
    std::memcpy(&v4.sin_addr, ip_.data(), sizeof v4.sin_addr);
    length = sizeof v4;
  } else if (family_ == AF_INET6) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
    v6.sin6_port = htons(port_);
    std::memcpy(&v6.sin6_addr, ip_.data(), sizeof v6.sin6_addr);
    length = sizeof v6;
  }
  return SocketAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&storage), length);
}

SocketAddress PeerOf(int fd) { return Ask<AskPeer>(fd); }
SocketAddress LocalOf(int fd) { return Ask<AskLocal>(fd); }

}  // namespace portcullis::io
