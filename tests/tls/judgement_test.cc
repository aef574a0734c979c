// Which of several failures is told, and what a hostile chain can cost.
#include "tls/judgement.h"

#include <openssl/digest.h>

#include <string>
#include <vector>

#include "tests/tls/verifier_fixture.h"

namespace portcullis::tls {
namespace {

using testing::Judge;
using testing::JudgeBuffers;
using testing::JudgeOptions;
using testing::kNow;
using testing::MakeBuffers;
using testing::MakeCa;
using testing::MakeCrlPem;
using testing::MakeLeaf;
using testing::MakeRoot;
using testing::MakeTrust;
using testing::NameOf;
using testing::Reissue;
using testing::TestCertificate;
using testing::TestKey;

class JudgementTest : public ::testing::Test {
 protected:
  Verdict JudgeWithReport(const std::shared_ptr<const TrustMaterial>& trust,
                          std::initializer_list<const TestCertificate*> chain,
                          JudgeOptions options = {}) {
    options.report = &report_;
    return Judge(trust, chain, options);
  }

  PathReport report_;
  const TestCertificate root_ = MakeRoot({.common_name = "root"});
  const std::shared_ptr<const TrustMaterial> trust_ = MakeTrust({&root_});
};

TEST_F(JudgementTest, OneCandidateAtEachStepCostsEachSignatureOnce) {
  const TestCertificate upper = MakeCa(root_, {.common_name = "upper"});
  const TestCertificate lower = MakeCa(upper, {.common_name = "lower"});
  const TestCertificate leaf = MakeLeaf(lower, {});
  EXPECT_TRUE(JudgeWithReport(trust_, {&leaf, &lower, &upper, &root_}).accepted());
  EXPECT_EQ(report_.num_signature_checks, 3U);
  EXPECT_EQ(report_.num_nodes, 3U);
  ASSERT_EQ(report_.path.size(), 4U);
  EXPECT_TRUE(report_.ends_in_anchor);
  EXPECT_EQ(report_.path[1].subject, "CN=lower");
  EXPECT_EQ(report_.path[1].issuer, "CN=upper");
  EXPECT_EQ(report_.path[1].source, PathSource::kPresented);
  EXPECT_EQ(report_.path[1].der, lower.Der());
  EXPECT_EQ(report_.path[3].source, PathSource::kAnchor);
  EXPECT_EQ(report_.path[3].der, root_.Der());
}

TEST_F(JudgementTest, WhatIsCheapIsFoundWithoutASignatureCheck) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca", .serial = 7});
  const TestCertificate leaf = MakeLeaf(ca, {});
  const TestCertificate expired = MakeLeaf(ca, {.not_after = kNow - 1});
  const TestCertificate server = MakeLeaf(ca, {.extended_key_usage = "serverAuth"});
  const TestCertificate weak = MakeLeaf(ca, {.key = TestKey::kRsa1024});
  const TestCertificate critical = MakeLeaf(ca, {.unknown_critical = true});
  const auto revoking = MakeTrust({&root_}, {MakeCrlPem(root_, {7})});
  EXPECT_EQ(NameOf(JudgeWithReport(revoking, {&leaf, &ca})), "revoked");
  EXPECT_EQ(report_.num_signature_checks, 0U);
  for (const TestCertificate* const bad : {&expired, &server, &weak, &critical}) {
    EXPECT_FALSE(JudgeWithReport(trust_, {bad, &ca}).accepted());
    EXPECT_EQ(report_.num_signature_checks, 0U);
    EXPECT_EQ(report_.num_nodes, 0U);
  }
}

TEST_F(JudgementTest, ARealFaultBeatsAnUnknownCa) {
  const TestCertificate elsewhere = MakeRoot({.common_name = "elsewhere"});
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca", .not_after = kNow - 1});
  const TestCertificate cross = Reissue(elsewhere, ca, {.common_name = "ca", .is_ca = true});
  const TestCertificate leaf = MakeLeaf(ca, {});
  const Verdict verdict = JudgeWithReport(trust_, {&leaf, &cross, &ca});
  EXPECT_EQ(NameOf(verdict), "expired");
  EXPECT_EQ(verdict.failed_depth, 1);
  EXPECT_EQ(verdict.failed_subject, "CN=ca");
  ASSERT_EQ(report_.path.size(), 3U);
  EXPECT_TRUE(report_.ends_in_anchor);
}

TEST_F(JudgementTest, ARealFaultBeatsABadSignature) {
  const TestCertificate namesake = MakeRoot({.common_name = "twin", .key_ids = false});
  const TestCertificate expired =
      MakeRoot({.common_name = "twin", .not_after = kNow - 1, .key_ids = false});
  const TestCertificate leaf = MakeLeaf(expired, {.key_ids = false});
  EXPECT_EQ(NameOf(Judge(MakeTrust({&namesake, &expired}), {&leaf})), "expired");
  EXPECT_EQ(NameOf(Judge(MakeTrust({&expired, &namesake}), {&leaf})), "expired");
}

TEST_F(JudgementTest, OfTwoFaultsTheOneOnAPathReallySignedIsTold) {
  // Both look at fault before a signature is checked; the second is the leaf's issuer.
  const TestCertificate other =
      MakeRoot({.common_name = "twin", .not_after = kNow - 1, .key_ids = false});
  const TestCertificate issuer =
      MakeRoot({.common_name = "twin", .extended_key_usage = "serverAuth", .key_ids = false});
  const TestCertificate leaf = MakeLeaf(issuer, {.key_ids = false});
  EXPECT_EQ(NameOf(Judge(MakeTrust({&other, &issuer}), {&leaf})), "bad_purpose");
  EXPECT_EQ(NameOf(Judge(MakeTrust({&issuer, &other}), {&leaf})), "bad_purpose");
}

TEST_F(JudgementTest, ADeadEndIsToldAsTheLibraryWould) {
  const TestCertificate stranger = MakeRoot({.common_name = "stranger"});
  const TestCertificate ca = MakeCa(stranger, {.common_name = "ca"});
  const TestCertificate leaf = MakeLeaf(ca, {});
  const Verdict missing = JudgeWithReport(trust_, {&leaf, &ca});
  EXPECT_EQ(missing.x509_error, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
  EXPECT_EQ(missing.failed_depth, 1);
  EXPECT_EQ(report_.path.size(), 2U);
  EXPECT_FALSE(report_.ends_in_anchor);
  EXPECT_EQ(Judge(trust_, {&leaf, &ca, &stranger}).x509_error,
            X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN);
  EXPECT_EQ(Judge(trust_, {&stranger}).x509_error, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
}

TEST_F(JudgementTest, AnIssuerThatMayNotSignIsNamed) {
  const TestCertificate ca =
      MakeCa(root_, {.common_name = "ca", .key_usage = "critical,digitalSignature"});
  const TestCertificate leaf = MakeLeaf(ca, {});
  const Verdict verdict = Judge(trust_, {&leaf, &ca});
  EXPECT_EQ(NameOf(verdict), "bad_certificate");
  EXPECT_EQ(verdict.x509_error, X509_V_ERR_KEYUSAGE_NO_CERTSIGN);
  EXPECT_EQ(verdict.failed_subject, "CN=ca");
}

TEST_F(JudgementTest, SignatureChecksAreBounded) {
  // So many of one name that nothing but a signature tells apart.
  std::vector<TestCertificate> twins;
  TrustSources sources;
  for (size_t i = 0; i < kMaxSignatureChecks + 8; ++i) {
    twins.push_back(MakeRoot({.common_name = "twin", .key_ids = false}));
    sources.cas.push_back({twins.back().Pem(), "ca.crt"});
  }
  const auto trust = testing::ParseTrust(sources);
  const TestCertificate first = MakeLeaf(twins[kMaxSignatureChecks - 1], {.key_ids = false});
  EXPECT_EQ(NameOf(JudgeWithReport(trust, {&first})), "none");
  EXPECT_EQ(report_.num_signature_checks, kMaxSignatureChecks);
  const TestCertificate last = MakeLeaf(twins.back(), {.key_ids = false});
  const Verdict verdict = JudgeWithReport(trust, {&last});
  EXPECT_EQ(verdict.rejection, Rejection::kChainTooLong);
  EXPECT_NE(verdict.detail, "");
  EXPECT_EQ(report_.num_signature_checks, kMaxSignatureChecks);
}

TEST_F(JudgementTest, AHostileChainCostsNoMoreThanTheBounds) {
  // Factorials of paths, up to the trust's anchor and no further.
  const TestCertificate a = MakeRoot({.common_name = "a", .key_ids = false});
  const TestCertificate b = MakeRoot({.common_name = "root", .key_ids = false});
  const TestCertificate leaf = MakeLeaf(a, {.key_ids = false});
  auto buffers = MakeBuffers({&leaf});
  for (int i = 0; i < 8; ++i) {
    const TestCertificate from_b = MakeCa(b, {.common_name = "a", .key_ids = false});
    const TestCertificate from_a = MakeCa(a, {.common_name = "root", .key_ids = false});
    for (auto& buffer : MakeBuffers({&from_b, &from_a})) buffers.push_back(std::move(buffer));
  }
  const Verdict verdict = JudgeBuffers(trust_, buffers, {.max_depth = 30, .report = &report_});
  EXPECT_FALSE(verdict.accepted());
  EXPECT_EQ(NameOf(verdict), "chain_too_long");
  EXPECT_NE(verdict.detail, "");
  EXPECT_LE(report_.num_nodes, kMaxSearchNodes);
  EXPECT_LE(report_.num_signature_checks, kMaxSignatureChecks);
}

TEST_F(JudgementTest, CrossCertificatesEachWayAreFoundAmongManyThatLeadNowhere) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca"});
  const TestCertificate leaf = MakeLeaf(ca, {});
  auto buffers = MakeBuffers({&leaf});
  for (int i = 0; i < 12; ++i) {
    const TestCertificate stranger = MakeRoot({.common_name = "s" + std::to_string(i)});
    const TestCertificate cross = Reissue(stranger, ca, {.common_name = "ca", .is_ca = true});
    buffers.push_back(std::move(MakeBuffers({&cross}).front()));
  }
  buffers.push_back(std::move(MakeBuffers({&ca}).front()));
  EXPECT_EQ(NameOf(JudgeBuffers(trust_, buffers, {.report = &report_})), "none");
  EXPECT_EQ(report_.num_signature_checks, 2U);
}

}  // namespace
}  // namespace portcullis::tls
