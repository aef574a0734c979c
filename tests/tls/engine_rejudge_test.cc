// Resumption, every way at once: version by host by what has become of the client by secret. A
// session is resumed exactly where the same host, given the same secret, would still let the client
// in; everywhere else there is a full handshake, which says what there is to say. And what tickets
// carry: who the client is, not what it presented.
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "tests/tls/engine_fixture.h"
#include "tls/engine.h"
#include "tls/identity_codec.h"
#include "tls/policy.h"

namespace portcullis::tls {
namespace {

using testing::ClientOptions;
using testing::EngineTest;
using testing::kHour;
using testing::kNow;
using testing::kVersions;
using testing::MakeCa;
using testing::MakeCrlPem;
using testing::MakeLeaf;
using testing::MakeRoot;
using testing::MakeTrust;
using testing::Pair;
using testing::TestCertificate;
using testing::TestHosts;

enum class Change : uint8_t {
  kNothing,
  kRevoked,
  kExpired,
  kTrust,       // another epoch, still trusting the client
  kDistrusted,  // another epoch, no longer
  kPolicy,      // a policy that the client passes
  kDenied,      // one that it does not
  kStaleCrl,    // under `require`
  kLast = kStaleCrl,
};

std::shared_ptr<const Policy> AllowingOnly(const std::string& common_name) {
  auto policy = Policy::Compile(
      {.allow = {{.name = "by name",
                  .all_of = {{.field = MatchField::kCommonName, .values = {common_name}}}}}});
  EXPECT_TRUE(policy.ok());
  return *policy;
}

class RejudgeTest : public EngineTest {
 protected:
  // The hosts after `change`, in a table of its own, as another process makes it.
  [[nodiscard]] TestHosts After(Change change, std::shared_ptr<const TicketSecret> secret) const {
    std::vector<HostSpec> specs = {Host("edge.example", ClientAuthMode::kRequire),
                                   Host("other.example", ClientAuthMode::kRequire)};
    for (HostSpec& spec : specs) Apply(change, spec.client_auth);
    TestHosts hosts(std::move(specs), {}, std::move(secret));
    hosts.table().SetNow(change == Change::kExpired ? kNow + kHour + 1 : kNow + 60);
    return hosts;
  }

  void Apply(Change change, ClientAuthSpec& auth) const {
    switch (change) {
      case Change::kNothing:
      case Change::kExpired:
        return;
      case Change::kRevoked:
        auth.trust = MakeTrust({&root_}, {MakeCrlPem(root_, {brief_.serial()})});
        return;
      case Change::kTrust:
        auth.trust = MakeTrust({&root_, &another_root_});
        return;
      case Change::kDistrusted:
        auth.trust = MakeTrust({&another_root_});
        return;
      case Change::kPolicy:
        auth.policy = AllowingOnly("brief");
        return;
      case Change::kDenied:
        auth.policy = AllowingOnly("somebody else");
        return;
      case Change::kStaleCrl:
        auth.trust = testing::ParseTrust(
            {.cas = {{root_.Pem(), "ca.crt"}},
             .crls = {{MakeCrlPem(root_, {}, {.next_update = kNow + 30}), "ca.crl"}}},
            {.mode = RevocationMode::kRequire});
        return;
    }
  }

  static Rejection ExpectedOf(Change change) {
    switch (change) {
      case Change::kRevoked:
        return Rejection::kRevoked;
      case Change::kExpired:
        return Rejection::kExpired;
      case Change::kDistrusted:
        return Rejection::kUnknownCa;
      case Change::kDenied:
        return Rejection::kPolicyDenied;
      case Change::kStaleCrl:
        return Rejection::kCrlStale;
      default:
        return Rejection::kNone;
    }
  }

  bssl::UniquePtr<SSL_SESSION> Session(const ClientOptions& options) {
    TestHosts before = After(Change::kNothing, secret_);
    before.table().SetNow(kNow);
    Pair pair(before.table(), options);
    EXPECT_EQ(pair.Handshake(), HandshakeStatus::kDone);
    EXPECT_EQ(pair.client().num_tickets(), 1U);
    return pair.client().TakeSession();
  }

  static size_t TicketBytes(const SSL_SESSION* session) {
    const uint8_t* ticket = nullptr;
    size_t size = 0;
    SSL_SESSION_get0_ticket(session, &ticket, &size);
    return size;
  }

