// EmbeddedBackend: a small backend in this process, for the demo, tests and benchmarks: the demo
// site over HTTP/1, or raw echo with half-close, on TCP or a Unix socket.
//
// Owned by whoever starts it; its threads are its own and end with Stop. Start, Stop and the
// destructor belong to one thread. It has no TLS, no idle timeout and no limit on connections: it
// is meant to stand behind the terminator.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"

#include "core/server/commands/args.h"
#include "core/server/commands/session_loop.h"
#include "io/socket_address.h"

namespace portcullis::server {

struct EmbeddedBackendOptions {
  std::string listen = "127.0.0.1:0";  // as io::SocketAddress::Parse reads it
  BackendMode mode = BackendMode::kHttp;
  int num_threads = 2;
};

class EmbeddedBackend {
 public:
  // Start listens and serves. A Unix socket's path may hold a dead socket, which is replaced;
  // anything else there is an error, as is a busy port.
  static absl::StatusOr<std::unique_ptr<EmbeddedBackend>> Start(
      const EmbeddedBackendOptions& options);

  ~EmbeddedBackend();
  EmbeddedBackend(const EmbeddedBackend&) = delete;
  EmbeddedBackend& operator=(const EmbeddedBackend&) = delete;

  // address is where it listens, with the real port: "127.0.0.1:40123", "unix:/run/app.sock".
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] uint16_t port() const { return port_; }  // 0 for a Unix socket

  // Stop cuts all connections, joins the threads and removes the Unix socket. Once or many times
  // called.
  void Stop();

 private:
  EmbeddedBackend() = default;
  absl::Status Listen(const io::SocketAddress& address);
  absl::Status Run(const EmbeddedBackendOptions& options);

  int listen_fd_ = -1;
  int stop_fd_ = -1;
  std::string address_;
  uint16_t port_ = 0;
  std::string unix_path_;  // to remove; empty for TCP
  std::vector<std::unique_ptr<SessionLoop>> loops_;
  std::vector<std::thread> threads_;
};

}  // namespace portcullis::server
