// Handshakes that wait for an OCSP responder's word.
#include <utility>

#include "tests/tls/engine_fixture.h"
#include "tls/engine.h"
#include "tls/issuer_id.h"

namespace portcullis::tls {
namespace {

using testing::ClientOptions;
using testing::kNow;
using testing::kVersions;
using testing::Pair;
using testing::ReasonOf;
using testing::TestHosts;

const StatusAnswer kGood = {.status = ClientStatus::kGood, .until = kNow + 60, .detail = {}};
const StatusAnswer kRevoked = {.status = ClientStatus::kRevoked, .until = kNow + 60, .detail = {}};

StatusAnswer Unavailable() {
  return {.status = ClientStatus::kUnavailable, .until = kNow + 5, .detail = "nobody at home"};
}

class EngineStatusTest : public testing::EngineTest {
 protected:
  [[nodiscard]] HostSpec AskingHost(OcspMode mode,
                                    RefusalStyle refusal = RefusalStyle::kAlert) const {
    HostSpec spec = Host("edge.example", ClientAuthMode::kRequire, refusal);
    const auto trust = TrustMaterial::Parse("test", {.cas = {{root_.Pem(), "ca.crt"}}}, {},
                                            {.mode = mode, .responder_url = "http://a/"}, kNow);
    EXPECT_TRUE(trust.ok()) << trust.status();
    spec.client_auth.trust = *trust;
    return spec;
  }
};

TEST_F(EngineStatusTest, OffNeverAsks) {
  TestHosts hosts({AskingHost(OcspMode::kOff)});
  Pair pair(hosts.table(), GoodClient());
  EXPECT_EQ(pair.Handshake(), HandshakeStatus::kDone);
}

TEST_F(EngineStatusTest, AGoodAnswerLetsTheClientIn) {
  for (const uint16_t version : kVersions) {
    for (const OcspMode mode : {OcspMode::kSoft, OcspMode::kRequire}) {
      TestHosts hosts({AskingHost(mode)});
      Pair pair(hosts.table(), GoodClient(version));
      ASSERT_EQ(pair.Handshake(), HandshakeStatus::kWantStatus);
      const StatusQuery query = pair.engine().status_query();
      EXPECT_EQ(query.key, pair.engine().status_key());
      EXPECT_EQ(query.key.issuer, MakeIssuerId(root_.Der()));
      EXPECT_EQ(query.issuer_der, root_.Der());
      EXPECT_EQ(query.url, "http://a/");
      ASSERT_EQ(pair.AnswerStatus(kGood), HandshakeStatus::kDone);
      EXPECT_TRUE(pair.engine().verdict().accepted());
      EXPECT_EQ(pair.Send("hello"), "hello");
    }
  }
}

TEST_F(EngineStatusTest, TheRevokedAreRefusedWithTheirAlert) {
  for (const uint16_t version : kVersions) {
    for (const OcspMode mode : {OcspMode::kSoft, OcspMode::kRequire}) {
      TestHosts hosts({AskingHost(mode)});
      Pair pair(hosts.table(), GoodClient(version));
      ASSERT_EQ(pair.Handshake(), HandshakeStatus::kWantStatus);
      ASSERT_EQ(pair.AnswerStatus(kRevoked), HandshakeStatus::kFailed);
      EXPECT_EQ(ReasonOf(pair.engine()), "revoked");
      EXPECT_EQ(pair.client().alert(), SSL_AD_CERTIFICATE_REVOKED);
      EXPECT_EQ(pair.engine().verdict().failed_subject, "CN=client");
      EXPECT_EQ(pair.engine().verdict().detail, "says the OCSP responder");
    }
  }
}

TEST_F(EngineStatusTest, WithoutAnAnswerSoftPassesAndRequireRefuses) {
  for (const uint16_t version : kVersions) {
    TestHosts soft({AskingHost(OcspMode::kSoft)});
    Pair passes(soft.table(), GoodClient(version));
    ASSERT_EQ(passes.Handshake(), HandshakeStatus::kWantStatus);
    EXPECT_EQ(passes.AnswerStatus(Unavailable()), HandshakeStatus::kDone);
    TestHosts require({AskingHost(OcspMode::kRequire)});
    Pair refused(require.table(), GoodClient(version));
    ASSERT_EQ(refused.Handshake(), HandshakeStatus::kWantStatus);
    ASSERT_EQ(refused.AnswerStatus(Unavailable()), HandshakeStatus::kFailed);
    EXPECT_EQ(ReasonOf(refused.engine()), "ocsp_unavailable");
    EXPECT_EQ(refused.client().alert(), SSL_AD_CERTIFICATE_UNKNOWN);
    EXPECT_EQ(refused.engine().verdict().detail, "nobody at home");
  }
}

TEST_F(EngineStatusTest, UnderTheHttpStyleARefusalCompletesWithoutATicket) {
  for (const uint16_t version : kVersions) {
    TestHosts hosts({AskingHost(OcspMode::kSoft, RefusalStyle::kHttp)});
    Pair pair(hosts.table(), GoodClient(version));
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kWantStatus);
    ASSERT_EQ(pair.AnswerStatus(kRevoked), HandshakeStatus::kDone);
    EXPECT_EQ(pair.engine().refusal(), Rejection::kRevoked);
    pair.Pump();
    EXPECT_EQ(pair.client().num_tickets(), 0U);
  }
}

TEST_F(EngineStatusTest, WhoIsRefusedAlreadyIsNotAskedAbout) {
  const testing::TestCertificate stranger_root = testing::MakeRoot({.common_name = "stranger"});
  const testing::TestCertificate stranger = testing::MakeLeaf(stranger_root, {});
  TestHosts hosts({AskingHost(OcspMode::kRequire)});
  ClientOptions options = AnonymousClient();
  options.certificate = &stranger;
  Pair pair(hosts.table(), options);
  EXPECT_EQ(pair.Handshake(), HandshakeStatus::kFailed);
  EXPECT_EQ(ReasonOf(pair.engine()), "unknown_ca");
}

TEST_F(EngineStatusTest, APinnedCertificateHasNobodyToAsk) {
  const testing::TestCertificate pinned = testing::MakeSelfSigned({.common_name = "pinned"});
  HostSpec spec = AskingHost(OcspMode::kRequire);
  const auto trust =
      TrustMaterial::Parse("test", {.cas = {{root_.Pem() + pinned.Pem(), "ca.crt"}}}, {},
                           {.mode = OcspMode::kRequire, .responder_url = ""}, kNow);
  ASSERT_TRUE(trust.ok()) << trust.status();
  spec.client_auth.trust = *trust;
  TestHosts hosts({spec});
  ClientOptions options = AnonymousClient();
  options.certificate = &pinned;
  Pair pair(hosts.table(), options);
  EXPECT_EQ(pair.Handshake(), HandshakeStatus::kDone);
}

TEST_F(EngineStatusTest, ASessionResumesUnaskedUntilTheAnswersEnd) {
  for (const uint16_t version : kVersions) {
    TestHosts hosts({AskingHost(OcspMode::kRequire)});
    Pair first(hosts.table(), GoodClient(version));
    ASSERT_EQ(first.Handshake(), HandshakeStatus::kWantStatus);
    ASSERT_EQ(first.AnswerStatus(kGood), HandshakeStatus::kDone);
    first.Pump();
    ASSERT_NE(first.client().session(), nullptr);
    if (version == TLS1_3_VERSION) {  // Before, the client keeps a time-out of its own.
      EXPECT_LE(SSL_SESSION_get_timeout(first.client().session()), 60U);
    }
    ClientOptions options = GoodClient(version);
    options.session = first.client().session();
    Pair second(hosts.table(), options);
    EXPECT_EQ(second.Handshake(), HandshakeStatus::kDone);
    EXPECT_TRUE(second.engine().resumed());
    hosts.table().SetNow(kNow + 61);
    options.now = kNow + 30;  // A client whose clock is slow offers it still.
    Pair third(hosts.table(), options);
    EXPECT_EQ(third.Handshake(), HandshakeStatus::kWantStatus);
    EXPECT_FALSE(third.engine().resumed());
  }
}

// What a worker has heard: one certificate revoked.
class OneRevoked final : public KnownStatuses {
 public:
  explicit OneRevoked(StatusKey key) : key_(std::move(key)) {}
  [[nodiscard]] bool KnowsRevoked(const StatusKey& key) const override { return key == key_; }

