// BackendRuntime: a worker's own copy of one configured backend: its targets, their idle
// connections and their recent failures. Made by the supervisor for one worker and one snapshot;
// from then on that worker's thread only. Shared by the worker's Runtime and the connections to it,
// which may outlive that: whoever goes last frees it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "core/config/config.h"
#include "io/intrusive_list.h"
#include "io/socket_address.h"
#include "io/timer_wheel.h"

namespace portcullis::backend {

struct TargetRuntime {
  io::SocketAddress address;
  // As configured, for the log: of a connection, which may be told when the target is gone.
  std::shared_ptr<const std::string> text;
  io::IntrusiveList idle;  // Upstream::idle_node
  uint32_t num_idle = 0;
  io::Millis down_until_ms = 0;  // passed over until then, unless every target is down
};

struct BackendRuntime {
  std::string name;
  uint32_t metrics_id = 0;  // dense id in the metrics shard
  std::vector<std::unique_ptr<TargetRuntime>> targets;
  uint32_t next_target = 0;    // round robin
  uint32_t num_upstreams = 0;  // connections that exist, closing ones included
  uint32_t num_idle = 0;       // of them, waiting in the targets' pools
  bool is_retired = false;     // no connection is kept for another request (Pool::Retire)
  io::Millis connect_timeout_ms = 3000;
  io::Millis keepalive_ms = 30000;
  uint32_t max_idle_per_target = 32;
};

// ResolveTargets turns configured addresses into socket addresses; host names are looked up
// (blocking: set-up only), each address of a name becoming a target. Errors name the file, line and
// name.
absl::StatusOr<std::vector<std::pair<io::SocketAddress, std::string>>> ResolveTargets(
    const config::Backend& backend);

// MakeRuntime copies a backend for one worker.
std::shared_ptr<BackendRuntime> MakeRuntime(
    const config::Backend& backend, uint32_t metrics_id,
    const std::vector<std::pair<io::SocketAddress, std::string>>& targets);

}  // namespace portcullis::backend
