// An engine that is moved to another table, when the one that it began under is gone.
#include <memory>
#include <string>

#include "tests/tls/engine_fixture.h"
#include "tls/engine.h"

namespace portcullis::tls {
namespace {

using testing::EngineTest;
using testing::kVersions;
using testing::MakeRoot;
using testing::MakeTrust;
using testing::Pair;
using testing::Pattern;
using testing::TestCertificate;
using testing::TestHosts;

class EngineMoveTest : public EngineTest {
 protected:
  [[nodiscard]] std::unique_ptr<TestHosts> Hosts(ClientAuthMode mode) const {
    return std::make_unique<TestHosts>(std::vector<HostSpec>{Host("edge.example", mode)});
  }
  static void Move(Pair& pair, TestHosts& hosts) {
    pair.engine().MoveTo(hosts.table(), *hosts.table().hosts().front());
  }
};

TEST_F(EngineMoveTest, EverythingThatComesAfterTheHandshakeGoesOn) {
  for (const uint16_t version : kVersions) {
    std::unique_ptr<TestHosts> before = Hosts(ClientAuthMode::kRequire);
    const std::unique_ptr<TestHosts> after = Hosts(ClientAuthMode::kRequire);
    Pair pair(before->table(), GoodClient(version));
    pair.KeepTicket();
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
    ASSERT_EQ(pair.engine().ticket_pending(), version == TLS1_3_VERSION);
    Move(pair, *after);
    before.reset();
    pair.engine().SendTicket(pair.sink());  // sealed by the table that is gone
    EXPECT_EQ(pair.engine().host(), after->table().hosts().front().get());
    EXPECT_EQ(pair.engine().sni(), "edge.example");
    EXPECT_FALSE(pair.engine().cipher().empty());
    EXPECT_FALSE(pair.engine().group().empty());
    const std::string text = Pattern(100'000);
    EXPECT_EQ(pair.Send(text), text);
    if (version == TLS1_3_VERSION) {
      ASSERT_EQ(SSL_key_update(pair.client().ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
    }
    pair.client().Write(text);
    pair.Pump();
    EXPECT_EQ(pair.received(), text);
    EXPECT_EQ(pair.Send("mine"), "mine");
    pair.engine().CloseNotify(pair.sink());
    pair.Pump();
    EXPECT_TRUE(pair.client().saw_close());
  }
}

TEST_F(EngineMoveTest, WhatTheClientWasJudgedByStaysWhatItWas) {
  const TestCertificate other = MakeRoot({.common_name = "other"});
  HostSpec strange = Host("edge.example", ClientAuthMode::kRequire);
  strange.client_auth.trust = MakeTrust({&other});
  strange.client_auth.max_depth = 1;
  TestHosts after({strange});
  std::unique_ptr<TestHosts> before = Hosts(ClientAuthMode::kRequire);
  const JudgingRules rules = RulesOf(*before->table().hosts().front());
  Pair pair(before->table(), GoodClient());
  ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
  const auto identity = pair.engine().verdict().identity;
  Move(pair, after);
  before.reset();
  Move(pair, *Hosts(ClientAuthMode::kOptional));
  Move(pair, after);
  EXPECT_EQ(pair.engine().judged_by().epoch, rules.epoch);
  EXPECT_EQ(pair.engine().judged_by().options, rules.options);
  EXPECT_NE(rules.epoch, RulesOf(*after.table().hosts().front()).epoch);
  EXPECT_EQ(pair.engine().verdict().identity, identity);
  EXPECT_EQ(pair.engine().refusal(), Rejection::kNone);
}

TEST_F(EngineMoveTest, WhoWasForgivenStaysSo) {
  const TestCertificate stranger = MakeRoot({.common_name = "stranger"});
  auto options = GoodClient();
  options.certificate = &stranger;
  std::unique_ptr<TestHosts> before = Hosts(ClientAuthMode::kOptionalNoCa);
  const std::unique_ptr<TestHosts> after = Hosts(ClientAuthMode::kRequire);
  Pair pair(before->table(), options);
  ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
  ASSERT_EQ(pair.engine().verdict().rejection, Rejection::kUnknownCa);
  Move(pair, *after);
  before.reset();
  EXPECT_EQ(pair.engine().refusal(), Rejection::kNone);
  EXPECT_EQ(pair.engine().verdict().rejection, Rejection::kUnknownCa);
}

}  // namespace
}  // namespace portcullis::tls
