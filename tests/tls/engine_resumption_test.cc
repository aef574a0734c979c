// Who may resume what: tickets bind host and trust, and the client is judged anew every time.
#include <openssl/err.h>

#include <optional>
#include <string>

#include "tests/tls/engine_fixture.h"
#include "tls/engine.h"

namespace portcullis::tls {
namespace {

using testing::ClientOptions;
using testing::EngineTest;
using testing::kDay;
using testing::kHour;
using testing::kNow;
using testing::kVersions;
using testing::MakeCrlPem;
using testing::MakeLeaf;
using testing::MakeRoot;
using testing::MakeTrust;
using testing::Pair;
using testing::ReasonOf;
using testing::TestCertificate;
using testing::TestHosts;

class ResumptionTest : public EngineTest {
 protected:
  // The session that `options` leads to at `table`; null when there was no ticket.
  static bssl::UniquePtr<SSL_SESSION> Session(HostTable& table, const ClientOptions& options) {
    Pair pair(table, options);
    EXPECT_EQ(pair.Handshake(), HandshakeStatus::kDone);
    EXPECT_LE(pair.client().num_tickets(), 1U);
    return pair.client().TakeSession();
  }

  static ClientOptions With(ClientOptions options, const bssl::UniquePtr<SSL_SESSION>& session) {
    options.session = session.get();
    return options;
  }

  // Tables that share ticket keys, as the workers of one service do.
  [[nodiscard]] TestHosts Table(std::vector<HostSpec> specs) const {
    return TestHosts(std::move(specs), {}, secret_);
  }

  const std::shared_ptr<const TicketSecret> secret_ = TicketSecret::Random(kHour);
};

TEST_F(ResumptionTest, TheSameHostResumesWithTheSameIdentity) {
  for (const uint16_t version : kVersions) {
    TestHosts hosts = Table({Host("edge.example", ClientAuthMode::kRequire)});
    const auto session = Session(hosts.table(), GoodClient(version));
    ASSERT_NE(session, nullptr);
    // On another worker.
    TestHosts elsewhere = Table({Host("edge.example", ClientAuthMode::kRequire)});
    Pair pair(elsewhere.table(), With(GoodClient(version), session));
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
    EXPECT_TRUE(pair.engine().resumed());
    EXPECT_TRUE(pair.client().resumed());
    EXPECT_TRUE(pair.engine().verdict().accepted());
    ASSERT_NE(pair.engine().verdict().identity, nullptr);
    EXPECT_EQ(pair.engine().verdict().identity->subject, "CN=client");
    EXPECT_EQ(pair.Send("hello"), "hello");
  }
}

TEST_F(ResumptionTest, ResumedSessionsAreResumedAgain) {
  TestHosts hosts = Table({Host("edge.example", ClientAuthMode::kRequire)});
  auto session = Session(hosts.table(), GoodClient());
  for (int round = 0; round < 3; ++round) {
    ASSERT_NE(session, nullptr);
    Pair pair(hosts.table(), With(GoodClient(), session));
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
    EXPECT_TRUE(pair.engine().resumed());
    session = pair.client().TakeSession();
  }
}

TEST_F(ResumptionTest, AnotherHostDoesNotResume) {
  for (const uint16_t version : kVersions) {
    TestHosts hosts = Table({Host("edge.example", ClientAuthMode::kRequire),
                             Host("other.example", ClientAuthMode::kRequire)});
    const auto session = Session(hosts.table(), GoodClient(version));
    ASSERT_NE(session, nullptr);
    ClientOptions options = With(GoodClient(version), session);
    options.sni = "other.example";
    Pair pair(hosts.table(), options);
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
    EXPECT_FALSE(pair.engine().resumed());
    EXPECT_EQ(pair.engine().host()->spec->name, "other.example");
  }
}

TEST_F(ResumptionTest, AHostThatAsksForNothingDoesNotLendItsSessionsToOneThatDoes) {
  for (const uint16_t version : kVersions) {
    TestHosts hosts = Table({Host("edge.example", ClientAuthMode::kRequire),
                             Host("open.example", ClientAuthMode::kOff)});
    ClientOptions options = AnonymousClient(version);
    options.sni = "open.example";
    const auto session = Session(hosts.table(), options);
    ASSERT_NE(session, nullptr);
    Pair pair(hosts.table(), With(AnonymousClient(version), session));
    EXPECT_EQ(pair.Handshake(), HandshakeStatus::kFailed);
    EXPECT_EQ(ReasonOf(pair.engine()), "no_cert");
    EXPECT_FALSE(pair.engine().resumed());
  }
}

TEST_F(ResumptionTest, ChangedTrustOrModeEndsSessions) {
  for (const uint16_t version : kVersions) {
    TestHosts hosts = Table({Host("edge.example", ClientAuthMode::kOptional)});
    const auto session = Session(hosts.table(), GoodClient(version));
    ASSERT_NE(session, nullptr);
    std::vector<HostSpec> changed(4, Host("edge.example", ClientAuthMode::kOptional));
    const TestCertificate another = MakeRoot({.common_name = "another"});
    changed[0].client_auth.trust = MakeTrust({&root_, &another});
    changed[1].client_auth.mode = ClientAuthMode::kOptionalNoCa;
    changed[2].client_auth.mode = ClientAuthMode::kRequire;
    changed[3].client_auth.max_depth = 1;
    for (size_t i = 0; i < changed.size(); ++i) {
      TestHosts after = Table({changed[i]});
      Pair pair(after.table(), With(GoodClient(version), session));
      ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone) << i;
      EXPECT_FALSE(pair.engine().resumed()) << i;
    }
    // A renewed server certificate changes nothing, nor does a CRL that leaves the client alone.
    std::vector<HostSpec> renewed(2, Host("edge.example", ClientAuthMode::kOptional));
    renewed[0].credentials = {testing::MakeCredential(MakeLeaf(server_root_, {}))};
    renewed[1].client_auth.trust = MakeTrust({&root_}, {MakeCrlPem(root_, {4711})});
    for (size_t i = 0; i < renewed.size(); ++i) {
      TestHosts after = Table({renewed[i]});
      Pair pair(after.table(), With(GoodClient(version), session));
      ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone) << i;
      EXPECT_TRUE(pair.engine().resumed()) << i;
    }
  }
}

