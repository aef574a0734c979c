// Supervisor: runs the service: loads the configuration, starts the workers, opens and hands over
// sockets, reloads, drains, and serves the admin port. Everything that blocks happens here, so that
// no worker has to.
//
// One thread (the one that calls Start) owns it; the admin server's threads read what they are
// given.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/log/connection_log.h"
#include "core/ocsp/fetcher.h"
#include "core/server/accept_watch.h"
#include "core/server/admin/admin_server.h"
#include "core/server/admin/status.h"
#include "core/server/restart_only.h"
#include "core/server/running_server.h"
#include "core/server/snapshot.h"
#include "core/signing/pool.h"
#include "core/worker/worker.h"
#include "metrics/collector.h"
#include "metrics/facts.h"
#include "metrics/shard_set.h"

namespace portcullis::server {

class Supervisor final : public RunningServer {
 public:
  // Start loads the config at `path` and serves when it returns OK. FailedPrecondition: the machine
  // cannot run it (no io_uring); InvalidArgument: the config; anything else: start-up failed (a
  // port in use, ...).
  static absl::StatusOr<std::unique_ptr<Supervisor>> Start(const std::string& path);
  ~Supervisor() override;

  [[nodiscard]] ServerPorts ports() const override;
  void Stop() override;

  // Reload rereads everything: all or nothing, the old stays in force on any error, and where the
  // new would refuse more of the clients seen recently than it allows itself (reload.refuse_over).
  // The outcome is logged and counted.
  absl::Status Reload();
  // BeginDrain stops accepting; Cut ends what is left at once; Wait returns when the workers have
  // ended.
  void BeginDrain();
  void Cut();
  void Wait();
  // Tidy frees what workers have handed back, and logs what they could not say themselves. Call now
  // and then.
  void Tidy();
  // finished tells whether all workers have ended (without waiting).
  [[nodiscard]] bool finished() const;

 private:
  Supervisor(std::string path, std::shared_ptr<const Snapshot> snapshot);

  absl::Status StartWorkers();
  std::shared_ptr<const tls::TicketSecret> TicketSecretOf(const Snapshot& snapshot);
  absl::Status Publish(std::shared_ptr<const Snapshot> snapshot);
  absl::Status OpenSockets(const Snapshot& snapshot, std::vector<std::vector<int>>& sockets,
                           std::vector<uint16_t>& ports, std::map<std::string, uint16_t>& open);
  [[nodiscard]] std::vector<connection::SeenClient> ClientsSeen() const;
  absl::Status Rehearse(const Snapshot& snapshot);
  absl::Status StartAdmin();
  [[nodiscard]] std::string StatusText() const;

  const std::string path_;
  std::shared_ptr<const Snapshot> snapshot_;  // in force; the supervisor's thread
  std::map<std::string, uint16_t>
      open_;  // bound port by SocketKey, of the sockets the workers hold
  uint32_t num_workers_;
  RestartOnly restart_only_;
  uint32_t worker_capacity_;
  uint64_t version_ = 0;
  // Random, for configurations without a file; outlives reloads.
  std::shared_ptr<const tls::TicketSecret> own_secret_;
  std::unique_ptr<metrics::ShardSet> shards_;
  std::unique_ptr<metrics::Facts> facts_;
  std::unique_ptr<log::ConnectionLog> log_;
  std::unique_ptr<worker::Returns> returns_;
  std::unique_ptr<ocsp::Fetcher> fetcher_;  // ends before the workers that it tells of its results
  std::unique_ptr<signing::Pool> signers_;  // ends before the workers that it tells of its results
  std::vector<std::unique_ptr<worker::Worker>> workers_;
  AcceptWatch accept_watch_;
  std::atomic<Readiness> readiness_{Readiness::kStarting};
  mutable std::mutex addresses_mutex_;  // the admin threads read addresses_
  std::vector<ListenerAddress> addresses_;
  std::map<std::string, uint16_t> listener_ports_;  // by name
  std::unique_ptr<AdminServer> admin_;
  bool draining_ = false;
};

}  // namespace portcullis::server
