#include "tests/core/server/commands/fake_terminator.h"

#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "core/config/yaml_reader.h"
#include "io/listener.h"
#include "io/socket_address.h"

namespace portcullis::server {
namespace {

absl::StatusOr<int> Listen(const std::string& address) {
  const absl::StatusOr<io::SocketAddress> parsed = io::SocketAddress::Parse(address);
  if (!parsed.ok()) return parsed.status();
  return io::OpenListener(*parsed, {.backlog = 16, .reuse_port = false});
}

// Accepts one connection after another until the listener is shut down.
void AcceptLoop(int listen_fd, const std::function<void(int)>& serve) {
  while (true) {
    const int fd = accept4(listen_fd, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    serve(fd);
    close(fd);
  }
}

std::string Page(const std::string& title) {
  const std::string body =
      absl::StrCat("<html>\r\n<head><title>400 ", title, "</title></head>\r\n</html>\r\n");
  return absl::StrCat("HTTP/1.1 400 Bad Request\r\nContent-Length: ", body.size(),
                      "\r\nConnection: close\r\n\r\n", body);
}

// The whole answer to `request`, from a server that closes.
std::string Ask(const std::string& address, const std::string& request) {
  const io::SocketAddress parsed = *io::SocketAddress::Parse(address);
  const int fd = socket(parsed.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::string answer;
  if (connect(fd, parsed.data(), parsed.length()) == 0 &&
      send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0) {
    char buffer[4096];
    for (ssize_t count; (count = recv(fd, buffer, sizeof(buffer), 0)) > 0;) {
      answer.append(buffer, static_cast<size_t>(count));
    }
  }
  close(fd);
  return answer;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RunningServer>> FakeTerminator::Start(const std::string& config_path,
                                                                     Fault fault) {
  absl::StatusOr<config::Config> config = config::LoadConfig(config_path);
  if (!config.ok()) return config.status();
  std::unique_ptr<FakeTerminator> server(new FakeTerminator(*std::move(config), fault));
  if (absl::Status status = server->Open(); !status.ok()) return status;
  return server;
}

absl::Status FakeTerminator::Open() {
  const config::VirtualHost& host = config_.virtual_hosts[0];
  context_.reset(SSL_CTX_new(TLS_method()));
  if (!SSL_CTX_use_certificate_chain_file(context_.get(),
                                          host.certificates[0].chain_path.c_str()) ||
      !SSL_CTX_use_PrivateKey_file(context_.get(), host.certificates[0].key_path.c_str(),
                                   SSL_FILETYPE_PEM) ||
      !SSL_CTX_load_verify_locations(context_.get(), config_.trusts[0].ca_paths[0].c_str(),
                                     nullptr)) {
    return absl::InternalError("certificates");
  }
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_OFF);
  const absl::StatusOr<int> listen_fd = Listen(config_.listeners[0].address);
  if (!listen_fd.ok()) return listen_fd.status();
  listen_fd_ = *listen_fd;
  const absl::StatusOr<int> admin_fd = Listen(config_.admin.address);
  if (!admin_fd.ok()) return admin_fd.status();
  admin_fd_ = *admin_fd;
  clients_ = std::thread([this] { ServeClients(); });
  scrapes_ = std::thread([this] { ServeScrapes(); });
  return absl::OkStatus();
}

FakeTerminator::~FakeTerminator() { Stop(); }

ServerPorts FakeTerminator::ports() const {
  return {.admin = io::BoundPort(admin_fd_),
          .listeners = {{config_.listeners[0].name, io::BoundPort(listen_fd_)}}};
}

void FakeTerminator::Stop() {
  for (int fd : {listen_fd_, admin_fd_}) {
    if (fd >= 0) shutdown(fd, SHUT_RDWR);
  }
  if (clients_.joinable()) clients_.join();
  if (scrapes_.joinable()) scrapes_.join();
  for (int* fd : {&listen_fd_, &admin_fd_}) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
  }
}

void FakeTerminator::ServeClients() {
  AcceptLoop(listen_fd_, [this](int fd) { ServeClient(fd); });
}

void FakeTerminator::ServeClient(int fd) {
  bssl::UniquePtr<SSL> ssl(SSL_new(context_.get()));
  SSL_set_fd(ssl.get(), fd);
  if (SSL_accept(ssl.get()) != 1) return;
  bssl::UniquePtr<X509> certificate(SSL_get_peer_certificate(ssl.get()));
  const Outcome outcome = !certificate                                    ? Outcome::kNoCertificate
                          : SSL_get_verify_result(ssl.get()) == X509_V_OK ? Outcome::kOk
                                                                          : Outcome::kUnknownCa;
  counts_[static_cast<size_t>(outcome)] += fault_ == Fault::kCountsTwice ? 2 : 1;
  std::string request;
  char buffer[4096];
  while (request.find("\r\n\r\n") == request.npos) {
    const int count = SSL_read(ssl.get(), buffer, sizeof(buffer));
    if (count <= 0) return;
    request.append(buffer, static_cast<size_t>(count));
  }
  const std::string answer = AnswerFor(outcome);
  SSL_write(ssl.get(), answer.data(), static_cast<int>(answer.size()));
  SSL_shutdown(ssl.get());
  shutdown(fd, SHUT_WR);
  while (recv(fd, buffer, sizeof(buffer), 0) > 0) {
  }
}

std::string FakeTerminator::AnswerFor(Outcome outcome) const {
  const bool admitted = outcome == Outcome::kOk || fault_ == Fault::kAdmitsAnyone ||
                        (outcome == Outcome::kUnknownCa && fault_ == Fault::kAdmitsStrangers);
  if (!admitted) {
    return Page(outcome == Outcome::kNoCertificate ? "No required SSL certificate was sent"
                                                   : "The SSL certificate error");
  }
  const std::string identity = fault_ == Fault::kHidesIdentity
                                   ? ""
                                   : "ssl-client-verify: SUCCESS\r\nssl-client-subject-dn: CN=Demo "
                                     "Client,O=Portcullis demo\r\n";
  return Ask(config_.backends[0].targets[0].address,
             absl::StrCat("GET / HTTP/1.0\r\n", identity, "\r\n"));
}

std::string FakeTerminator::Metrics() const {
  const int ok = counts_[0];
  const int no_certificate = counts_[1];
  const int unknown_ca = counts_[2];
  constexpr char kCount[] = "portcullis_handshake_duration_seconds_count{listener=\"demo\",";
  constexpr char kRejections[] = "portcullis_handshake_rejections_total{listener=\"demo\",";
  return absl::StrCat(kCount, "result=\"ok\"} ", ok, "\n",                                 //
                      kCount, "result=\"rejected\"} ", no_certificate + unknown_ca, "\n",  //
                      kRejections, "reason=\"no_cert\"} ", no_certificate, "\n",           //
                      kRejections, "reason=\"unknown_ca\"} ", unknown_ca, "\n",            //
                      kRejections, "reason=\"expired\"} 0\n");
}

void FakeTerminator::ServeScrapes() {
  AcceptLoop(admin_fd_, [this](int fd) {
    char buffer[4096];
    if (recv(fd, buffer, sizeof(buffer), 0) <= 0) return;
    const bool found = fault_ != Fault::kNoMetrics;
    const std::string body = found ? Metrics() : "";
    const std::string answer =
        absl::StrCat("HTTP/1.1 ", found ? "200 OK" : "404 Not Found",
                     "\r\nContent-Length: ", body.size(), "\r\nConnection: close\r\n\r\n", body);
    send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
  });
}

}  // namespace portcullis::server
