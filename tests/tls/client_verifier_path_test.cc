// How the verifier finds its way from a leaf to an anchor: depth, anchors of equal name,
// cross-certificates, pins.
#include <openssl/x509v3.h>

#include <string>
#include <vector>

#include "gmock/gmock.h"

#include "tests/tls/verifier_fixture.h"
#include "tls/client_verifier.h"
#include "tls/path_checks.h"

namespace portcullis::tls {
namespace {

using testing::CertificateOptions;
using testing::Judge;
using testing::JudgeBuffers;
using testing::JudgeOptions;
using testing::kDay;
using testing::kNow;
using testing::MakeBuffers;
using testing::MakeCa;
using testing::MakeLeaf;
using testing::MakeRoot;
using testing::MakeSelfSigned;
using testing::MakeTrust;
using testing::NameOf;
using testing::Reissue;
using testing::TestCertificate;
using testing::TestKey;

class PathTest : public ::testing::Test {
 protected:
  // A chain leaf first, with `num_intermediates` between the leaf and root_, and the root last.
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> ChainOf(size_t num_intermediates) {
    std::vector<TestCertificate> cas;
    for (size_t i = 0; i < num_intermediates; ++i) {
      cas.push_back(
          MakeCa(cas.empty() ? root_ : cas.back(), {.common_name = "ca " + std::to_string(i)}));
    }
    const TestCertificate leaf = MakeLeaf(cas.empty() ? root_ : cas.back(), {});
    auto buffers = MakeBuffers({&leaf});
    for (auto ca = cas.rbegin(); ca != cas.rend(); ++ca) {
      buffers.push_back(std::move(MakeBuffers({&*ca}).front()));
    }
    buffers.push_back(std::move(MakeBuffers({&root_}).front()));
    return buffers;
  }

  const TestCertificate root_ = MakeRoot({.common_name = "root"});
  const TestCertificate bystander_ = MakeRoot({.common_name = "bystander"});
  const std::shared_ptr<const TrustMaterial> trust_ = MakeTrust({&root_});
};

TEST_F(PathTest, DepthCountsIntermediatesBetweenLeafAndAnchor) {
  for (const uint32_t max_depth : {0U, 1U, 3U}) {
    for (size_t num = 0; num <= max_depth + 2; ++num) {
      EXPECT_EQ(NameOf(JudgeBuffers(trust_, ChainOf(num), {.max_depth = max_depth})),
                num <= max_depth ? "none" : "chain_too_long")
          << num << " intermediates, depth " << max_depth;
    }
  }
}

TEST_F(PathTest, AChainFarTooLongIsNotLookedAt) {
  EXPECT_EQ(NameOf(JudgeBuffers(trust_, ChainOf(20), {.max_depth = 2})), "chain_too_long");
}

TEST_F(PathTest, OrderAndStrangersBehindTheLeafDoNotMatter) {
  const TestCertificate upper = MakeCa(root_, {.common_name = "upper"});
  const TestCertificate lower = MakeCa(upper, {.common_name = "lower"});
  const TestCertificate leaf = MakeLeaf(lower, {});
  const TestCertificate stranger = MakeRoot({.common_name = "stranger"});
  EXPECT_EQ(NameOf(Judge(trust_, {&leaf, &stranger, &upper, &root_, &lower})), "none");
  EXPECT_EQ(NameOf(Judge(trust_, {&leaf, &upper})), "unknown_ca");
}

TEST_F(PathTest, AnIntermediateMayBeTheAnchor) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca"});
  const TestCertificate leaf = MakeLeaf(ca, {});
  EXPECT_EQ(NameOf(Judge(MakeTrust({&ca}), {&leaf})), "none");
  EXPECT_EQ(NameOf(Judge(MakeTrust({&ca}), {&leaf, &ca}, {.max_depth = 0})), "none");
}

TEST_F(PathTest, AnIntermediateOfTheBundleCompletesAChainWhenItIsNoAnchor) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca"});
  const TestCertificate leaf = MakeLeaf(ca, {});
  PathReport report;
  const JudgeOptions options{.intermediates_as_anchors = false, .report = &report};
  EXPECT_EQ(NameOf(Judge(MakeTrust({&root_, &ca}), {&leaf}, options)), "none");
  ASSERT_EQ(report.path.size(), 3U);
  EXPECT_EQ(report.path[1].source, PathSource::kKnown);
  EXPECT_EQ(report.path[2].subject, "CN=root");
  EXPECT_FALSE(ClientVerifier::Create(MakeTrust({&ca}), {.intermediates_as_anchors = false}).ok());
}

