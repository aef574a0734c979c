#include "tests/core/worker/worker_rig.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>
#include <thread>
#include <utility>

#include "io/listener.h"
#include "io/uring_ring.h"

namespace portcullis::worker {
namespace {

using tls::testing::CertificateOptions;
using tls::testing::kDay;

constexpr int kPatienceMs = 20'000;

int64_t Today() { return static_cast<int64_t>(time(nullptr)); }

CertificateOptions Valid(std::string name) {
  CertificateOptions options;
  options.common_name = std::move(name);
  options.not_before = Today() - kDay;
  options.not_after = Today() + 30 * kDay;
  return options;
}

void LimitBuffers(int fd, int bytes) {
  if (bytes == 0) return;
  EXPECT_EQ(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)), 0);
  EXPECT_EQ(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), 0);
}

int ConnectTo(uint16_t port, int socket_buffer = 0) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  LimitBuffers(fd, socket_buffer);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  return fd;
}

absl::StatusOr<std::unique_ptr<io::Ring>> MakeRing(int argument) {
  const auto kind = static_cast<RingKind>(argument);
  if (kind == RingKind::kKernel) {
    absl::StatusOr<std::unique_ptr<io::UringRing>> ring = io::UringRing::Create(io::RingOptions{});
    if (!ring.ok()) return ring.status();
    return std::unique_ptr<io::Ring>(*std::move(ring));
  }
  auto ring = std::make_unique<io::ScriptRing>(io::ScriptOptions{.seed = 20261123});
  if (kind == RingKind::kScriptWithFaults) {
    ring->set_faults({.short_send = 30,
                      .short_recv = 30,
                      .lose_more = 20,
                      .no_buffers = 5,
                      .cancel_miss = 10,
                      .late_victim = 30,
                      .partial_cancel = 30});
  }
  return std::unique_ptr<io::Ring>(std::move(ring));
}

}  // namespace