 private:
  StatusKey key_;
};

TEST_F(EngineStatusTest, WhoIsKnownToBeRevokedDoesNotResume) {
  for (const uint16_t version : kVersions) {
    TestHosts hosts({AskingHost(OcspMode::kSoft)});
    Pair first(hosts.table(), GoodClient(version));
    ASSERT_EQ(first.Handshake(), HandshakeStatus::kWantStatus);
    const StatusKey key = first.engine().status_key();
    ASSERT_EQ(first.AnswerStatus(kGood), HandshakeStatus::kDone);
    first.Pump();
    ClientOptions options = GoodClient(version);
    options.session = first.client().session();

    StatusKey another = key;
    another.serial.push_back(0);
    const OneRevoked somebody_else(another);
    hosts.table().SetKnownStatuses(&somebody_else);
    Pair second(hosts.table(), options);
    ASSERT_EQ(second.Handshake(), HandshakeStatus::kDone);
    EXPECT_TRUE(second.engine().resumed());

    const OneRevoked revoked(key);
    hosts.table().SetKnownStatuses(&revoked);
    Pair third(hosts.table(), options);
    ASSERT_EQ(third.Handshake(), HandshakeStatus::kWantStatus);
    EXPECT_EQ(third.engine().resumption_refused(), Rejection::kRevoked);
    ASSERT_EQ(third.AnswerStatus(kRevoked), HandshakeStatus::kFailed);
    EXPECT_EQ(ReasonOf(third.engine()), "revoked");
  }
}

TEST_F(EngineStatusTest, ATicketOfATicketLastsNoLonger) {
  TestHosts hosts({AskingHost(OcspMode::kRequire)});
  Pair first(hosts.table(), GoodClient());
  ASSERT_EQ(first.Handshake(), HandshakeStatus::kWantStatus);
  ASSERT_EQ(first.AnswerStatus(kGood), HandshakeStatus::kDone);
  first.Pump();
  ClientOptions options = GoodClient();
  options.session = first.client().session();
  options.now = kNow + 50;
  hosts.table().SetNow(kNow + 50);
  Pair second(hosts.table(), options);
  ASSERT_EQ(second.Handshake(), HandshakeStatus::kDone);
  ASSERT_TRUE(second.engine().resumed());
  second.Pump();
  ASSERT_NE(second.client().session(), nullptr);
  EXPECT_LE(SSL_SESSION_get_timeout(second.client().session()), 10U);
  options.session = second.client().session();
  hosts.table().SetNow(kNow + 61);
  Pair third(hosts.table(), options);
  EXPECT_EQ(third.Handshake(), HandshakeStatus::kWantStatus);
}

TEST_F(EngineStatusTest, WhoWasNotAskedAboutDoesNotResumeWhereRespondersAreAsked) {
  const auto secret = TicketSecret::Random(3600);
  for (const uint16_t version : kVersions) {
    TestHosts before({AskingHost(OcspMode::kOff)}, {}, secret);
    Pair first(before.table(), GoodClient(version));
    ASSERT_EQ(first.Handshake(), HandshakeStatus::kDone);
    first.Pump();
    ASSERT_NE(first.client().session(), nullptr);
    ClientOptions options = GoodClient(version);
    options.session = first.client().session();
    TestHosts same({AskingHost(OcspMode::kOff)}, {}, secret);
    Pair resumed(same.table(), options);
    ASSERT_EQ(resumed.Handshake(), HandshakeStatus::kDone);
    EXPECT_TRUE(resumed.engine().resumed());
    for (const OcspMode mode : {OcspMode::kSoft, OcspMode::kRequire}) {
      TestHosts after({AskingHost(mode)}, {}, secret);
      Pair second(after.table(), options);
      EXPECT_EQ(second.Handshake(), HandshakeStatus::kWantStatus);
      EXPECT_FALSE(second.engine().resumed());
    }
  }
}

TEST_F(EngineStatusTest, RefusingWhileWaitingSendsTheAlert) {
  TestHosts hosts({AskingHost(OcspMode::kRequire)});
  Pair pair(hosts.table(), GoodClient());
  ASSERT_EQ(pair.Handshake(), HandshakeStatus::kWantStatus);
  pair.engine().Refuse(Rejection::kTimeout, pair.sink());
  pair.Pump();
  EXPECT_EQ(ReasonOf(pair.engine()), "timeout");
  EXPECT_EQ(pair.client().alert(), SSL_AD_INTERNAL_ERROR);
}

}  // namespace
}  // namespace portcullis::tls