TEST_F(PathTest, AKnownIntermediateCompletesAChainAndIsNoAnchor) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca"});
  const TestCertificate leaf = MakeLeaf(ca, {});
  const auto with = [&ca](const TestCertificate& anchor) {
    return testing::ParseTrust(
        {.cas = {{anchor.Pem(), "ca.crt"}}, .intermediates = {{ca.Pem(), "more.crt"}}});
  };
  EXPECT_EQ(NameOf(Judge(with(root_), {&leaf})), "none");
  EXPECT_EQ(NameOf(Judge(with(bystander_), {&leaf})), "unknown_ca");
}

TEST_F(PathTest, AnExpiredNamesakeNeverShadowsAValidAnchor) {
  // The same key under two certificates, and in either order.
  const TestCertificate expired =
      Reissue(root_, root_, {.common_name = "root", .not_after = kNow - 1, .is_ca = true});
  const TestCertificate leaf = MakeLeaf(root_, {});
  EXPECT_EQ(NameOf(Judge(MakeTrust({&expired, &root_}), {&leaf})), "none");
  EXPECT_EQ(NameOf(Judge(MakeTrust({&root_, &expired}), {&leaf})), "none");
  EXPECT_EQ(NameOf(Judge(MakeTrust({&expired}), {&leaf})), "expired");
}

TEST_F(PathTest, AnAnchorThatExpiresLaterGivesWayToItsSuccessorThen) {
  const TestCertificate successor =
      Reissue(root_, root_, {.common_name = "root", .not_after = kNow + 900 * kDay, .is_ca = true});
  const TestCertificate leaf = MakeLeaf(root_, {.not_after = kNow + 800 * kDay});
  const auto trust = MakeTrust({&root_, &successor});
  EXPECT_EQ(NameOf(Judge(trust, {&leaf})), "none");
  EXPECT_EQ(NameOf(Judge(trust, {&leaf}, {.now = kNow + 700 * kDay})), "none");
}

TEST_F(PathTest, AmongAnchorsOfOneNameTheOneThatSignedCounts) {
  // Without key identifiers only the signature can tell.
  const TestCertificate first = MakeRoot({.common_name = "twin", .key_ids = false});
  const TestCertificate second = MakeRoot({.common_name = "twin", .key_ids = false});
  const TestCertificate third = MakeRoot({.common_name = "twin", .key_ids = false});
  const auto trust = MakeTrust({&first, &second, &third});
  for (const TestCertificate* const ca : {&first, &second, &third}) {
    const TestCertificate leaf = MakeLeaf(*ca, {.key_ids = false});
    EXPECT_EQ(NameOf(Judge(trust, {&leaf})), "none");
  }
  const TestCertificate fourth = MakeRoot({.common_name = "twin", .key_ids = false});
  const TestCertificate leaf = MakeLeaf(fourth, {.key_ids = false});
  EXPECT_EQ(NameOf(Judge(trust, {&leaf})), "bad_signature");
}

