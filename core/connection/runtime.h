// Runtime: what one worker serves under one configuration: its own listeners' virtual hosts, TLS
// contexts and backends. Built by the supervisor (core/server), handed to the worker, used by its
// thread only. A connection belongs to the Runtime it was accepted under until it is moved to a
// later one (lapse.h); the worker hands a retired one back when its last connection is gone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/backend/runtime.h"
#include "core/config/config.h"
#include "tls/host_table.h"
#include "tls/trust_material.h"
#include "tls/verifier_set.h"

namespace portcullis::connection {

// A virtual host's part beyond TLS, by tls::Host::index of the listener's table.
struct HostRuntime {
  config::IdentityProfile identity = config::IdentityProfile::kIngressNginx;
  config::Forwarding forwarding = config::Forwarding::kXForwarded;
  bool pass_certificate = false;
  bool explain_refusals = false;                     // pages of refusal say why in a header
  bool server_tokens = true;                         // pages made here name a server
  std::shared_ptr<backend::BackendRuntime> backend;  // one of the runtime's
};

struct ListenerRuntime {
  std::string name;
  std::string address;      // as configured: identifies the socket across reloads
  uint32_t metrics_id = 0;  // dense id in the metrics shard
  uint16_t port = 0;        // that clients connect to
  config::StageMode mode = config::StageMode::kHttp;
  std::unique_ptr<tls::HostTable> hosts;
  std::vector<HostRuntime> host_runtimes;
};

struct Runtime {
  uint64_t version = 0;  // counts reloads
  config::Timeouts timeouts;
  uint32_t max_connections = 0;  // this worker's share
  uint32_t max_handshakes = 0;
  uint32_t max_request_head_bytes = 32768;
  uint32_t max_headers = 128;
  std::vector<std::shared_ptr<backend::BackendRuntime>> backends;
  tls::VerifierSet verifiers;  // of all listeners' host tables, which it outlives
  // All that are configured: live clients of a host that is gone are judged by its trust. The only
  // use is a verifier for one, made by the worker when that comes to pass.
  std::vector<std::shared_ptr<const tls::TrustMaterial>> trusts;
  std::vector<std::unique_ptr<ListenerRuntime>> listeners;  // index = listener slot of the worker
  std::shared_ptr<const void> specs;  // keeps the immutable specs that the host tables point into
  uint32_t connections = 0;           // using this runtime now
};

}  // namespace portcullis::connection
