#include "core/server/admin/admin_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/server/admin/status.h"
#include "metrics/collector.h"

namespace portcullis::server {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

int Connect(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return fd;
}

// Sends `request` and returns all that comes back until the server closes.
std::string Exchange(uint16_t port, std::string_view request) {
  const int fd = Connect(port);
  EXPECT_EQ(send(fd, request.data(), request.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(request.size()));
  std::string response;
  std::array<char, 4096> buffer;
  for (ssize_t n = 0; (n = recv(fd, buffer.data(), buffer.size(), 0)) > 0;) {
    response.append(buffer.data(), static_cast<size_t>(n));
  }
  close(fd);
  return response;
}

std::string Get(uint16_t port, std::string_view path) {
  return Exchange(port, "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

// What the supervisor would own.
class AdminServerTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<AdminServer>> Start(std::string_view address) {
    return AdminServer::Start(
        address, std::make_shared<metrics::Collector>(shards_, facts_, nullptr),
        [this] { return readiness_.load(); },
        [this] {
          return StatusJson(readiness_, facts_.Take(), shards_.Take(), {{"edge", "0.0.0.0:8443"}},
                            1'700);
        },
        [] { return std::string("{}\n"); });
  }

  metrics::ShardSet shards_{1, {{"none", false}, {"expired", true}}};
  metrics::Facts facts_{{"0.1.0", "abc", "boring"}, 1, 1'000};
  size_t edge_ = *shards_.AddListener("edge");
  std::atomic<Readiness> readiness_{Readiness::kServing};
};

TEST_F(AdminServerTest, ServesItsPagesToARealClient) {
  const auto server = *Start("127.0.0.1:0");
  ASSERT_NE(server->port(), 0);
  const std::string url = "http://127.0.0.1:" + std::to_string(server->port());
  const auto curl = [&](const std::string& arguments) {
    FILE* pipe = popen(("curl -sS --max-time 20 " + arguments + " 2>&1").c_str(), "r");
    std::string output;
    std::array<char, 4096> buffer;
    for (size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
      output.append(buffer.data(), n);
    EXPECT_EQ(pclose(pipe), 0) << output;
    return output;
  };
  shards_.shard(0).listener(edge_).CountRejection(1);
  EXPECT_THAT(
      curl(url + "/metrics"),
      HasSubstr("portcullis_handshake_rejections_total{listener=\"edge\",reason=\"expired\"} 1\n"));
  EXPECT_EQ(curl("-w '%{http_code}' " + url + "/healthz"), "ok\n200");
  EXPECT_EQ(curl("-w '%{http_code}' " + url + "/readyz"), "serving\n200");
  readiness_ = Readiness::kDraining;
  EXPECT_EQ(curl("-w '%{http_code}' " + url + "/readyz"), "draining\n503");
  EXPECT_EQ(nlohmann::json::parse(curl(url + "/status"))["state"], "draining");
  EXPECT_THAT(curl(url + "/"), HasSubstr("<title>Portcullis</title>"));
  EXPECT_THAT(curl("-I " + url + "/healthz"), HasSubstr("Content-Length: 3"));
}

TEST_F(AdminServerTest, AnswersOddRequestsAndLivesOn) {
  const auto server = *Start("127.0.0.1:0");
  const uint16_t port = server->port();
  EXPECT_THAT(Get(port, "/metrics?x=1"), StartsWith("HTTP/1.1 200 OK\r\n"))
      << "a query changes nothing";
  EXPECT_THAT(Get(port, "/nothing"), StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(Get(port, "/../../etc/passwd"), testing::Not(HasSubstr("root:")));
  const std::string post =
      Exchange(port, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_THAT(post, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
  EXPECT_THAT(post, HasSubstr("Allow: GET, HEAD\r\n"));
  const std::string head = Exchange(port, "HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(head, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << "no body after HEAD";
  Exchange(port, "\x16\x03\x01\x02\x00\x01\r\n\r\n");  // a TLS ClientHello's beginning
  EXPECT_THAT(Get(port, "/healthz"), HasSubstr("\r\n\r\nok\n"));
}

TEST_F(AdminServerTest, DoesNotKeepConnectionsAlive) {
  const auto server = *Start("127.0.0.1:0");
  const std::string response = Exchange(
      server->port(), "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(response, HasSubstr("Connection: close\r\n"));
}

TEST_F(AdminServerTest, SilentClientsDoNotStopTheProbes) {
  const auto server = *Start("127.0.0.1:0");
  std::vector<int> silent;
  for (int i = 0; i < 12; ++i) silent.push_back(Connect(server->port()));
  EXPECT_THAT(Get(server->port(), "/healthz"), StartsWith("HTTP/1.1 200"));
  char byte = 0;
  EXPECT_EQ(recv(silent.front(), &byte, 1, MSG_DONTWAIT), -1) << "the probe waited for its end";
  for (const int fd : silent) close(fd);
}

TEST_F(AdminServerTest, ManyMoreSilentClientsHoldTheProbesUpForTheirTimeAtMost) {
  const auto server = *Start("127.0.0.1:0");
  std::vector<int> silent;
  for (int i = 0; i < 24; ++i) silent.push_back(Connect(server->port()));
  EXPECT_THAT(Get(server->port(), "/healthz"), StartsWith("HTTP/1.1 200"));
  for (const int fd : silent) close(fd);
}

TEST_F(AdminServerTest, SaysThatThePortIsBusy) {
  const auto first = *Start("127.0.0.1:0");
  const std::string address = "127.0.0.1:" + std::to_string(first->port());
  const auto second = Start(address);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()),
              testing::AllOf(HasSubstr(address), HasSubstr("Address already in use")));
}

TEST_F(AdminServerTest, RefusesWhatIsNotOneAddressAndPort) {
  for (const char* address :
       {"", "127.0.0.1", "9180", ":9180", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
        "127.0.0.1:+1", "127.0.0.1:80s", "127.0.0.1:80,127.0.0.1:81", "example.com:80", "[::1:80",
        "1.2.3:80", "x127.0.0.1:80"}) {
    EXPECT_EQ(Start(address).status().code(), absl::StatusCode::kInvalidArgument) << address;
  }
}

TEST_F(AdminServerTest, TakesNamesForTheUsualAddresses) {
  for (const char* address : {"localhost:0", "*:0", "0.0.0.0:0"}) {
    const auto server = Start(address);
    ASSERT_TRUE(server.ok()) << server.status();
    EXPECT_THAT(Get((*server)->port(), "/healthz"), StartsWith("HTTP/1.1 200"));
  }
}

TEST_F(AdminServerTest, SeveralScrapersAtOnceWhileTheWorkerCounts) {
  const auto server = *Start("127.0.0.1:0");
  std::atomic<bool> done{false};
  std::thread worker([&] {
    while (!done) {
      shards_.shard(0).listener(edge_).RecordHandshake(
          metrics::HandshakeResult::kOk, metrics::TlsVersion::kTls13, false, 1'000'000);
    }
  });
  std::vector<std::thread> scrapers;
  for (int i = 0; i < 4; ++i) {
    scrapers.emplace_back([&] {
      for (int n = 0; n < 5; ++n) {
        EXPECT_THAT(Get(server->port(), "/metrics"),
                    HasSubstr("portcullis_handshake_duration_seconds_count"));
        EXPECT_THAT(Get(server->port(), "/status"), HasSubstr("\"edge\""));
      }
    });
  }
  for (std::thread& scraper : scrapers) scraper.join();
  done = true;
  worker.join();
}

}  // namespace
}  // namespace portcullis::server