TEST_F(ResumptionTest, AForeignSecretDoesNotOpenTheTicket) {
  TestHosts hosts = Table({Host("edge.example", ClientAuthMode::kRequire)});
  const auto session = Session(hosts.table(), GoodClient());
  TestHosts foreign({Host("edge.example", ClientAuthMode::kRequire)});
  Pair pair(foreign.table(), With(GoodClient(), session));
  ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
  EXPECT_FALSE(pair.engine().resumed());
}

// The client sends its leaf alone, and the operator's intermediate completes the chain. Sharing a
// secret, the tables may be one process's before and after a reload, or two processes'.
TEST_F(ResumptionTest, AnIntermediateThatIsWithdrawnEndsTheSessionsItCompleted) {
  const TestCertificate ca = testing::MakeCa(root_, {.common_name = "ca"});
  const TestCertificate leaf = MakeLeaf(ca, {.common_name = "below"});
  const TestCertificate another = MakeRoot({.common_name = "another"});
  const auto knowing = [&](std::vector<PemSource> intermediates) {
    HostSpec spec = Host("edge.example", ClientAuthMode::kRequire);
    spec.client_auth.trust = testing::ParseTrust(
        {.cas = {{root_.Pem(), "ca.crt"}}, .intermediates = std::move(intermediates)});
    return Table({spec});
  };
  for (const uint16_t version : kVersions) {
    ClientOptions options = AnonymousClient(version);
    options.certificate = &leaf;
    TestHosts hosts = knowing({{ca.Pem(), "more.crt"}});
    const auto session = Session(hosts.table(), options);
    ASSERT_NE(session, nullptr);
    TestHosts same = knowing({{ca.Pem(), "moved.crt"}});
    Pair resumed(same.table(), With(options, session));
    ASSERT_EQ(resumed.Handshake(), HandshakeStatus::kDone);
    EXPECT_TRUE(resumed.engine().resumed());

    TestHosts withdrawn = knowing({});
    Pair refused(withdrawn.table(), With(options, session));
    EXPECT_EQ(refused.Handshake(), HandshakeStatus::kFailed);
    EXPECT_FALSE(refused.engine().resumed());
    EXPECT_EQ(ReasonOf(refused.engine()), "unknown_ca");

    TestHosts replaced = knowing({{another.Pem(), "more.crt"}});
    Pair other(replaced.table(), With(options, session));
    EXPECT_EQ(other.Handshake(), HandshakeStatus::kFailed);
    EXPECT_FALSE(other.engine().resumed());
  }
}