TEST_F(PathTest, OfTwoCrossCertificatesTheOneTowardsAnAnchorIsTaken) {
  const TestCertificate elsewhere = MakeRoot({.common_name = "elsewhere"});
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca"});
  const TestCertificate cross = Reissue(elsewhere, ca, {.common_name = "ca", .is_ca = true});
  const TestCertificate leaf = MakeLeaf(ca, {});
  EXPECT_EQ(NameOf(Judge(trust_, {&leaf, &cross, &ca})), "none");
  EXPECT_EQ(NameOf(Judge(trust_, {&leaf, &ca, &cross})), "none");
  EXPECT_EQ(NameOf(Judge(MakeTrust({&elsewhere}), {&leaf, &ca, &cross})), "none");
}

TEST_F(PathTest, AnExpiredTwinOfAnIntermediateDoesNotMatter) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca"});
  const TestCertificate expired =
      Reissue(root_, ca, {.common_name = "ca", .not_after = kNow - 1, .is_ca = true});
  const TestCertificate leaf = MakeLeaf(ca, {});
  EXPECT_EQ(NameOf(Judge(trust_, {&leaf, &expired, &ca})), "none");
}

TEST_F(PathTest, PathLengthsBindAlsoTheAnchors) {
  const TestCertificate short_root = MakeRoot({.common_name = "short", .path_length = 0});
  const TestCertificate ca = MakeCa(short_root, {.common_name = "ca"});
  const TestCertificate leaf = MakeLeaf(ca, {});
  const TestCertificate direct = MakeLeaf(short_root, {});
  const auto trust = MakeTrust({&short_root});
  EXPECT_EQ(NameOf(Judge(trust, {&direct})), "none");
  EXPECT_EQ(NameOf(Judge(trust, {&leaf, &ca})), "bad_certificate");

  const TestCertificate bound = MakeCa(root_, {.common_name = "bound", .path_length = 0});
  const TestCertificate below = MakeCa(bound, {.common_name = "below"});
  const TestCertificate deep = MakeLeaf(below, {});
  EXPECT_EQ(NameOf(Judge(trust_, {&deep, &below, &bound})), "bad_certificate");
}

TEST_F(PathTest, APinnedLeafIsTrustedAndVouchesForNobodyElse) {
  const TestCertificate pinned = MakeLeaf(root_, {.common_name = "pinned"});
  const auto trust = MakeTrust({&pinned, &bystander_});
  EXPECT_EQ(NameOf(Judge(trust, {&pinned})), "none");
  const TestCertificate minted = MakeLeaf(pinned, {.common_name = "minted"});
  EXPECT_EQ(NameOf(Judge(trust, {&minted})), "unknown_ca");
  EXPECT_EQ(NameOf(Judge(trust, {&minted, &pinned})), "unknown_ca");
  EXPECT_EQ(NameOf(Judge(trust, {&pinned}, {.now = kNow + 366 * kDay})), "expired");
}

TEST_F(PathTest, APinnedSelfSignedLeafIsTrusted) {
  const TestCertificate pinned = MakeSelfSigned({.common_name = "pinned"});
  const auto trust = MakeTrust({&pinned, &bystander_});
  EXPECT_EQ(NameOf(Judge(trust, {&pinned})), "none");
  const TestCertificate namesake = MakeSelfSigned({.common_name = "pinned"});
  EXPECT_EQ(NameOf(Judge(trust, {&namesake})), "unknown_ca");
  const TestCertificate minted = MakeLeaf(pinned, {.common_name = "minted"});
  EXPECT_EQ(NameOf(Judge(trust, {&minted})), "unknown_ca");
}

TEST_F(PathTest, RootsOfOldWithoutBasicConstraintsStillIssue) {
  for (const bool v1 : {false, true}) {
    const TestCertificate old_root =
        MakeSelfSigned({.common_name = "old", .v1 = v1, .omit_basic_constraints = true});
    const TestCertificate leaf = MakeLeaf(old_root, {});
    EXPECT_EQ(NameOf(Judge(MakeTrust({&old_root}), {&leaf})), "none") << v1;
  }
}

