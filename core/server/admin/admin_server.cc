#include "core/server/admin/admin_server.h"

#include <arpa/inet.h>

#include <array>
#include <chrono>
#include <exception>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "civetweb.h"

#include "core/log/operator_log.h"
#include "io/polled_socket.h"
#include "io/socket_address.h"

namespace portcullis::server {
namespace {

// A peer that is silent holds one until its time is up: so there are many, and that is short.
constexpr const char* kThreads = "16";
// How long a peer may take over its request, or over taking the response.
constexpr const char* kRequestTimeoutMs = "2000";
constexpr std::chrono::milliseconds kKnockInterval{5};

absl::Status BadAddress(std::string_view address, std::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("admin address \"", std::string(address), "\": ", std::string(why)));
}

struct Address {
  std::string host;  // an IP address, without brackets
  uint16_t port = 0;

  // In civetweb's syntax.
  [[nodiscard]] std::string ListeningPort() const {
    const bool v6 = host.find(':') != std::string::npos;
    return v6 ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
  }
};

bool IsAddress(int family, const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> ignored;
  return inet_pton(family, host.c_str(), ignored.data()) == 1;
}

// civetweb's own syntax has lists, options and TLS ports: what gets through here is one address and
// one port.
absl::StatusOr<Address> ParseAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return BadAddress(text, "has no port; want HOST:PORT");
  std::string host(text.substr(0, colon));
  const std::string digits(text.substr(colon + 1));
  uint32_t port = 0;
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos ||
      !absl::SimpleAtoi(digits, &port) || port > 65535) {
    return BadAddress(text, "port must be 0..65535");
  }
  if (host == "*") host = "0.0.0.0";
  if (host == "localhost") host = "127.0.0.1";
  if (IsAddress(AF_INET, host)) return Address{host, static_cast<uint16_t>(port)};
  if (host.size() < 2 || host.front() != '[' || host.back() != ']' ||
      !IsAddress(AF_INET6, host.substr(1, host.size() - 2))) {
    return BadAddress(text, "host must be an IP address, localhost or *");
  }
  if (mg_check_feature(MG_FEATURES_IPV6) == 0) {
    return BadAddress(text, "the civetweb installed has no IPv6; use an IPv4 address");
  }
  return Address{host.substr(1, host.size() - 2), static_cast<uint16_t>(port)};
}

// Knocks connects to an address of our own and hangs up, which wakes whoever waits to accept there.
void Knock(const std::string& host, uint16_t port) {
  const absl::StatusOr<io::SocketAddress> address = io::SocketAddress::FromIp(host, port);
  if (!address.ok()) return;
  // Whether it succeeds shows in whether the other side wakes.
  io::PolledSocket socket;
  [[maybe_unused]] const io::PolledSocket::Result ignored = socket.Connect(*address);
}

std::string_view StatusText(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

void Send(mg_connection* connection, const AdminResponse& response, bool with_body) {
  std::string message = absl::StrCat(
      "HTTP/1.1 ", response.status, " ", std::string(StatusText(response.status)),
      "\r\nContent-Type: ", std::string(response.content_type),
      "\r\nContent-Length: ", response.body.size(),
      "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n",
      response.status == 405 ? "Allow: GET, HEAD\r\n" : "", "\r\n");
  if (with_body) message += response.body;
  mg_write(connection, message.data(), message.size());
}

// Without TLS: civetweb would load a libssl that has no business in this process.
void InitCivetweb() {
  static std::once_flag once;
  std::call_once(once, [] { mg_init_library(0); });
}

}  // namespace

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(
    std::string_view address, std::shared_ptr<prometheus::Collectable> metrics,
    std::function<Readiness()> readiness, std::function<std::string()> status_json,
    std::function<std::string()> rejections_json) {
  InitCivetweb();
  const absl::StatusOr<Address> parsed = ParseAddress(address);
  if (!parsed.ok()) return parsed.status();
  const std::string listening_port = parsed->ListeningPort();
  // Not make_unique: the constructor is private.
  std::unique_ptr<AdminServer> server(
      new AdminServer(AdminPages(std::move(metrics), std::move(readiness), std::move(status_json),
                                 std::move(rejections_json)),
                      parsed->host));
  const std::array<const char*, 11> options = {"listening_ports",
                                               listening_port.c_str(),
                                               "num_threads",
                                               kThreads,
                                               "request_timeout_ms",
                                               kRequestTimeoutMs,
                                               "enable_keep_alive",
                                               "no",
                                               "enable_directory_listing",
                                               "no",
                                               nullptr};
  mg_callbacks callbacks = {};
  callbacks.begin_request = &AdminServer::OnRequest;
  callbacks.log_message = &AdminServer::OnLog;
  server->context_ = mg_start(&callbacks, server.get(), const_cast<const char**>(options.data()));
  const std::lock_guard lock(server->mutex_);
  server->starting_ = false;
  if (server->context_ == nullptr) {
    return absl::UnavailableError(absl::StrCat("admin server cannot listen on ",
                                               std::string(address), ": ", server->start_error_));
  }
  mg_server_port port = {};
  if (mg_get_server_ports(server->context_, 1, &port) != 1) {
    return absl::InternalError("admin server does not know its own port");
  }
  server->port_ = static_cast<uint16_t>(port.port);
  return server;
}

AdminServer::AdminServer(AdminPages pages, std::string host)
    : pages_(std::move(pages)), host_(std::move(host)) {}

AdminServer::~AdminServer() {
  if (context_ != nullptr) Stop();
}

void AdminServer::Stop() {
  // The accepting thread looks at whether to stop only when a connection comes or two seconds have
  // passed. It may be too early to knock only once: mg_stop tells the thread at some moment of its
  // own.
  std::promise<void> stopped;
  std::thread stopper([&] {
    mg_stop(context_);
    stopped.set_value();
  });
  const std::future<void> done = stopped.get_future();
  while (done.wait_for(kKnockInterval) == std::future_status::timeout) Knock(host_, port_);
  stopper.join();
}

int AdminServer::OnRequest(mg_connection* connection) {
  const mg_request_info* request = mg_get_request_info(connection);
  const auto* server = static_cast<const AdminServer*>(request->user_data);
  // C frames are above: nothing may be thrown through them.
  try {
    const std::string_view method = request->request_method;
    const std::string_view path = request->local_uri != nullptr ? request->local_uri : "";
    // civetweb's threads have 100 KiB of stack, which rendering the metrics comes near; this one
    // has the usual size. A scrape every few seconds can pay for a thread.
    const AdminResponse response =
        std::async(std::launch::async, [&] { return server->pages_.Respond(method, path); }).get();
    Send(connection, response, method != "HEAD");
    return response.status;
  } catch (const std::exception&) {
    return 500;
  }
}

int AdminServer::OnLog(const mg_connection* connection, const char* message) {
  try {
    auto* server = static_cast<AdminServer*>(mg_get_user_context_data(connection));
    if (server != nullptr) {
      const std::lock_guard lock(server->mutex_);
      // mg_start tells only here why it fails, and the first message is the cause.
      if (server->starting_ && server->start_error_.empty()) server->start_error_ = message;
    }
    log::Debug(absl::StrCat("admin: ", message));
  } catch (const std::exception&) {
    return 1;
  }
  return 1;  // civetweb is not to log it as well
}

}  // namespace portcullis::server