Wire::Wire(int fd) : fd_(fd) {
  const timeval patience{.tv_sec = kPatienceMs / 1000, .tv_usec = 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
}
Wire::~Wire() { Close(); }
Wire::Wire(Wire&& other) noexcept : fd_(std::exchange(other.fd_, -1)), reset_(other.reset_) {}

void Wire::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

void Wire::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

size_t Wire::SendSome(std::string_view bytes) {
  const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent < 0 ? 0 : static_cast<size_t>(sent);
}

bool Wire::Ready(short events) const {
  pollfd entry{.fd = fd_, .events = events, .revents = 0};
  return poll(&entry, 1, 0) == 1;
}

std::string Wire::Receive() {
  char buffer[16384];
  ssize_t count = 0;
  do {
    count = recv(fd_, buffer, sizeof(buffer), 0);
  } while (count < 0 && errno == EINTR);  // a receive with a timeout is not restarted by the kernel
  if (count < 0) {
    EXPECT_NE(errno, EAGAIN) << "nothing came in time";
    reset_ = errno == ECONNRESET;
    return "";
  }
  return std::string(buffer, static_cast<size_t>(count));
}

std::string Wire::ReceiveUntil(std::string_view text) {
  std::string all;
  while (all.find(text) == std::string::npos) {
    const std::string more = Receive();
    if (more.empty()) break;
    all += more;
  }
  return all;
}

std::string Wire::ReceiveAll() {
  std::string all;
  for (std::string more = Receive(); !more.empty(); more = Receive()) all += more;
  return all;
}

void Wire::ShutdownWrite() { shutdown(fd_, SHUT_WR); }

TlsWire::TlsWire(uint16_t port, const tls::testing::ClientOptions& options, int socket_buffer)
    : client_(options), wire_(ConnectTo(port, socket_buffer)) {}

void TlsWire::Flush() {
  const std::vector<uint8_t> out = client_.TakeOutput();
  wire_.Send(std::string_view(reinterpret_cast<const char*>(out.data()), out.size()));
}

bool TlsWire::Fill() {
  const std::string bytes = wire_.Receive();
  client_.Feed(std::span(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
  return !bytes.empty();
}

void TlsWire::Greet() {
  (void)client_.Handshake();
  Flush();
}

bool TlsWire::Handshake() {
  while (!client_.Handshake()) {
    Flush();
    if (client_.failed() || !Fill()) return false;
  }
  Flush();
  return true;
}

void TlsWire::Send(std::string_view text) {
  client_.Write(text);
  Flush();
}

std::string TlsWire::Receive() {
  std::string bytes = client_.Read();
  while (bytes.empty() && !client_.saw_close() && Fill()) bytes = client_.Read();
  return bytes;
}

std::string TlsWire::ReceiveUntil(std::string_view text) {
  std::string all = client_.Read();
  while (all.find(text) == std::string::npos && !client_.saw_close() && Fill())
    all += client_.Read();
  return all;
}

std::string TlsWire::ReceiveAll() {
  std::string all = client_.Read();
  while (!client_.saw_close() && Fill()) all += client_.Read();
  return all;
}

void TlsWire::CloseNotify() {
  client_.Close();
  Flush();
}

DeadTarget::DeadTarget(Kind kind) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  port_ = io::BoundPort(fd_);
  if (kind == Kind::kRefuses) return;  // bound, so that nobody else gets the port
  // Where the queue is full, the kernel drops what else comes.
  EXPECT_EQ(listen(fd_, 0), 0);
  queued_.emplace_back(ConnectTo(port_));
}

DeadTarget::~DeadTarget() { close(fd_); }

WorkerRig::WorkerRig(const RigOptions& options)
    : options_(options),
      root_(tls::testing::MakeRoot(Valid("Root"))),
      other_root_(tls::testing::MakeRoot(Valid("Other Root"))),
      server_(tls::testing::MakeLeaf(root_, Valid("localhost"))),
      client_(tls::testing::MakeLeaf(root_, Valid("Client"))),
      shards_(1, std::vector<metrics::Reason>(tls::kNumRejections,
                                              {.name = "x", .judges_certificate = true})),
      log_(1 << 16, -1, log::Wanted::kNone),
      returns_(*Returns::Create()),
      // By its clock no signature takes any time: how many wait does not hang on the machine's
      // mood.
      signers_(*signing::Pool::Start(1, [] { return int64_t{1}; })) {
  spec_.name = "localhost";
  spec_.server_names = {"localhost"};
  spec_.credentials = {tls::testing::MakeCredential(server_)};
  spec_.credentials.front().sign_on_helper = options.sign_on_helper;
  spec_.client_auth = {.mode = tls::ClientAuthMode::kRequire,
                       .refusal = options.refusal,
                       .trust = tls::testing::MakeTrust({&root_}, {}, Today()),
                       .close_on_change = options.close_on_change};
  stricter_ = spec_;
  stricter_.client_auth.trust = tls::testing::MakeTrust({&other_root_}, {}, Today());
  EXPECT_EQ(*shards_.AddListener("test"), 0U);
  EXPECT_EQ(*shards_.AddListener("renamed"), 1U);  // for tests that rename it
  EXPECT_EQ(*shards_.AddBackend("app"), 0U);
  backend_fd_ = *io::OpenListener(*io::SocketAddress::Parse("127.0.0.1:0"), {});
  backend_port_ = io::BoundPort(backend_fd_);
  worker_ =
      std::make_unique<Worker>(WorkerOptions{.index = 0,
                                             .cpu = -1,
                                             .max_connections = options.max_connections,
                                             .handshake_budget = options.handshake_budget,
                                             .signers = signers_.get(),
                                             .shard = &shards_.shard(0),
                                             .log = &log_,
                                             .returns = returns_.get(),
                                             .moves = &moves(),
                                             .make_ring = &MakeRing,
                                             .make_ring_argument = static_cast<int>(options.ring)});
  const absl::Status started = worker_->Start();
  EXPECT_TRUE(started.ok()) << started;
  const int socket = *io::OpenListener(*io::SocketAddress::Parse("127.0.0.1:0"), {});
  port_ = io::BoundPort(socket);
  LimitBuffers(socket, options.socket_buffer);  // accepted sockets inherit it
  Publish(MakeRuntime(), socket);
}

WorkerRig::~WorkerRig() {
  worker_->Post(Cut{});
  worker_->Join();
  const metrics::WorkerShard& shard = shards_.shard(0);
  EXPECT_EQ(shard.ring_stale_cqes.value(), 0U) << "a completion came for a slot already given back";
  EXPECT_EQ(counts().active_connections.value(), 0);
  EXPECT_EQ(counts().handshakes_in_progress.value(), 0);
  EXPECT_EQ(shard.connection_slots.value(), 0);
  EXPECT_EQ(shard.blocks_in_use.value(), 0);
  close(backend_fd_);
}

connection::MoveSet& WorkerRig::moves() {
  static connection::MoveSet moves;
  return moves;
}

std::unique_ptr<connection::Runtime> WorkerRig::MakeRuntime(const tls::HostSpec& spec,
                                                            const Change& change) {
  auto runtime = std::make_unique<connection::Runtime>();
  // A copy of its own, so that whoever uses it after its runtime is found out.
  const auto own_spec = std::make_shared<tls::HostSpec>(spec);
  if (change != nullptr) change(*own_spec);
  runtime->specs = own_spec;
  runtime->timeouts = options_.timeouts;
  runtime->max_connections = options_.max_connections;
  runtime->max_handshakes = options_.max_connections;
  config::Backend backend;
  backend.name = "app";
  backend.connect_timeout = options_.connect_timeout;
  std::vector<std::pair<io::SocketAddress, std::string>> targets;
  const uint16_t last = options_.only_target != 0 ? options_.only_target : backend_port_;
  for (const uint16_t port : {options_.first_target, last}) {
    if (port == 0) continue;
    io::SocketAddress target = *io::SocketAddress::Parse("127.0.0.1:1");
    target.set_port(port);
    targets.emplace_back(target, target.ToString());
  }
  runtime->backends.push_back(backend::MakeRuntime(backend, 0, targets));
  auto listener = std::make_unique<connection::ListenerRuntime>();
  listener->name = "test";
  listener->address = "test";
  listener->port = port_;
  listener->mode = options_.mode;
  auto table = tls::HostTable::Build({own_spec.get()}, {.default_host = own_spec->name},
                                     tls::TicketSecret::Random(3600));
  EXPECT_TRUE(table.ok()) << table.status();
  listener->hosts = *std::move(table);
  listener->host_runtimes.push_back({.backend = runtime->backends.front()});
  runtime->listeners.push_back(std::move(listener));
  return runtime;
}

void WorkerRig::Publish(std::unique_ptr<connection::Runtime> runtime, int socket) {
  Update update{.runtime = std::move(runtime), .sockets = {}};
  for (size_t i = 0; i < update.runtime->listeners.size(); ++i) update.sockets.push_back(socket);
  worker_->Post(std::move(update));
}

size_t WorkerRig::TakeReturned() {
  size_t count = 0;
  returns_->Drain([&](std::unique_ptr<connection::Runtime>&&) { ++count; });
  return count;
}

tls::testing::ClientOptions WorkerRig::Client() const {
  tls::testing::ClientOptions options = Stranger();
  options.certificate = &client_;
  return options;
}

tls::testing::ClientOptions WorkerRig::Stranger() const {
  tls::testing::ClientOptions options;
  options.sni = "localhost";
  options.now = Today();
  return options;
}

Wire WorkerRig::ConnectPlain() { return Wire(ConnectTo(port_)); }

bool WorkerRig::BackendHasConnection(int timeout_ms) const {
  pollfd entry{.fd = backend_fd_, .events = POLLIN, .revents = 0};
  return poll(&entry, 1, timeout_ms) == 1;
}

Wire WorkerRig::AcceptBackend() {
  EXPECT_TRUE(BackendHasConnection(kPatienceMs)) << "the backend was not connected to";
  return Wire(accept4(backend_fd_, nullptr, nullptr, SOCK_CLOEXEC));
}

void WorkerRig::ExpectServed(TlsWire& client) {
  client.Send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  Wire backend = AcceptBackend();
  EXPECT_EQ(backend.ReceiveUntil("\r\n\r\n").find("GET /hello HTTP/1.1\r\n"), 0U);
  backend.Send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(client.ReceiveUntil("hello").find("HTTP/1.1 200 OK\r\n"), 0U);
}

void WorkerRig::TakeTurns(int count) {
  for (int i = 0; i < count; ++i) {
    auto list = std::make_shared<ClientList>();
    worker_->Post(ListClients{.most = 0, .answer = list});
    EXPECT_TRUE(list->ready.try_acquire_for(std::chrono::milliseconds(kPatienceMs)));
  }
}

bool WorkerRig::Eventually(const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace portcullis::worker
