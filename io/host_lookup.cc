#include "io/host_lookup.h"

#include <netdb.h>
#include <sys/socket.h>

#include "absl/status/status.h"

namespace portcullis::io {

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
  if (error != 0) return absl::NotFoundError(gai_strerror(error));
  std::vector<SocketAddress> addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    addresses.push_back(SocketAddress::FromSockaddr(entry->ai_addr, entry->ai_addrlen));
  }
  freeaddrinfo(found);
  if (addresses.empty()) return absl::NotFoundError("it has no address");
  return addresses;
}

}  // namespace portcullis::io