// The ticket is bounded by the certificate. To see that a resumed client is judged all the same,
// this table says a later time for judging than the sealed one by moving to just past notAfter: the
// ticket must be refused or rejected.
TEST_F(ResumptionTest, ACertificateThatExpiredSinceIsNotServed) {
  const TestCertificate brief = MakeLeaf(root_, {.common_name = "brief", .not_after = kNow + 600});
  for (const uint16_t version : kVersions) {
    TestHosts hosts = Table({Host("edge.example", ClientAuthMode::kRequire)});
    ClientOptions options = AnonymousClient(version);
    options.certificate = &brief;
    const auto session = Session(hosts.table(), options);
    ASSERT_NE(session, nullptr);
    hosts.table().SetNow(kNow + 601);
    Pair pair(hosts.table(), With(options, session));
    EXPECT_EQ(pair.Handshake(), HandshakeStatus::kFailed);
    EXPECT_EQ(ReasonOf(pair.engine()), "expired");
    EXPECT_FALSE(pair.engine().resumed());  // The session ended with the certificate.
  }
}

TEST_F(ResumptionTest, ATicketThatNoLongerHoldsIsNotResumedAndTheClientIsToldWhy) {
  HostSpec alert = Host("edge.example", ClientAuthMode::kRequire);
  alert.client_auth.trust = MakeTrust({&root_}, {MakeCrlPem(root_, {client_.serial()})});
  for (const uint16_t version : kVersions) {
    TestHosts hosts = Table({Host("edge.example", ClientAuthMode::kRequire)});
    const auto session = Session(hosts.table(), GoodClient(version));
    ASSERT_NE(session, nullptr);

    alert.client_auth.refusal = RefusalStyle::kAlert;
    TestHosts refusing = Table({alert});
    Pair refused(refusing.table(), With(GoodClient(version), session));
    EXPECT_EQ(refused.Handshake(), HandshakeStatus::kFailed);
    EXPECT_FALSE(refused.engine().resumed());
    EXPECT_FALSE(refused.engine().handshake_done());
    EXPECT_EQ(refused.engine().resumption_refused(), Rejection::kRevoked);
    EXPECT_EQ(ReasonOf(refused.engine()), "revoked");
    EXPECT_EQ(refused.engine().failure().alert, SSL_AD_CERTIFICATE_REVOKED);
    (void)refused.client().Read();
    EXPECT_EQ(refused.client().alert(), SSL_AD_CERTIFICATE_REVOKED);
    EXPECT_EQ(refused.client().num_tickets(), 0U);

    alert.client_auth.refusal = RefusalStyle::kHttp;
    TestHosts polite = Table({alert});
    Pair page(polite.table(), With(GoodClient(version), session));
    ASSERT_EQ(page.Handshake(), HandshakeStatus::kDone);
    EXPECT_FALSE(page.engine().resumed());
    EXPECT_EQ(page.engine().verdict().rejection, Rejection::kRevoked);
    EXPECT_EQ(page.engine().refusal(), Rejection::kRevoked);
    EXPECT_EQ(page.Send("400"), "400");
    EXPECT_EQ(page.client().num_tickets(), 0U);
  }
}

TEST_F(ResumptionTest, ARejectedVerdictNeverLeadsToAResumableSession) {
  const TestCertificate expired = MakeLeaf(root_, {.not_after = kNow - 1});
  for (const uint16_t version : kVersions) {
    for (const bool with_certificate : {true, false}) {
      TestHosts hosts =
          Table({Host("edge.example", ClientAuthMode::kRequire, RefusalStyle::kHttp)});
      ClientOptions options = AnonymousClient(version);
      if (with_certificate) options.certificate = &expired;
      const auto session = Session(hosts.table(), options);
      EXPECT_EQ(session, nullptr);
      // Whatever the client kept of it, it does not resume.
      Pair first(hosts.table(), options);
      ASSERT_EQ(first.Handshake(), HandshakeStatus::kDone);
      const bssl::UniquePtr<SSL_SESSION> kept(SSL_get1_session(first.client().ssl()));
      Pair second(hosts.table(), With(options, kept));
      ASSERT_EQ(second.Handshake(), HandshakeStatus::kDone);
      EXPECT_FALSE(second.engine().resumed());
      EXPECT_FALSE(second.engine().verdict().accepted());
    }
  }
}