TEST_F(PathTest, APinnedLeafIsAcceptedBesideCrlsOfOthers) {
  const TestCertificate pinned = MakeLeaf(MakeRoot({.common_name = "gone"}), {});
  const auto trust = MakeTrust({&pinned, &root_}, {testing::MakeCrlPem(root_, {})});
  EXPECT_EQ(NameOf(Judge(trust, {&pinned})), "none");
}

TEST_F(PathTest, NobodyAsksAboutTheAnchor) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca", .serial = 77});
  const TestCertificate leaf = MakeLeaf(ca, {});
  const std::string crl = testing::MakeCrlPem(root_, {77});
  EXPECT_EQ(NameOf(Judge(MakeTrust({&ca, &root_}, {crl}), {&leaf})), "none");
  EXPECT_EQ(NameOf(Judge(MakeTrust({&ca, &root_}, {crl}), {&leaf, &ca},
                         {.intermediates_as_anchors = false})),
            "revoked");
}

// A CA's new key under its old name, signed by the old key, and no key identifiers: the library
// takes the certificate for self-signed.
class RolloverTest : public ::testing::Test {
 protected:
  static std::shared_ptr<const TrustMaterial> TrustWith(const TestCertificate& intermediate,
                                                        const TestCertificate& root) {
    TrustSources sources;
    sources.cas.push_back({root.Pem(), "ca.crt"});
    sources.intermediates.push_back({intermediate.Pem(), "i.crt"});
    return testing::ParseTrust(sources);
  }

  const TestCertificate old_ =
      MakeRoot({.common_name = "ca", .key = TestKey::kRsa2048, .key_ids = false});
  const TestCertificate new_with_old_ = MakeCa(old_, {.common_name = "ca", .key_ids = false});
  const TestCertificate mid_ = MakeCa(new_with_old_, {.common_name = "mid", .key_ids = false});
  const TestCertificate leaf_ = MakeLeaf(new_with_old_, {.key_ids = false});
  const TestCertificate below_ = MakeLeaf(mid_, {.key_ids = false});
};

TEST_F(RolloverTest, TheOldKeyVouchesForTheNewOne) {
  ASSERT_NE(X509_get_extension_flags(new_with_old_.x509()) & EXFLAG_SS, 0U);
  const auto trust = MakeTrust({&old_});
  PathReport report;
  EXPECT_EQ(NameOf(Judge(trust, {&leaf_, &new_with_old_}, {.report = &report})), "none");
  EXPECT_EQ(report.path.size(), 3U);
  EXPECT_EQ(NameOf(Judge(trust, {&below_, &mid_, &new_with_old_})), "none");
  EXPECT_EQ(NameOf(Judge(TrustWith(new_with_old_, old_), {&leaf_})), "none");
  EXPECT_EQ(NameOf(Judge(trust, {&leaf_, &new_with_old_}, {.max_depth = 0})), "chain_too_long");
  // Another key after that, of the same kind.
  const TestCertificate newest = MakeCa(new_with_old_, {.common_name = "ca", .key_ids = false});
  const TestCertificate leaf = MakeLeaf(newest, {.key_ids = false});
  EXPECT_EQ(NameOf(Judge(trust, {&leaf, &newest, &new_with_old_})), "none");
}

TEST_F(RolloverTest, ANamesakeDoesNot) {
  const TestCertificate namesake = MakeRoot({.common_name = "ca", .key_ids = false});
  const auto trust = MakeTrust({&namesake});
  EXPECT_EQ(NameOf(Judge(trust, {&leaf_, &new_with_old_})), "bad_signature");
  EXPECT_EQ(NameOf(Judge(trust, {&leaf_, &new_with_old_, &old_})), "bad_signature");
  EXPECT_EQ(NameOf(Judge(trust, {&below_, &mid_, &new_with_old_, &old_})), "bad_signature");
}

