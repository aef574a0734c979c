#include "io/host_lookup.h"

#include <netdb.h>
#include <sys/socket.h>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace portcullis::io {
namespace {

// What the system need not be asked for (RFC 6761 6.3); nothing for other names.
std::vector<SocketAddress> Loopback(const std::string& host, const std::string& port) {
  const bool is_localhost =
      absl::EqualsIgnoreCase(host, "localhost") || absl::EndsWithIgnoreCase(host, ".localhost");
  const absl::StatusOr<SocketAddress> address =
      SocketAddress::Parse(absl::StrCat("127.0.0.1:", port.empty() ? "0" : port));
  if (!is_localhost || !address.ok()) return {};
  return {*address};
}

}  // namespace

absl::StatusOr<std::vector<SocketAddress>> LookUpHost(const std::string& host,
                                                      const std::string& port,
                                                      bool only_reachable) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = only_reachable ? AI_ADDRCONFIG : 0;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(host.c_str(), port.empty() ? nullptr : port.c_str(), &hints, &found);
  if (error != 0) {
    std::vector<SocketAddress> loopback = Loopback(host, port);
    if (loopback.empty()) return absl::NotFoundError(gai_strerror(error));
    return loopback;
  }
  std::vector<SocketAddress> addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    addresses.push_back(SocketAddress::FromSockaddr(entry->ai_addr, entry->ai_addrlen));
  }
  freeaddrinfo(found);
  if (addresses.empty()) return absl::NotFoundError("it has no address");
  return addresses;
}

}  // namespace portcullis::io
