// What a host makes of a client: that memory never changes a verdict, and what becomes of clients
// let in under a configuration since replaced.
#include "tls/host_judge.h"

#include <memory>
#include <string>
#include <vector>

#include "tests/tls/engine_fixture.h"
#include "tls/identity_codec.h"

namespace portcullis::tls {
namespace {

using testing::EngineTest;
using testing::kNow;
using testing::MakeBuffers;
using testing::MakeCa;
using testing::MakeCrlPem;
using testing::MakeLeaf;
using testing::MakeRoot;
using testing::MakeTrust;
using testing::TestCertificate;
using testing::TestHosts;

using Chain = std::initializer_list<const TestCertificate*>;

class HostJudgeTest : public EngineTest {
 protected:
  [[nodiscard]] TestHosts Trusting(std::shared_ptr<const TrustMaterial> trust,
                                   const ClientAuthSpec& like = {}) const {
    HostSpec spec = Host("edge.example", ClientAuthMode::kRequire);
    spec.client_auth = like;
    spec.client_auth.mode = ClientAuthMode::kRequire;
    spec.client_auth.trust = std::move(trust);
    return TestHosts({spec});
  }
  static const tls::Host& HostOf(TestHosts& hosts) { return *hosts.table().hosts().front(); }

  // As of a client that proves itself.
  Verdict Judge(TestHosts& hosts, Chain certificates, int64_t now = kNow) {
    const auto buffers = MakeBuffers(certificates);
    std::vector<CRYPTO_BUFFER*> chain;
    for (const auto& buffer : buffers) chain.push_back(buffer.get());
    Verdict verdict = JudgeChain(HostOf(hosts), chain, &cache_, now);
    Remember(HostOf(hosts), verdict, &cache_);
    return verdict;
  }
  // What `after` makes of a client that `before` let in.
  Verdict Live(TestHosts& after, TestHosts& before, Chain certificates) {
    return JudgeLive(
        HostOf(after),
        {.judged_by = RulesOf(HostOf(before)), .identity = Judge(before, certificates).identity},
        &cache_, kNow);
  }
  // The same of one that resumed: what its ticket says.
  Verdict LiveResumed(TestHosts& after, TestHosts& before, Chain certificates) {
    const std::vector<uint8_t> ticket =
        EncodeIdentity(*Judge(before, certificates).identity, false);
    return JudgeLive(
        HostOf(after),
        {.judged_by = RulesOf(HostOf(before)), .identity = DecodeIdentity(ticket), .resumed = true},
        &cache_, kNow);
  }