  const TestCertificate another_root_ = MakeRoot({.common_name = "another root"});
  const TestCertificate brief_ = MakeLeaf(
      root_,
      {.common_name = "brief", .not_after = kNow + kHour, .extended_key_usage = "clientAuth"});
  const std::shared_ptr<const TicketSecret> secret_ = TicketSecret::Random(kHour);
};

TEST_F(RejudgeTest, SessionsAreResumedExactlyWhereTheyHold) {
  for (const uint16_t version : kVersions) {
    ClientOptions options = AnonymousClient(version);
    options.certificate = &brief_;
    const auto session = Session(options);
    ASSERT_NE(session, nullptr);
    for (int change = 0; change <= static_cast<int>(Change::kLast); ++change) {
      for (const bool same_host : {true, false}) {
        for (const bool same_secret : {true, false}) {
          SCOPED_TRACE(::testing::Message()
                       << "version " << version << " change " << change << " same host "
                       << same_host << " same secret " << same_secret);
          const auto what = static_cast<Change>(change);
          TestHosts hosts = After(what, same_secret ? secret_ : TicketSecret::Random(kHour));
          ClientOptions again = options;
          again.session = session.get();
          again.sni = same_host ? "edge.example" : "other.example";
          again.now = hosts.table().now();
          // The client's own idea of how long a ticket lives must not spare us the question.
          if (what == Change::kExpired) again.now = kNow;
          Pair pair(hosts.table(), again);
          const Rejection expected = ExpectedOf(what);
          const HandshakeStatus status = pair.Handshake();
          EXPECT_EQ(status, expected == Rejection::kNone ? HandshakeStatus::kDone
                                                         : HandshakeStatus::kFailed);
          EXPECT_EQ(Name(pair.engine().verdict().rejection), Name(expected));
          const bool resumes =
              same_host && same_secret && expected == Rejection::kNone && what != Change::kTrust;
          EXPECT_EQ(pair.engine().resumed(), resumes);
          if (status != HandshakeStatus::kDone) continue;
          ASSERT_NE(pair.engine().verdict().identity, nullptr);
          EXPECT_EQ(pair.engine().verdict().identity->subject, "CN=brief");
          EXPECT_EQ(pair.engine().verdict().identity->sha256.size(), 32U);
        }
      }
    }
  }
}

TEST_F(RejudgeTest, ATicketRefusedSaysWhy) {
  for (const uint16_t version : kVersions) {
    ClientOptions options = AnonymousClient(version);
    options.certificate = &brief_;
    const auto session = Session(options);
    options.session = session.get();
    for (const Change change : {Change::kRevoked, Change::kDenied, Change::kStaleCrl}) {
      TestHosts hosts = After(change, secret_);
      Pair pair(hosts.table(), options);
      EXPECT_EQ(pair.Handshake(), HandshakeStatus::kFailed);
      EXPECT_EQ(pair.engine().resumption_refused(), ExpectedOf(change));
    }
    TestHosts hosts = After(Change::kDenied, secret_);
    Pair pair(hosts.table(), options);
    (void)pair.Handshake();
    EXPECT_EQ(pair.engine().verdict().detail, "no rule allows it");
  }
}

TEST_F(RejudgeTest, AResumedIdentityIsTheOneThatWasAccepted) {
  for (const uint16_t version : kVersions) {
    ClientOptions options = AnonymousClient(version);
    options.certificate = &brief_;
    TestHosts hosts = After(Change::kNothing, secret_);
    Pair full(hosts.table(), options);
    ASSERT_EQ(full.Handshake(), HandshakeStatus::kDone);
    const auto session = full.client().TakeSession();
    options.session = session.get();
    Pair resumed(hosts.table(), options);
    ASSERT_EQ(resumed.Handshake(), HandshakeStatus::kDone);
    ASSERT_TRUE(resumed.engine().resumed());
    EXPECT_EQ(EncodeIdentity(*resumed.engine().verdict().identity, false),
              EncodeIdentity(*full.engine().verdict().identity, false));
    EXPECT_TRUE(resumed.engine().verdict().identity->chain_der.empty());
    EXPECT_EQ(resumed.engine().verdict().holds_until, full.engine().verdict().holds_until);
  }
}

TEST_F(RejudgeTest, EveryTicketOfAClientHoldsTheSameIdentity) {
  for (const uint16_t version : kVersions) {
    VerdictCache cache(8);
    TestHosts hosts = After(Change::kNothing, secret_);
    hosts.table().SetVerdictCache(&cache);
    ClientOptions options = AnonymousClient(version);
    options.certificate = &brief_;
    std::vector<uint8_t> expected;
    bssl::UniquePtr<SSL_SESSION> session;
    // Met first, and known to the cache thereafter; then resumed from ticket to ticket. A TLS 1.2
    // client goes on with the ticket that it has.
    for (int round = 0; round < 6; ++round) {
      const bool resumes = round >= 3;
      options.session = resumes ? session.get() : nullptr;
      Pair pair(hosts.table(), options);
      ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
      EXPECT_EQ(pair.engine().resumed(), resumes);
      EXPECT_EQ(pair.engine().verdict().from_cache, round == 1 || round == 2);
      const std::vector<uint8_t> bytes = EncodeIdentity(*pair.engine().verdict().identity, false);
      if (round == 0) expected = bytes;
      EXPECT_EQ(bytes, expected);
      if (!resumes || version >= TLS1_3_VERSION) session = pair.client().TakeSession();
      ASSERT_NE(session, nullptr);
    }
  }
}

TEST_F(RejudgeTest, TicketsDoNotGrowWithTheChain) {
  const TestCertificate outer = MakeCa(root_, {.common_name = "outer"});
  const TestCertificate inner = MakeCa(outer, {.common_name = "inner"});
  const TestCertificate leaf = MakeLeaf(
      inner, {.common_name = "deep", .extended_key_usage = "clientAuth", .padding_bytes = 4000});
  for (const uint16_t version : kVersions) {
    ClientOptions options = AnonymousClient(version);
    options.certificate = &leaf;
    options.chain = {&inner, &outer};
    const auto session = Session(options);
    ASSERT_NE(session, nullptr);
    EXPECT_LT(TicketBytes(session.get()), 800U);
    ClientOptions brief = AnonymousClient(version);
    brief.certificate = &brief_;
    EXPECT_LT(TicketBytes(Session(brief).get()), 650U);
  }
}

TEST_F(RejudgeTest, AHostThatPassesCertificatesOnKeepsTheLeaf) {
  for (const uint16_t version : kVersions) {
    HostSpec keeping = Host("edge.example", ClientAuthMode::kRequire);
    keeping.client_auth.keep_leaf = true;
    TestHosts hosts({keeping}, {}, secret_);
    ClientOptions options = GoodClient(version);
    Pair full(hosts.table(), options);
    ASSERT_EQ(full.Handshake(), HandshakeStatus::kDone);
    const auto session = full.client().TakeSession();
    options.session = session.get();
    Pair resumed(hosts.table(), options);
    ASSERT_EQ(resumed.Handshake(), HandshakeStatus::kDone);
    EXPECT_TRUE(resumed.engine().resumed());
    const auto& chain = resumed.engine().verdict().identity->chain_der;
    ASSERT_EQ(chain.size(), 1U);
    EXPECT_EQ(chain.front(), SharedBytes(client_.Der()));

    // And drops it from the next ticket once it no longer does.
    TestHosts without({Host("edge.example", ClientAuthMode::kRequire)}, {}, secret_);
    Pair dropping(without.table(), options);
    ASSERT_EQ(dropping.Handshake(), HandshakeStatus::kDone);
    EXPECT_TRUE(dropping.engine().resumed());
    if (version >= TLS1_3_VERSION) {
      const auto next = dropping.client().TakeSession();
      EXPECT_LT(TicketBytes(next.get()) + client_.Der().size(), TicketBytes(session.get()) + 16);
      ClientOptions again = options;
      again.session = next.get();
      Pair last(without.table(), again);
      ASSERT_EQ(last.Handshake(), HandshakeStatus::kDone);
      EXPECT_TRUE(last.engine().resumed());
      EXPECT_THAT(last.engine().verdict().identity->chain_der, ::testing::IsEmpty());
    }

    // A ticket from before the host came to pass them on does not do.
    TestHosts plain({Host("edge.example", ClientAuthMode::kRequire)}, {}, secret_);
    Pair before(plain.table(), GoodClient(version));
    ASSERT_EQ(before.Handshake(), HandshakeStatus::kDone);
    const auto leafless = before.client().TakeSession();
    options.session = leafless.get();
    Pair after(hosts.table(), options);
    ASSERT_EQ(after.Handshake(), HandshakeStatus::kDone);
    EXPECT_FALSE(after.engine().resumed());
  }
}

TEST_F(RejudgeTest, ADeniedClientGetsNoTicketUnderEitherStyle) {
  for (const uint16_t version : kVersions) {
    HostSpec spec = Host("edge.example", ClientAuthMode::kRequire, RefusalStyle::kHttp);
    spec.client_auth.policy = AllowingOnly("somebody else");
    TestHosts hosts({spec});
    Pair pair(hosts.table(), GoodClient(version));
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
    EXPECT_EQ(pair.engine().refusal(), Rejection::kPolicyDenied);
    EXPECT_EQ(pair.client().num_tickets(), 0U);
  }
}

TEST_F(RejudgeTest, AnUnknownCaIsForgivenWhereAskedForButNeverRemembered) {
  const TestCertificate stranger = MakeLeaf(another_root_, {.common_name = "stranger"});
  const TestCertificate expired =
      MakeLeaf(root_, {.common_name = "expired", .not_after = kNow - 1});
  for (const uint16_t version : kVersions) {
    for (const RefusalStyle refusal : {RefusalStyle::kAlert, RefusalStyle::kHttp}) {
      TestHosts hosts({Host("edge.example", ClientAuthMode::kOptionalNoCa, refusal)});
      ClientOptions options = AnonymousClient(version);
      options.certificate = &stranger;
      Pair forgiven(hosts.table(), options);
      ASSERT_EQ(forgiven.Handshake(), HandshakeStatus::kDone);
      EXPECT_EQ(forgiven.engine().verdict().rejection, Rejection::kUnknownCa);
      EXPECT_EQ(forgiven.engine().refusal(), Rejection::kNone);
      EXPECT_EQ(forgiven.client().num_tickets(), 0U);
      EXPECT_EQ(forgiven.Send("hello"), "hello");

      Pair anonymous(hosts.table(), AnonymousClient(version));
      ASSERT_EQ(anonymous.Handshake(), HandshakeStatus::kDone);
      EXPECT_EQ(anonymous.engine().refusal(), Rejection::kNone);

      options.certificate = &expired;
      Pair refused(hosts.table(), options);
      EXPECT_EQ(refused.Handshake(), refusal == RefusalStyle::kAlert ? HandshakeStatus::kFailed
                                                                     : HandshakeStatus::kDone);
      EXPECT_EQ(refused.engine().refusal(), Rejection::kExpired);
    }
  }
}

// A chain from memory is a chain judged: the same verdict, and no more handshakes than it is good
// for.
TEST_F(RejudgeTest, RememberedChainsAreAskedAboutEveryTime) {
  for (const uint16_t version : kVersions) {
    VerdictCache cache(16);
    ClientOptions options = AnonymousClient(version);
    options.certificate = &brief_;
    TestHosts hosts = After(Change::kNothing, secret_);
    hosts.table().SetVerdictCache(&cache);
    for (const bool from_cache : {false, true, true}) {
      Pair pair(hosts.table(), options);
      ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
      EXPECT_EQ(pair.engine().verdict().from_cache, from_cache);
      EXPECT_EQ(pair.engine().verdict().identity->subject, "CN=brief");
    }
    EXPECT_EQ(hosts.table().hosts().front()->verifier->judged(), 1U);
    for (const Change change : {Change::kRevoked, Change::kExpired, Change::kDistrusted,
                                Change::kDenied, Change::kStaleCrl}) {
      TestHosts after = After(change, secret_);
      after.table().SetVerdictCache(&cache);
      Pair pair(after.table(), options);
      EXPECT_EQ(pair.Handshake(), HandshakeStatus::kFailed);
      EXPECT_EQ(pair.engine().verdict().rejection, ExpectedOf(change));
    }
  }
}

// Anyone may have a copy of a good chain, and would be remembered as its owner.
TEST_F(RejudgeTest, WhoHasNotProvedPossessionIsNotRemembered) {
  for (const uint16_t version : kVersions) {
    VerdictCache cache(16);
    TestHosts hosts({Host("edge.example", ClientAuthMode::kRequire)});
    hosts.table().SetVerdictCache(&cache);
    ClientOptions thief = GoodClient(version);
    thief.key_of = &brief_;
    Pair pair(hosts.table(), thief);
    EXPECT_EQ(pair.Handshake(), HandshakeStatus::kFailed);
    EXPECT_TRUE(pair.engine().verdict().accepted());
    EXPECT_EQ(testing::ReasonOf(pair.engine()), "bad_proof");
    EXPECT_EQ(cache.size(), 0U);
    Pair honest(hosts.table(), GoodClient(version));
    EXPECT_EQ(honest.Handshake(), HandshakeStatus::kDone);
    EXPECT_EQ(cache.size(), 1U);
  }
}

// The proof is asked of every full handshake, remembered or not.
TEST_F(RejudgeTest, ARememberedChainProvesNothingWithoutItsKey) {
  for (const uint16_t version : kVersions) {
    VerdictCache cache(16);
    TestHosts hosts({Host("edge.example", ClientAuthMode::kRequire)});
    hosts.table().SetVerdictCache(&cache);
    Pair honest(hosts.table(), GoodClient(version));
    ASSERT_EQ(honest.Handshake(), HandshakeStatus::kDone);
    ClientOptions thief = GoodClient(version);
    thief.key_of = &brief_;
    Pair pair(hosts.table(), thief);
    EXPECT_EQ(pair.Handshake(), HandshakeStatus::kFailed);
    EXPECT_TRUE(pair.engine().verdict().from_cache);
    EXPECT_EQ(testing::ReasonOf(pair.engine()), "bad_proof");
  }
}

}  // namespace
}  // namespace portcullis::tls
