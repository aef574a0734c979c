// What a verifier remembers of an issuer's path, and what it asks all the same.
#include "tls/path_tails.h"

#include "tests/tls/verifier_fixture.h"
#include "tls/client_verifier.h"
#include "tls/issuer_id.h"

namespace portcullis::tls {
namespace {

using testing::CertificateOptions;
using testing::kDay;
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

class PathTailsTest : public ::testing::Test {
 protected:
  void Trust(std::shared_ptr<const TrustMaterial> trust, const VerifierOptions& options = {}) {
    auto verifier = ClientVerifier::Create(std::move(trust), options);
    ASSERT_TRUE(verifier.ok()) << verifier.status();
    verifier_ = *std::move(verifier);
  }
  std::string Judge(std::initializer_list<const TestCertificate*> chain, int64_t now = kNow) {
    const auto owned = MakeBuffers(chain);
    std::vector<CRYPTO_BUFFER*> buffers;
    for (const auto& buffer : owned) buffers.push_back(buffer.get());
    return NameOf(verifier_->Judge(buffers, now, &report_));
  }
  [[nodiscard]] size_t num_signatures() const { return report_.num_signature_checks; }

  const TestCertificate root_ = MakeRoot({.common_name = "root"});
  std::unique_ptr<ClientVerifier> verifier_;
  PathReport report_;
};

TEST_F(PathTailsTest, TheNextClientOfAnIssuerCostsOneSignature) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca"});
  const TestCertificate deep = MakeCa(ca, {.common_name = "deep"});
  const TestCertificate first = MakeLeaf(deep, {});
  const TestCertificate second = MakeLeaf(deep, {});
  Trust(MakeTrust({&root_}));
  EXPECT_EQ(Judge({&first, &deep, &ca}), "none");
  EXPECT_EQ(num_signatures(), 3U);
  EXPECT_EQ(Judge({&second, &deep, &ca}), "none");
  EXPECT_EQ(num_signatures(), 1U);
  EXPECT_EQ(report_.path.size(), 4U) << "the path told is the whole one";
}

TEST_F(PathTailsTest, ClientsOfAnIssuerHoldItsCertificateInCommon) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca"});
  const TestCertificate other = MakeCa(root_, {.common_name = "other"});
  Trust(MakeTrust({&root_}));
  const auto certificates_of = [&](const TestCertificate& issuer) {
    const TestCertificate leaf = MakeLeaf(issuer, {});
    const auto owned = MakeBuffers({&leaf, &issuer});
    const std::vector<CRYPTO_BUFFER*> chain = {owned[0].get(), owned[1].get()};
    return verifier_->Judge(chain, kNow).identity->chain_der;
  };
  certificates_of(ca);
  const auto second = certificates_of(ca);
  const auto third = certificates_of(ca);
  const auto stranger = certificates_of(other);
  ASSERT_EQ(third.size(), 2U);
  EXPECT_EQ(third[1], SharedBytes(ca.Der()));
  EXPECT_EQ(third[1].data(), second[1].data());
  EXPECT_EQ(stranger[1], SharedBytes(other.Der()));
}

// By it CRLs and OCSP responders are asked.
TEST_F(PathTailsTest, AnIssuerMetBeforeHasTheSameIdentity) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca"});
  Trust(MakeTrust({&root_}));
  for (const size_t signatures : {2, 1, 1}) {
    const TestCertificate leaf = MakeLeaf(ca, {});
    const auto owned = MakeBuffers({&leaf, &ca});
    const std::vector<CRYPTO_BUFFER*> chain = {owned[0].get(), owned[1].get()};
    const Verdict verdict = verifier_->Judge(chain, kNow, &report_);
    EXPECT_EQ(num_signatures(), signatures);
    ASSERT_NE(verdict.identity, nullptr);
    ASSERT_EQ(verdict.identity->path.size(), 2U);
    EXPECT_EQ(verdict.identity->path[0].issuer, MakeIssuerId(ca.Der()));
    EXPECT_EQ(verdict.identity->path[1].issuer, MakeIssuerId(root_.Der()));
  }
}

TEST_F(PathTailsTest, ALeafThatTheIssuerDidNotSignIsRefused) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca"});
  const TestCertificate good = MakeLeaf(ca, {});
  const TestCertificate stranger = MakeRoot({.common_name = "root"});
  const TestCertificate imposter = MakeCa(stranger, {.common_name = "ca", .key_ids = false});
  const TestCertificate forged = MakeLeaf(imposter, {.key_ids = false});
  Trust(MakeTrust({&root_}));
  EXPECT_EQ(Judge({&good, &ca}), "none");
  EXPECT_EQ(Judge({&forged, &ca}), "bad_signature");
  EXPECT_EQ(Judge({&forged, &imposter}), "bad_signature") << "an issuer of the same name only";
  EXPECT_EQ(Judge({&good, &ca}), "none");
}