  const TestCertificate other_root_ = MakeRoot({.common_name = "other root"});
  const TestCertificate ca_ = MakeCa(root_, {.common_name = "ca"});
  const TestCertificate leaf_ = MakeLeaf(ca_, {.common_name = "leaf"});
  VerdictCache cache_{64};
};

TEST_F(HostJudgeTest, AChainSeenBeforeIsNotJudgedAgain) {
  TestHosts hosts = Trusting(MakeTrust({&root_}));
  EXPECT_FALSE(Judge(hosts, {&leaf_, &ca_}).from_cache);
  const Verdict again = Judge(hosts, {&leaf_, &ca_});
  EXPECT_TRUE(again.accepted());
  EXPECT_TRUE(again.from_cache);
  EXPECT_EQ(again.identity->subject, "CN=leaf");
  EXPECT_EQ(again.identity->chain_der.size(), 2U);
  EXPECT_GT(again.holds_until, kNow);
  EXPECT_EQ(HostOf(hosts).verifier->judged(), 1U);
}

TEST_F(HostJudgeTest, WhatAPathHasNoUseForIsNotRemembered) {
  const TestCertificate junk = MakeCa(other_root_, {.common_name = "junk"});
  TestHosts hosts = Trusting(MakeTrust({&root_}));
  for (const Chain chain :
       {Chain{&leaf_, &ca_, &junk}, {&leaf_, &junk, &ca_}, {&leaf_, &ca_, &ca_, &root_}}) {
    EXPECT_TRUE(Judge(hosts, chain).accepted());
    EXPECT_EQ(cache_.size(), 0U);
  }
  // The anchor itself belongs to the path, and intermediates may be the operator's.
  EXPECT_TRUE(Judge(hosts, {&leaf_, &ca_, &root_}).accepted());
  EXPECT_EQ(cache_.size(), 1U);
  TestHosts knows_all = Trusting(MakeTrust({&root_, &ca_}));
  EXPECT_TRUE(Judge(knows_all, {&leaf_}).accepted());
  EXPECT_EQ(cache_.size(), 2U);
}

TEST_F(HostJudgeTest, TheSameLeafBehindOtherIntermediatesIsAnotherChain) {
  TestHosts hosts = Trusting(MakeTrust({&root_}));
  const TestCertificate stranger = MakeCa(other_root_, {.common_name = "ca"});
  ASSERT_TRUE(Judge(hosts, {&leaf_, &ca_}).accepted());
  const Verdict verdict = Judge(hosts, {&leaf_, &stranger});
  EXPECT_FALSE(verdict.from_cache);
  EXPECT_FALSE(verdict.accepted());
  EXPECT_FALSE(Judge(hosts, {&leaf_}).accepted());
}

TEST_F(HostJudgeTest, TheSameChainUnderAnotherTrustIsJudgedThere) {
  TestHosts mine = Trusting(MakeTrust({&root_}));
  TestHosts theirs = Trusting(MakeTrust({&other_root_}));
  ASSERT_TRUE(Judge(mine, {&leaf_, &ca_}).accepted());
  const Verdict verdict = Judge(theirs, {&leaf_, &ca_});
  EXPECT_FALSE(verdict.from_cache);
  EXPECT_EQ(verdict.rejection, Rejection::kUnknownCa);
}

TEST_F(HostJudgeTest, ARejectionIsForgottenWhenTheCaIsAdded) {
  TestHosts before = Trusting(MakeTrust({&other_root_}));
  EXPECT_FALSE(Judge(before, {&leaf_, &ca_}).accepted());
  EXPECT_FALSE(Judge(before, {&leaf_, &ca_}).from_cache);
  EXPECT_EQ(cache_.size(), 0U);
  TestHosts after = Trusting(MakeTrust({&other_root_, &root_}));
  EXPECT_TRUE(Judge(after, {&leaf_, &ca_}).accepted());
}

TEST_F(HostJudgeTest, ShallowerDepthIsAnotherQuestion) {
  TestHosts deep = Trusting(MakeTrust({&root_}));
  TestHosts shallow = Trusting(MakeTrust({&root_}), {.max_depth = 0});
  ASSERT_TRUE(Judge(deep, {&leaf_, &ca_}).accepted());
  EXPECT_EQ(Judge(shallow, {&leaf_, &ca_}).rejection, Rejection::kChainTooLong);
}

TEST_F(HostJudgeTest, RememberedClientsExpireAndAreRevoked) {
  const TestCertificate brief = MakeLeaf(root_, {.not_after = kNow + 10});
  TestHosts hosts = Trusting(MakeTrust({&root_}));
  TestHosts revoking = Trusting(MakeTrust({&root_}, {MakeCrlPem(root_, {brief.serial()})}));
  ASSERT_TRUE(Judge(hosts, {&brief}).accepted());
  ASSERT_EQ(HostOf(hosts).verifier->epoch(), HostOf(revoking).verifier->epoch());
  EXPECT_EQ(Judge(revoking, {&brief}).rejection, Rejection::kRevoked);
  ASSERT_TRUE(Judge(hosts, {&brief}, kNow + 10).accepted());
  EXPECT_EQ(Judge(hosts, {&brief}, kNow + 11).rejection, Rejection::kExpired);
}

// The path remembered leads over a certificate that has been revoked; another one holds.
TEST_F(HostJudgeTest, ARememberedPathThatFailsIsNotTheLastWord) {
  const TestCertificate cross =
      testing::Reissue(other_root_, ca_, {.common_name = "ca", .is_ca = true});
  TestHosts hosts = Trusting(MakeTrust({&root_, &other_root_}));
  const Verdict first = Judge(hosts, {&leaf_, &ca_, &cross});
  ASSERT_TRUE(first.accepted());
  TestHosts revoking =
      Trusting(MakeTrust({&root_, &other_root_}, {MakeCrlPem(root_, {ca_.serial()})}));
  TestHosts revoking_other =
      Trusting(MakeTrust({&root_, &other_root_}, {MakeCrlPem(other_root_, {cross.serial()})}));
  EXPECT_TRUE(Judge(revoking, {&leaf_, &ca_, &cross}).accepted());
  EXPECT_TRUE(Judge(revoking_other, {&leaf_, &ca_, &cross}).accepted());
}

TEST_F(HostJudgeTest, LiveClientsStayWhereTheyWouldBeLetInAgain) {
  TestHosts before = Trusting(MakeTrust({&root_}));
  TestHosts wider = Trusting(MakeTrust({&root_, &other_root_}));
  TestHosts crl = Trusting(MakeTrust({&root_}, {MakeCrlPem(root_, {4711})}));
  for (TestHosts* const after : {&wider, &crl}) {
    EXPECT_TRUE(Live(*after, before, {&leaf_, &ca_}).accepted());
    EXPECT_TRUE(LiveResumed(*after, before, {&leaf_, &ca_}).accepted());
  }
}

TEST_F(HostJudgeTest, LiveClientsGoWhenTheyAreRevokedOrDistrusted) {
  TestHosts before = Trusting(MakeTrust({&root_}));
  TestHosts other = Trusting(MakeTrust({&other_root_}));
  TestHosts revoking = Trusting(MakeTrust({&root_}, {MakeCrlPem(root_, {ca_.serial()})}));
  EXPECT_EQ(Live(other, before, {&leaf_, &ca_}).rejection, Rejection::kUnknownCa);
  EXPECT_EQ(LiveResumed(other, before, {&leaf_, &ca_}).rejection, Rejection::kUnknownCa);
  EXPECT_EQ(Live(revoking, before, {&leaf_, &ca_}).rejection, Rejection::kRevoked);
  EXPECT_EQ(LiveResumed(revoking, before, {&leaf_, &ca_}).rejection, Rejection::kRevoked);
}

// Thousands of clients are asked at a reload: whether CAs come or go, that takes no signature.
TEST_F(HostJudgeTest, LiveClientsAreNotJudgedAfreshForCasThatComeAndGo) {
  TestHosts before = Trusting(MakeTrust({&root_}));
  TestHosts wider = Trusting(MakeTrust({&root_, &other_root_}));
  TestHosts other = Trusting(MakeTrust({&other_root_}));
  EXPECT_TRUE(Live(wider, before, {&leaf_, &ca_}).accepted());
  EXPECT_EQ(Live(other, before, {&leaf_, &ca_}).rejection, Rejection::kUnknownCa);
  EXPECT_EQ(HostOf(wider).verifier->judged(), 0U);
  EXPECT_EQ(HostOf(other).verifier->judged(), 0U);
}

// Whatever may hide another path is judged in full: a namesake of an issuer in the new trust, more
// certificates than the path needed, an intermediate that only the old trust knew.
TEST_F(HostJudgeTest, LiveClientsAreJudgedAfreshWhereAnotherPathMayBe) {
  TestHosts before = Trusting(MakeTrust({&root_}));
  const TestCertificate cross =
      testing::Reissue(other_root_, ca_, {.common_name = "ca", .is_ca = true});
  TestHosts crossed = Trusting(MakeTrust({&other_root_, &cross}));
  EXPECT_TRUE(Live(crossed, before, {&leaf_, &ca_}).accepted());
  EXPECT_EQ(HostOf(crossed).verifier->judged(), 1U);
  TestHosts pinned = Trusting(MakeTrust({&other_root_, &leaf_}));
  EXPECT_TRUE(Live(pinned, before, {&leaf_, &ca_}).accepted());

  TestHosts knowing = Trusting(MakeTrust({&root_, &ca_}), {.intermediates_as_anchors = false});
  TestHosts forgetting = Trusting(MakeTrust({&root_}), {.intermediates_as_anchors = false});
  EXPECT_EQ(Live(forgetting, knowing, {&leaf_}).rejection, Rejection::kUnknownCa);
  EXPECT_TRUE(Live(forgetting, knowing, {&leaf_, &ca_}).accepted());
}

// A resumed client has no chain that could be judged afresh: what the trust lent to its path is
// part of what the ticket says.
TEST_F(HostJudgeTest, LiveClientsGoWithTheIntermediateThatTheTrustLentThem) {
  const auto with = [&](std::vector<PemSource> intermediates) {
    return Trusting(testing::ParseTrust(
        {.cas = {{root_.Pem(), "ca.crt"}}, .intermediates = std::move(intermediates)}));
  };
  TestHosts lending = with({{ca_.Pem(), "more.crt"}});
  TestHosts wider = with({{ca_.Pem(), "more.crt"}, {other_root_.Pem(), "other.crt"}});
  TestHosts withdrawn = with({});
  TestHosts anchored = Trusting(MakeTrust({&root_, &ca_}));
  for (TestHosts* const after : {&wider, &anchored}) {
    EXPECT_TRUE(Live(*after, lending, {&leaf_}).accepted());
    EXPECT_TRUE(LiveResumed(*after, lending, {&leaf_}).accepted());
  }
  EXPECT_EQ(Live(withdrawn, lending, {&leaf_}).rejection, Rejection::kUnknownCa);
  const Verdict resumed = LiveResumed(withdrawn, lending, {&leaf_});
  EXPECT_EQ(resumed.rejection, Rejection::kUnknownCa);
  EXPECT_EQ(resumed.failed_subject, "CN=leaf");
  // What it presented itself is its own.
  EXPECT_TRUE(Live(withdrawn, lending, {&leaf_, &ca_}).accepted());
  EXPECT_TRUE(LiveResumed(withdrawn, lending, {&leaf_, &ca_}).accepted());
}

TEST_F(HostJudgeTest, ALiveClientWhoseAnchorIsGoneStaysOnAnotherPath) {
  const TestCertificate cross =
      testing::Reissue(other_root_, ca_, {.common_name = "ca", .is_ca = true});
  TestHosts before = Trusting(MakeTrust({&root_}));
  TestHosts after = Trusting(MakeTrust({&other_root_}));
  EXPECT_TRUE(Live(after, before, {&leaf_, &ca_, &cross}).accepted());
  EXPECT_FALSE(LiveResumed(after, before, {&leaf_, &ca_, &cross}).accepted());
}

TEST_F(HostJudgeTest, StricterRulesAreAskedOfLiveClients) {
  TestHosts before = Trusting(MakeTrust({&root_}));
  TestHosts shallow = Trusting(MakeTrust({&root_}), {.max_depth = 0});
  EXPECT_EQ(Live(shallow, before, {&leaf_, &ca_}).rejection, Rejection::kChainTooLong);
  EXPECT_EQ(LiveResumed(shallow, before, {&leaf_, &ca_}).rejection, Rejection::kChainTooLong);
  TestHosts strict = Trusting(MakeTrust({&root_}), {.profile = Profile::kStrict});
  EXPECT_FALSE(Live(strict, before, {&leaf_, &ca_}).accepted());
  EXPECT_EQ(LiveResumed(strict, before, {&leaf_, &ca_}).detail, "accepted under another profile");
}

TEST_F(HostJudgeTest, PolicyIsAskedOfEveryone) {
  const auto policy = Policy::Compile(
      {.deny = {
           {.name = "gone", .all_of = {{.field = MatchField::kCommonName, .values = {"leaf"}}}}}});
  ASSERT_TRUE(policy.ok());
  TestHosts before = Trusting(MakeTrust({&root_}));
  ASSERT_TRUE(Judge(before, {&leaf_, &ca_}).accepted());
  TestHosts denying = Trusting(MakeTrust({&root_}), {.policy = *policy});
  for (const Verdict& verdict :
       {Judge(denying, {&leaf_, &ca_}), Live(denying, before, {&leaf_, &ca_}),
        LiveResumed(denying, before, {&leaf_, &ca_}),
        JudgeAgain(HostOf(denying), Judge(before, {&leaf_, &ca_}).identity, kNow)}) {
    EXPECT_EQ(verdict.rejection, Rejection::kPolicyDenied);
    EXPECT_EQ(verdict.detail, "gone");
    EXPECT_EQ(verdict.failed_subject, "CN=leaf");
    EXPECT_NE(verdict.x509_error, 0);
  }
}

TEST_F(HostJudgeTest, OnlyAnUnknownCaIsForgivenAndOnlyWhereAskedFor) {
  for (const ClientAuthMode mode : {ClientAuthMode::kOff, ClientAuthMode::kOptional,
                                    ClientAuthMode::kOptionalNoCa, ClientAuthMode::kRequire}) {
    for (int reason = 0; reason < kNumRejections; ++reason) {
      const auto rejection = static_cast<Rejection>(reason);
      EXPECT_EQ(IsForgiven({.mode = mode}, rejection),
                mode == ClientAuthMode::kOptionalNoCa && rejection == Rejection::kUnknownCa);
    }
  }
}

}  // namespace
}  // namespace portcullis::tls
