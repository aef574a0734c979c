// Snapshot: a configuration with everything it names read, parsed and checked: certificates, trust,
// CRLs, backend addresses. Immutable once loaded; the supervisor builds each worker's Runtime from
// it. Loading blocks and belongs to the supervisor's thread; it is all or nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

#include "core/config/config.h"
#include "core/connection/runtime.h"
#include "io/socket_address.h"
#include "metrics/facts.h"
#include "metrics/shard_set.h"
#include "tls/host_table.h"

namespace portcullis::server {

using ResolvedTargets = std::vector<std::pair<io::SocketAddress, std::string>>;

struct ListenerSnapshot {
  const config::Listener* listener = nullptr;
  std::vector<std::unique_ptr<tls::HostSpec>> hosts;      // in the order of the listener's hosts
  std::vector<const config::VirtualHost*> virtual_hosts;  // likewise
  tls::HostTableOptions options;
};

struct Snapshot {
  config::Config config;
  std::vector<std::string> warnings;
  std::vector<std::string> notes;  // what was found out about this machine while loading
  std::vector<ListenerSnapshot> listeners;
  absl::flat_hash_map<std::string, std::shared_ptr<const tls::TrustMaterial>> trusts;
  absl::flat_hash_map<std::string, tls::Sha256> trust_digests;  // TrustMaterial::DigestOf, of each
  std::vector<ResolvedTargets> backend_targets;                 // as config.backends
  std::vector<metrics::CertificateFact> certificates;           // for the expiry metrics
  std::vector<metrics::CrlFact> crls;
  std::shared_ptr<const tls::TicketSecret> ticket_secret;  // from the file; null without one
};

// LoadSnapshot reads the config at `path` and everything it names. InvalidArgument lists what is
// wrong, a line each. It shares with `in_force`, unless null, the trusts that have not changed.
absl::StatusOr<std::shared_ptr<const Snapshot>> LoadSnapshot(const std::string& path, int64_t now,
                                                             const Snapshot* in_force = nullptr);

// SocketKey identifies a listener's socket across reloads: its address, and its name where the port
// is any free one.
[[nodiscard]] std::string SocketKey(const config::Listener& listener);

struct RuntimeParameters {
  uint64_t version = 0;
  uint32_t num_workers = 1;
  uint32_t worker_capacity = 0;          // slots a worker has
  std::vector<uint16_t> listener_ports;  // as bound, as snapshot.listeners
  std::shared_ptr<const tls::TicketSecret> ticket_secret;
};

// BuildRuntime makes one worker's runtime. `shards` numbers listeners and backends.
absl::StatusOr<std::unique_ptr<connection::Runtime>> BuildRuntime(
    std::shared_ptr<const Snapshot> snapshot, const RuntimeParameters& parameters,
    metrics::ShardSet& shards);

}  // namespace portcullis::server