TEST_F(ResumptionTest, SessionsEndAfterTheirLifetimeFromTheFullHandshakeOn) {
  for (const uint16_t version : kVersions) {
    HostSpec spec = Host("edge.example", ClientAuthMode::kRequire);
    spec.session_lifetime_s = 1000;
    TestHosts hosts = Table({spec});
    auto session = Session(hosts.table(), GoodClient(version));
    ASSERT_NE(session, nullptr);
    hosts.table().SetNow(kNow + 900);
    Pair pair(hosts.table(), With(GoodClient(version), session));
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
    EXPECT_TRUE(pair.engine().resumed());
    if (version == TLS1_3_VERSION) {
      // The new ticket lives no longer than the old one would have.
      session = pair.client().TakeSession();
      ASSERT_NE(session, nullptr);
      EXPECT_LE(SSL_SESSION_get_timeout(session.get()), 100U);
    }
    hosts.table().SetNow(kNow + 1001);
    Pair late(hosts.table(), With(GoodClient(version), session));
    ASSERT_EQ(late.Handshake(), HandshakeStatus::kDone);
    EXPECT_FALSE(late.engine().resumed());
  }
}

TEST_F(ResumptionTest, SessionsEndWithTheCrl) {
  HostSpec spec = Host("edge.example", ClientAuthMode::kRequire);
  spec.client_auth.trust =
      MakeTrust({&root_}, {MakeCrlPem(root_, {}, {.next_update = kNow + 200})});
  for (const uint16_t version : kVersions) {
    TestHosts hosts = Table({spec});
    const auto session = Session(hosts.table(), GoodClient(version));
    ASSERT_NE(session, nullptr);
    hosts.table().SetNow(kNow + 199);
    Pair in_time(hosts.table(), With(GoodClient(version), session));
    ASSERT_EQ(in_time.Handshake(), HandshakeStatus::kDone);
    EXPECT_TRUE(in_time.engine().resumed());
    hosts.table().SetNow(kNow + 200);
    Pair late(hosts.table(), With(GoodClient(version), session));
    (void)late.Handshake();
    EXPECT_FALSE(late.engine().resumed());
  }
}

TEST_F(ResumptionTest, TicketsCanBeTurnedOff) {
  HostSpec spec = Host("edge.example", ClientAuthMode::kRequire);
  spec.tickets = false;
  for (const uint16_t version : kVersions) {
    TestHosts hosts = Table({spec});
    Pair pair(hosts.table(), GoodClient(version));
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
    EXPECT_EQ(pair.client().num_tickets(), 0U);
  }
}

TEST_F(ResumptionTest, AnonymousSessionsOfAnOptionalHostStayAnonymous) {
  for (const uint16_t version : kVersions) {
    TestHosts hosts = Table({Host("edge.example", ClientAuthMode::kOptional)});
    const auto session = Session(hosts.table(), AnonymousClient(version));
    ASSERT_NE(session, nullptr);
    Pair pair(hosts.table(), With(GoodClient(version), session));
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
    EXPECT_TRUE(pair.engine().resumed());
    EXPECT_TRUE(pair.engine().verdict().accepted());
    EXPECT_EQ(pair.engine().verdict().identity, nullptr);
  }
}

TEST_F(ResumptionTest, TheTicketIsOnItsWayWhenTheHandshakeIsDone) {
  TestHosts hosts = Table({Host("edge.example", ClientAuthMode::kRequire)});
  Pair pair(hosts.table(), GoodClient());
  ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
  // Without a byte of data from either side.
  EXPECT_EQ(pair.client().num_tickets(), 1U);
}

TEST_F(ResumptionTest, EarlyDataIsNotOffered) {
  TestHosts hosts = Table({Host("edge.example", ClientAuthMode::kRequire)});
  const auto session = Session(hosts.table(), GoodClient());
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(SSL_SESSION_early_data_capable(session.get()), 0);
}

}  // namespace
}  // namespace portcullis::tls
