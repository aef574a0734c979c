// WorkerRig: one worker in this process, on the kernel's ring or on the scripted one, with a
// listener, a trust of its own and a backend that the test plays by hand; and a TLS client over a
// real socket. The test's thread; the worker runs on its own.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/connection/runtime.h"
#include "core/log/log_ring.h"
#include "core/worker/worker.h"
#include "io/script_ring.h"
#include "metrics/shard_set.h"
#include "tests/tls/test_client.h"

namespace portcullis::worker {

// A connected socket of the test's own; every wait on it is bounded.
class Wire {
 public:
  explicit Wire(int fd);
  ~Wire();
  Wire(Wire&& other) noexcept;
  Wire& operator=(Wire&&) = delete;

  void Send(std::string_view bytes);
  // Receive returns what comes next, "" at the end of the stream; sets reset() when it broke.
  std::string Receive();
  // ReceiveUntil collects until `text` is in it, or the stream ends.
  std::string ReceiveUntil(std::string_view text);
  std::string ReceiveAll();
  // SendSome sends what the other side and the buffers take at once, and returns how much it was.
  size_t SendSome(std::string_view bytes);
  // readable tells whether Receive would return at once, writable whether there is room to send.
  [[nodiscard]] bool readable() const { return Ready(POLLIN); }
  [[nodiscard]] bool writable() const { return Ready(POLLOUT); }
  void ShutdownWrite();
  void Close();
  [[nodiscard]] bool reset() const { return reset_; }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  [[nodiscard]] bool Ready(short events) const;
  int fd_;
  bool reset_ = false;
};

// A TLS client on a Wire.
class TlsWire {
 public:
  // With `socket_buffer` other than 0 the kernel keeps no more on this side, each way.
  TlsWire(uint16_t port, const tls::testing::ClientOptions& options, int socket_buffer = 0);
  // Greet sends the ClientHello and does not wait for the answer.
  void Greet();
  // Handshake is true when it completed on this side.
  bool Handshake();
  void Send(std::string_view text);
  // Receive returns what comes next, "" at the end.
  std::string Receive();
  std::string ReceiveUntil(std::string_view text);
  // ReceiveAll reads until close_notify, the end of the stream, or a reset.
  std::string ReceiveAll();
  void CloseNotify();
  [[nodiscard]] bool clean_end() const { return client_.saw_close(); }
  [[nodiscard]] bool reset() const { return wire_.reset(); }
  [[nodiscard]] tls::testing::TestClient& client() { return client_; }
  [[nodiscard]] Wire& wire() { return wire_; }

 private:
  void Flush();
  bool Fill();  // one receive; false at the end
  tls::testing::TestClient client_;
  Wire wire_;
};

// A port that nobody accepts on: connections to it are refused, or get no answer at all.
class DeadTarget {
 public:
  enum class Kind : uint8_t { kRefuses, kSilent };
  explicit DeadTarget(Kind kind);
  ~DeadTarget();
  DeadTarget(const DeadTarget&) = delete;
  DeadTarget& operator=(const DeadTarget&) = delete;
  [[nodiscard]] uint16_t port() const { return port_; }

 private:
  int fd_;
  uint16_t port_ = 0;
  std::vector<Wire> queued_;
};

enum class RingKind : uint8_t { kKernel, kScript, kScriptWithFaults };

struct RigOptions {
  RingKind ring = RingKind::kKernel;
  config::StageMode mode = config::StageMode::kHttp;
  tls::RefusalStyle refusal = tls::RefusalStyle::kHttp;
  config::Timeouts timeouts{};
  uint32_t max_connections = 64;
  bool sign_on_helper = false;
  bool close_on_change = true;
  // Ports of targets that are tried before the rig's own, and in its stead; 0: none.
  uint16_t first_target = 0;
  uint16_t only_target = 0;
  config::milliseconds connect_timeout{3000};
  std::chrono::nanoseconds handshake_budget = WorkerOptions().handshake_budget;
  int socket_buffer = 0;  // of clients' connections, on both sides; 0: the system's
};

class WorkerRig {
 public:
  explicit WorkerRig(const RigOptions& options);
  ~WorkerRig();  // cuts, joins, and checks that the worker's books balance

  using Change = std::function<void(tls::HostSpec&)>;
  // MakeRuntime makes a runtime like the one in force, but for what `change` makes of its host;
  // Publish hands it over.
  std::unique_ptr<connection::Runtime> MakeRuntime(const Change& change = nullptr) {
    return MakeRuntime(spec_, change);
  }
  // MakeStricterRuntime: one under which none of the rig's clients would be let in.
  std::unique_ptr<connection::Runtime> MakeStricterRuntime(const Change& change = nullptr) {
    return MakeRuntime(stricter_, change);
  }
  void Publish(std::unique_ptr<connection::Runtime> runtime, int socket);
  // TakeReturned frees the runtimes that the worker has handed back since the last call, and
  // returns how many they were.
  size_t TakeReturned();
  Worker& worker() { return *worker_; }

  [[nodiscard]] tls::testing::ClientOptions Client() const;    // with a good certificate
  [[nodiscard]] tls::testing::ClientOptions Stranger() const;  // without any
  TlsWire Connect(const tls::testing::ClientOptions& options) {
    return TlsWire(port_, options, options_.socket_buffer);
  }
  Wire ConnectPlain();
  // AcceptBackend returns the worker's next connection to the backend.
  Wire AcceptBackend();
  [[nodiscard]] bool BackendHasConnection(int timeout_ms) const;
  [[nodiscard]] uint16_t port() const { return port_; }
  metrics::ListenerShard& counts() { return shards_.shard(0).listener(0); }
  metrics::WorkerShard& shard() { return shards_.shard(0); }
  // signers: the helper that the worker has, of its own.
  signing::Pool& signers() { return *signers_; }
  // ExpectServed plays a request of the client's and the backend's answer over a new connection.
  void ExpectServed(TlsWire& client);
  // TakeTurns returns when the worker has gone round its loop `count` times.
  void TakeTurns(int count);
  // Eventually polls until `done` or a generous deadline.
  [[nodiscard]] static bool Eventually(const std::function<bool()>& done);

  // moves: those that connections of any rig have made.
  [[nodiscard]] static connection::MoveSet& moves();

 private:
  std::unique_ptr<connection::Runtime> MakeRuntime(const tls::HostSpec& spec, const Change& change);

  RigOptions options_;
  tls::testing::TestCertificate root_;
  tls::testing::TestCertificate other_root_;
  tls::testing::TestCertificate server_;
  tls::testing::TestCertificate client_;
  tls::HostSpec spec_;
  tls::HostSpec stricter_;
  metrics::ShardSet shards_;
  log::LogRing log_;
  std::unique_ptr<Returns> returns_;
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<signing::Pool> signers_;  // ends before the worker
  int backend_fd_ = -1;
  uint16_t backend_port_ = 0;
  uint16_t port_ = 0;
};

}  // namespace portcullis::worker
