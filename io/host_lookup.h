// LookUpHost: the addresses of a name, from the system's resolver. Blocks: for set-up and helper
// threads, never a worker's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "io/socket_address.h"

namespace portcullis::io {

// LookUpHost returns all addresses of `host` for TCP, each with `port` (a number, or a service's
// name; empty: 0); never none. Where `only_reachable`, none of a family that this machine has no
// address of. "localhost" and names below it are 127.0.0.1 where the system does not know
// them (RFC 6761 6.3), as in a container without /etc/hosts. NotFound, with the resolver's words,
// otherwise.
[[nodiscard]] absl::StatusOr<std::vector<SocketAddress>> LookUpHost(const std::string& host,
                                                                    const std::string& port,
                                                                    bool only_reachable);

}  // namespace portcullis::io