TEST_F(RolloverTest, WhatIsAskedOfACaIsAskedOfIt) {
  const auto trust = MakeTrust({&old_});
  const auto refuses = [&](const CertificateOptions& options) {
    const TestCertificate ca = MakeLeaf(old_, options);
    const TestCertificate leaf =
        MakeLeaf(ca, {.subject_alt_name = "DNS:bad.example", .key_ids = false});
    return NameOf(Judge(trust, {&leaf, &ca}));
  };
  EXPECT_EQ(refuses({.common_name = "ca", .is_ca = true, .key_ids = false}), "none");
  EXPECT_EQ(refuses({.common_name = "ca", .v1 = true}), "bad_certificate");
  EXPECT_EQ(refuses({.common_name = "ca", .key_ids = false}), "bad_certificate");
  EXPECT_EQ(refuses({.common_name = "ca", .not_after = kNow - 1, .is_ca = true, .key_ids = false}),
            "expired");
  EXPECT_EQ(refuses({.common_name = "ca",
                     .is_ca = true,
                     .extended_key_usage = "serverAuth",
                     .key_ids = false}),
            "bad_purpose");
  EXPECT_EQ(refuses({.common_name = "ca",
                     .is_ca = true,
                     .name_constraints = "critical,permitted;DNS:good.example",
                     .key_ids = false}),
            "bad_certificate");
}

// The library alone knows policies, and it does not see such a path as a whole.
TEST_F(RolloverTest, PoliciesAreNotRestrictedOverIt) {
  const TestCertificate bound =
      MakeCa(new_with_old_, {.common_name = "bound",
                             .policies = "1.2.3.4",
                             .policy_constraints = "requireExplicitPolicy:0",
                             .key_ids = false});
  const TestCertificate leaf = MakeLeaf(bound, {.policies = "1.2.3.4", .key_ids = false});
  const auto trust = MakeTrust({&old_});
  const Verdict verdict = Judge(trust, {&leaf, &bound, &new_with_old_});
  EXPECT_EQ(NameOf(verdict), "bad_certificate");
  EXPECT_THAT(verdict.detail, ::testing::StartsWith("policies restricted"));
  EXPECT_EQ(NameOf(Judge(MakeTrust({&new_with_old_}), {&leaf, &bound})), "none");
}

// Ten thousand CAs are not verified at each reload: one that says whose key it was is believed.
TEST_F(RolloverTest, WithKeyIdentifiersItSaysSoItself) {
  const TestCertificate root = MakeRoot({.common_name = "ca"});
  const TestCertificate next = MakeCa(root, {.common_name = "ca"});
  EXPECT_TRUE(SaysSelfSigned(root.x509()));
  EXPECT_FALSE(SaysSelfSigned(next.x509()));
  EXPECT_FALSE(SaysSelfSigned(old_.x509()));
  const auto trust = MakeTrust({&root, &next, &old_, &new_with_old_});
  std::vector<bool> self_signed;
  for (uint32_t id = 0; id < 4; ++id) self_signed.push_back(trust->known.at(id).is_self_signed);
  EXPECT_THAT(self_signed, ::testing::ElementsAre(true, false, true, false));
}

TEST_F(RolloverTest, ItIsNoAnchorWhereOnlySelfSignedOnesAre) {
  const TestCertificate bystander = MakeRoot({.common_name = "bystander"});
  const auto trust = MakeTrust({&new_with_old_, &bystander});
  EXPECT_EQ(NameOf(Judge(trust, {&leaf_})), "none");
  const Verdict verdict = Judge(trust, {&leaf_}, {.intermediates_as_anchors = false});
  EXPECT_EQ(NameOf(verdict), "unknown_ca");
  EXPECT_EQ(verdict.x509_error, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
  EXPECT_EQ(verdict.failed_depth, 1);
  const auto both = MakeTrust({&new_with_old_, &old_});
  PathReport report;
  EXPECT_EQ(NameOf(Judge(both, {&leaf_}, {.intermediates_as_anchors = false, .report = &report})),
            "none");
  EXPECT_EQ(report.path.size(), 3U);
}

}  // namespace
}  // namespace portcullis::tls