TEST_F(PathTailsTest, AnotherCertificateForTheSameIssuersKeyIsVerifiedAnew) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca"});
  const TestCertificate stranger = MakeRoot({.common_name = "root"});
  const TestCertificate crossed =
      Reissue(stranger, ca, {.common_name = "ca", .is_ca = true, .key_ids = false});
  const TestCertificate leaf = MakeLeaf(ca, {.key_ids = false});
  Trust(MakeTrust({&root_}));
  EXPECT_EQ(Judge({&leaf, &ca}), "none");
  EXPECT_EQ(Judge({&leaf, &crossed}), "bad_signature");
}

TEST_F(PathTailsTest, TimeIsAskedOfTheWholePathEveryTime) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca", .not_after = kNow + kDay});
  const TestCertificate leaf = MakeLeaf(ca, {});
  Trust(MakeTrust({&root_}));
  EXPECT_EQ(Judge({&leaf, &ca}), "none");
  EXPECT_EQ(Judge({&leaf, &ca}, kNow + kDay), "none");
  EXPECT_EQ(Judge({&leaf, &ca}, kNow + kDay + 1), "expired");
  EXPECT_EQ(Judge({&leaf, &ca}, kNow - 2 * kDay), "not_yet_valid");
}

TEST_F(PathTailsTest, RevocationIsAskedOfEveryLink) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca", .serial = 70});
  const TestCertificate good = MakeLeaf(ca, {.serial = 1});
  const TestCertificate bad = MakeLeaf(ca, {.serial = 2});
  Trust(MakeTrust({&root_, &ca}, {MakeCrlPem(ca, {2})}), {.intermediates_as_anchors = false});
  EXPECT_EQ(Judge({&good, &ca}), "none");
  EXPECT_EQ(Judge({&bad, &ca}), "revoked");
}

TEST_F(PathTailsTest, WhatIsWrongWithALeafIsFoundAllTheSame) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca"});
  const TestCertificate good = MakeLeaf(ca, {});
  Trust(MakeTrust({&root_}));
  EXPECT_EQ(Judge({&good, &ca}), "none");
  const TestCertificate server = MakeLeaf(ca, {.extended_key_usage = "serverAuth"});
  EXPECT_EQ(Judge({&server, &ca}), "bad_purpose");
  const TestCertificate odd = MakeLeaf(ca, {.unknown_critical = true});
  EXPECT_EQ(Judge({&odd, &ca}), "bad_certificate");
  const TestCertificate late = MakeLeaf(ca, {.not_after = kNow - 1});
  EXPECT_EQ(Judge({&late, &ca}), "expired");
}

TEST_F(PathTailsTest, AnIssuerOfAnIssuerIsCountedAgainstPathLengths) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca", .path_length = 0});
  const TestCertificate good = MakeLeaf(ca, {});
  const TestCertificate below = MakeCa(ca, {.common_name = "below"});
  const TestCertificate deep = MakeLeaf(below, {});
  Trust(MakeTrust({&root_}));
  EXPECT_EQ(Judge({&good, &ca}), "none");
  EXPECT_NE(Judge({&deep, &below, &ca}), "none");
  EXPECT_NE(Judge({&deep, &below, &ca}), "none") << "nothing of it was remembered";
}

TEST_F(PathTailsTest, TailsThatSpeakOfNamesAreNotRemembered) {
  const TestCertificate ca =
      MakeCa(root_, {.common_name = "ca", .name_constraints = "critical,permitted;DNS:.example"});
  const TestCertificate inside = MakeLeaf(ca, {.subject_alt_name = "DNS:a.example"});
  const TestCertificate outside = MakeLeaf(ca, {.subject_alt_name = "DNS:a.elsewhere"});
  Trust(MakeTrust({&root_}));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Judge({&inside, &ca}), "none");
    EXPECT_EQ(num_signatures(), 2U);
    EXPECT_NE(Judge({&outside, &ca}), "none");
  }
}

TEST_F(PathTailsTest, TheyAreForgottenBeforeTheyAreTooMany) {
  Trust(MakeTrust({&root_}));
  PathTails tails;
  for (size_t i = 0; i < PathTails::kMaxTails + 1; ++i) {
    const TestCertificate ca = MakeCa(root_, {.common_name = "ca"});
    const std::vector<uint8_t> der = ca.Der();
    const std::vector<uint8_t> anchor = root_.Der();
    const PathNode tail[] = {{.x509 = ca.x509(), .der = der},
                             {.x509 = root_.x509(), .der = anchor, .source = PathSource::kAnchor}};
    tails.Remember(tail);
    EXPECT_TRUE(tails.Knows(tail));
    EXPECT_FALSE(tails.Knows(std::span(tail).subspan(1)));
    EXPECT_LE(tails.size(), PathTails::kMaxTails);
  }
  EXPECT_EQ(tails.size(), 1U);
}

}  // namespace
}  // namespace portcullis::tls
