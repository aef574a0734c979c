// AdminServer: serves AdminPages over plain HTTP/1.1 on a port of its own, on civetweb with sixteen
// threads of its own. Needs no certificate: meant for loopback or a cluster's inner network.
// Connections are not kept alive, and silent ones are given two seconds, so that idle peers cannot
// keep threads from a liveness probe. Owned by the supervisor; must be destroyed before what its
// pages read.
#pragma once

#include <prometheus/collectable.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "core/server/admin/admin_pages.h"
#include "core/server/admin/readiness.h"

struct mg_connection;
struct mg_context;

namespace portcullis::server {

class AdminServer {
 public:
  // Start listens on `address`: "127.0.0.1:9180", "localhost:9180", "*:9180", with port 0 any free
  // port. IPv6 only where the civetweb installed was built with it. The functions are called by the
  // admin threads, several at once. InvalidArgument for an address it cannot use, Unavailable when
  // it cannot be bound (busy, not ours).
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<AdminServer>> Start(
      std::string_view address, std::shared_ptr<prometheus::Collectable> metrics,
      std::function<Readiness()> readiness, std::function<std::string()> status_json,
      std::function<std::string()> rejections_json);

  // Stops listening and waits for the requests under way (a few seconds at most, for a peer that
  // stalls).
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // port returns the port listened on.
  [[nodiscard]] uint16_t port() const { return port_; }

 private:
  AdminServer(AdminPages pages, std::string host);

  // Stops civetweb, without the seconds for which its accepting thread would sleep on.
  void Stop();

  // civetweb's callbacks, in its threads.
  static int OnRequest(mg_connection* connection);
  static int OnLog(const mg_connection* connection, const char* message);

  const AdminPages pages_;
  const std::string host_;  // the address listened on, without brackets
  std::mutex mutex_;
  bool starting_ = true;     // guarded by mutex_
  std::string start_error_;  // guarded by mutex_: the first thing civetweb said while starting
  mg_context* context_ = nullptr;
  uint16_t port_ = 0;
};

}  // namespace portcullis::server
