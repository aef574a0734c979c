#include "core/server/supervisor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <string>

#include "io/socket_address.h"
#include "tests/core/server/config_folder.h"
#include "tests/core/worker/worker_rig.h"

namespace portcullis::server {
namespace {

using ::testing::HasSubstr;
using tls::testing::MakeLeaf;
using tls::testing::TestCertificate;
using worker::TlsWire;

class SupervisorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto supervisor = Supervisor::Start(folder_.path("portcullis.yaml"));
    ASSERT_TRUE(supervisor.ok()) << supervisor.status();
    supervisor_ = *std::move(supervisor);
  }

  [[nodiscard]] uint16_t port() const { return supervisor_->ports().listeners.at("https"); }
  // What a request gets that is sent with `certificate`.
  [[nodiscard]] std::string Answer(const TestCertificate& certificate) const {
    tls::testing::ClientOptions options;
    options.sni = "one.example";
    options.certificate = &certificate;
    TlsWire client(port(), options);
    if (!client.Handshake()) return "no handshake";
    client.Send("GET / HTTP/1.1\r\nHost: one.example\r\nConnection: close\r\n\r\n");
    return client.ReceiveAll();
  }

  // A worker takes a new configuration in a turn of its own: whoever connects at once may still be
  // served under the old one.
  [[nodiscard]] bool ComesToAnswer(const TestCertificate& certificate, const char* start) const {
    return worker::WorkerRig::Eventually([&] { return Answer(certificate).starts_with(start); });
  }

  ConfigFolder folder_;
  std::unique_ptr<Supervisor> supervisor_;
};

// Nobody listens where requests go: who was let in gets 502.
constexpr const char* kLetIn = "HTTP/1.1 502";
constexpr const char* kTurnedAway = "HTTP/1.1 400";

TEST_F(SupervisorTest, ServesAndStops) {
  EXPECT_NE(port(), 0);
  EXPECT_THAT(Answer(folder_.client()), HasSubstr(kLetIn));
  EXPECT_THAT(Answer(folder_.stranger()), HasSubstr(kTurnedAway));
  supervisor_->Stop();
  EXPECT_TRUE(supervisor_->finished());
}

TEST_F(SupervisorTest, AReloadTakesWhatTheFilesSayNow) {
  const uint16_t before = port();
  folder_.Write("ca.crt", folder_.other_root().Pem());
  ASSERT_TRUE(supervisor_->Reload().ok());
  EXPECT_EQ(port(), before) << "the socket stays";
  EXPECT_TRUE(ComesToAnswer(folder_.client(), kTurnedAway));
  EXPECT_THAT(Answer(folder_.stranger()), HasSubstr(kLetIn));
}

TEST_F(SupervisorTest, AReloadThatTurnsAwayMoreThanItMayChangesNothing) {
  EXPECT_THAT(Answer(folder_.client()), HasSubstr(kLetIn));
  folder_.Edit("limits: {}\n", "limits: {}\nreload: {refuse_over: 10%}\n");
  folder_.Write("ca.crt", folder_.other_root().Pem());
  const absl::Status status = supervisor_->Reload();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("of 1 clients seen recently the new trust would refuse 1: unknown_ca 1"));
  EXPECT_THAT(Answer(folder_.client()), HasSubstr(kLetIn));
  folder_.Edit("refuse_over: 10%", "refuse_over: 1");
  EXPECT_TRUE(supervisor_->Reload().ok());
  EXPECT_TRUE(ComesToAnswer(folder_.client(), kTurnedAway));
}

// One file is good and would change everything; the other is bad.
TEST_F(SupervisorTest, AReloadWithABadFileChangesNothing) {
  folder_.Write("ca.crt", folder_.other_root().Pem());
  folder_.Write("tls.key", "no key");
  const absl::Status status = supervisor_->Reload();
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("tls.key"));
  EXPECT_THAT(Answer(folder_.client()), HasSubstr(kLetIn));
  EXPECT_THAT(Answer(folder_.stranger()), HasSubstr(kTurnedAway));
}

TEST_F(SupervisorTest, AReloadWhoseNewSocketCannotBeHadChangesNothing) {
  folder_.Write("ca.crt", folder_.other_root().Pem());
  folder_.Edit("    hosts: [one]\n",
               "    hosts: [one]\n  - {name: far, address: '192.0.2.1:1', hosts: [one]}\n");
  EXPECT_FALSE(supervisor_->Reload().ok());
  EXPECT_EQ(supervisor_->ports().listeners.count("far"), 0U);
  EXPECT_THAT(Answer(folder_.client()), HasSubstr(kLetIn));
}

TEST_F(SupervisorTest, AfterARefusedReloadAGoodOneTakesEffect) {
  folder_.Edit("workers: 1\n", "workers: many\n");
  EXPECT_FALSE(supervisor_->Reload().ok());
  folder_.Edit("workers: many\n", "workers: 1\n");
  folder_.Write("ca.crt", folder_.other_root().Pem());
  EXPECT_TRUE(supervisor_->Reload().ok());
  EXPECT_TRUE(ComesToAnswer(folder_.client(), kTurnedAway));
}

TEST(SupervisorStart, OfABadConfigurationSaysWhatIsWrong) {
  const ConfigFolder folder;
  folder.Write("ca.crt", "nothing");
  const auto supervisor = Supervisor::Start(folder.path("portcullis.yaml"));
  ASSERT_FALSE(supervisor.ok());
  EXPECT_EQ(supervisor.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(supervisor.status().message()), HasSubstr("ca.crt"));
}

}  // namespace
}  // namespace portcullis::server
