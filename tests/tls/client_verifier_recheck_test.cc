// Judging a remembered identity again: without its certificates, after time has passed or the trust
// has changed.
#include <memory>
#include <string>

#include "tests/tls/verifier_fixture.h"
#include "tls/client_verifier.h"

namespace portcullis::tls {
namespace {

using testing::Judge;
using testing::kDay;
using testing::kNow;
using testing::MakeCa;
using testing::MakeCrlPem;
using testing::MakeLeaf;
using testing::MakeRoot;
using testing::MakeTrust;
using testing::MakeVerifier;
using testing::NameOf;
using testing::TestCertificate;

class RecheckTest : public ::testing::Test {
 protected:
  Verdict Recheck(const std::shared_ptr<const TrustMaterial>& trust, int64_t now = kNow,
                  const testing::JudgeOptions& options = {}) const {
    return MakeVerifier(trust, options)->Recheck(identity_, now);
  }

  const TestCertificate root_ = MakeRoot({.common_name = "root", .not_after = kNow + 90 * kDay});
  const TestCertificate ca_ =
      MakeCa(root_, {.common_name = "ca", .not_after = kNow + 60 * kDay, .serial = 70});
  const TestCertificate leaf_ =
      MakeLeaf(ca_, {.common_name = "client", .not_after = kNow + 70 * kDay, .serial = 71});
  const std::shared_ptr<const TrustMaterial> trust_ = MakeTrust({&root_});
  const std::shared_ptr<const PeerIdentity> identity_ = Judge(trust_, {&leaf_, &ca_}).identity;
};

TEST_F(RecheckTest, TheIdentityCarriesItsPath) {
  ASSERT_EQ(identity_->path.size(), 2U);
  EXPECT_FALSE(identity_->path[0].is_ca);
  EXPECT_TRUE(identity_->path[1].is_ca);
  EXPECT_EQ(identity_->path[1].serial, std::vector<uint8_t>{70});
  EXPECT_EQ(identity_->path[0].issuer, MakeIssuerId(ca_.Der()));
  EXPECT_EQ(identity_->path[1].issuer, MakeIssuerId(root_.Der()));
  EXPECT_EQ(identity_->anchor_sha256, trust_->known.at(0).sha256);
  ASSERT_EQ(identity_->chain_der.size(), 2U);
  EXPECT_EQ(identity_->chain_der[1], SharedBytes(ca_.Der()));
}

TEST_F(RecheckTest, ItHoldsUntilTheFirstLinkEnds) {
  const Verdict verdict = Recheck(trust_);
  EXPECT_EQ(NameOf(verdict), "none");
  EXPECT_EQ(verdict.identity, identity_);
  EXPECT_EQ(verdict.holds_until, kNow + 60 * kDay);
  EXPECT_EQ(verdict.holds_until, Judge(trust_, {&leaf_, &ca_}).holds_until);
  EXPECT_EQ(NameOf(Recheck(trust_, kNow + 60 * kDay)), "none");
  const Verdict expired = Recheck(trust_, kNow + 60 * kDay + 1);
  EXPECT_EQ(NameOf(expired), "expired");
  EXPECT_EQ(expired.failed_depth, 1);
  EXPECT_EQ(NameOf(Recheck(trust_, kNow - 2 * kDay)), "not_yet_valid");
}

TEST_F(RecheckTest, TheAnchorMustStillBeOneAndHold) {
  const TestCertificate other = MakeRoot({.common_name = "root"});
  EXPECT_EQ(NameOf(Recheck(MakeTrust({&other}))), "unknown_ca");
  EXPECT_EQ(NameOf(Recheck(MakeTrust({&other, &root_}))), "none");
  const auto demoted = testing::ParseTrust(
      {.cas = {{other.Pem(), "ca.crt"}}, .intermediates = {{root_.Pem(), "more.crt"}}});
  EXPECT_EQ(NameOf(Recheck(demoted)), "unknown_ca");

  const TestCertificate brief = MakeRoot({.common_name = "brief", .not_after = kNow + kDay});
  const TestCertificate leaf = MakeLeaf(brief, {});
  const auto trust = MakeTrust({&brief});
  const auto identity = Judge(trust, {&leaf}).identity;
  EXPECT_EQ(NameOf(MakeVerifier(trust)->Recheck(identity, kNow + kDay)), "none");
  const Verdict expired = MakeVerifier(trust)->Recheck(identity, kNow + kDay + 1);
  EXPECT_EQ(NameOf(expired), "expired");
  EXPECT_EQ(expired.failed_depth, 1);
}

TEST_F(RecheckTest, AnIntermediateAnchorCountsAsLongAsTheOptionsHaveIt) {
  const auto trust = MakeTrust({&ca_, &root_});
  const auto identity = Judge(trust, {&leaf_}).identity;
  ASSERT_EQ(identity->path.size(), 1U);
  EXPECT_EQ(NameOf(MakeVerifier(trust)->Recheck(identity, kNow)), "none");
  EXPECT_EQ(
      NameOf(MakeVerifier(trust, {.intermediates_as_anchors = false})->Recheck(identity, kNow)),
      "unknown_ca");
}

TEST_F(RecheckTest, WhatTheTrustHasLentMustStillBeKnown) {
  const TrustSources lending{.cas = {{root_.Pem(), "ca.crt"}},
                             .intermediates = {{ca_.Pem(), "more.crt"}}};
  const auto trust = testing::ParseTrust(lending);
  const auto lent = Judge(trust, {&leaf_}).identity;
  ASSERT_EQ(lent->lent.size(), 1U);
  EXPECT_EQ(NameOf(MakeVerifier(trust)->Recheck(lent, kNow)), "none");
  EXPECT_EQ(NameOf(MakeVerifier(trust_)->Recheck(lent, kNow)), "unknown_ca");
  const auto own = Judge(trust, {&leaf_, &ca_}).identity;
  EXPECT_TRUE(own->lent.empty()) << "the client has it, too";
  EXPECT_EQ(NameOf(MakeVerifier(trust_)->Recheck(own, kNow)), "none");
}

TEST_F(RecheckTest, RevocationReachesEveryLink) {
  EXPECT_EQ(NameOf(Recheck(MakeTrust({&root_}, {MakeCrlPem(root_, {1})}))), "none");
  const Verdict verdict = Recheck(MakeTrust({&root_}, {MakeCrlPem(root_, {70})}));
  EXPECT_EQ(NameOf(verdict), "revoked");
  EXPECT_EQ(verdict.failed_depth, 1);
  const auto with_ca_crl = testing::ParseTrust({.cas = {{root_.Pem(), "ca.crt"}},
                                                .intermediates = {{ca_.Pem(), "more.crt"}},
                                                .crls = {{MakeCrlPem(ca_, {71}), "ca.crl"}}});
  const Verdict leaf = Recheck(with_ca_crl);
  EXPECT_EQ(NameOf(leaf), "revoked");
  EXPECT_EQ(leaf.failed_depth, 0);
  EXPECT_EQ(leaf.failed_subject, "CN=client");
  const auto stale = MakeTrust({&root_}, {MakeCrlPem(root_, {}, {.next_update = kNow + kDay})});
  EXPECT_EQ(Recheck(stale).holds_until, kNow + kDay);
  EXPECT_EQ(NameOf(Recheck(stale, kNow + kDay + 1)), "crl_stale");
}

TEST_F(RecheckTest, APinnedLeafHoldsAsLongAsItIsPinned) {
  const TestCertificate pinned = MakeLeaf(root_, {.common_name = "pinned"});
  const TestCertificate other = MakeRoot({.common_name = "other"});
  const auto trust = MakeTrust({&pinned, &other});
  const auto identity = Judge(trust, {&pinned}).identity;
  EXPECT_TRUE(identity->path.empty());
  EXPECT_EQ(NameOf(MakeVerifier(trust)->Recheck(identity, kNow)), "none");
  EXPECT_EQ(NameOf(MakeVerifier(MakeTrust({&other}))->Recheck(identity, kNow)), "unknown_ca");
}

TEST_F(RecheckTest, AnIdentityWithoutAPathIsNobodys) {
  const TestCertificate stranger = MakeRoot({.common_name = "stranger"});
  const TestCertificate leaf = MakeLeaf(stranger, {});
  auto identity = std::make_shared<PeerIdentity>(*Judge(trust_, {&leaf}).identity);  // rejected
  EXPECT_EQ(NameOf(MakeVerifier(trust_)->Recheck(identity, kNow)), "unknown_ca");
  identity->anchor_sha256 = trust_->known.at(0).sha256;
  EXPECT_EQ(NameOf(MakeVerifier(trust_)->Recheck(identity, kNow)), "unknown_ca");
}

TEST_F(RecheckTest, TheEpochFollowsWhatShapesAPathAndNothingElse) {
  const uint64_t epoch = MakeVerifier(trust_)->epoch();
  EXPECT_EQ(MakeVerifier(MakeTrust({&root_}))->epoch(), epoch);
  EXPECT_EQ(MakeVerifier(MakeTrust({&root_}, {MakeCrlPem(root_, {7})}))->epoch(), epoch);
  EXPECT_NE(MakeVerifier(MakeTrust({&root_, &ca_}))->epoch(), epoch);
  EXPECT_NE(MakeVerifier(trust_, {.max_depth = 3})->epoch(), epoch);
  EXPECT_NE(MakeVerifier(trust_, {.intermediates_as_anchors = false})->epoch(), epoch);
  EXPECT_NE(MakeVerifier(trust_, {.max_chain_bytes = 5000})->epoch(), epoch);
  const auto known = testing::ParseTrust(
      {.cas = {{root_.Pem(), "ca.crt"}}, .intermediates = {{ca_.Pem(), "more.crt"}}});
  EXPECT_NE(MakeVerifier(known)->epoch(), epoch);
}

}  // namespace
}  // namespace portcullis::tls
