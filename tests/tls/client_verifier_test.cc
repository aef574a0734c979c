#include "tls/client_verifier.h"

#include <openssl/digest.h>
#include <openssl/err.h>

#include <cstring>

#include "tests/tls/verifier_fixture.h"

namespace portcullis::tls {
namespace {

using testing::CertificateOptions;
using testing::Judge;
using testing::JudgeBuffers;
using testing::kDay;
using testing::kNow;
using testing::MakeBuffers;
using testing::MakeCa;
using testing::MakeCrlPem;
using testing::MakeLeaf;
using testing::MakeRoot;
using testing::MakeSelfSigned;
using testing::MakeTrust;
using testing::NameOf;
using testing::TestCertificate;
using testing::TestKey;

class ClientVerifierTest : public ::testing::Test {
 protected:
  ~ClientVerifierTest() override { EXPECT_EQ(ERR_peek_error(), 0U) << "an error was left behind"; }

  // The verdict on a leaf of `options` under root_.
  Verdict JudgeLeaf(const CertificateOptions& options) {
    const TestCertificate leaf = MakeLeaf(root_, options);
    return Judge(trust_, {&leaf});
  }

  const TestCertificate root_ = MakeRoot({.common_name = "root"});
  const std::shared_ptr<const TrustMaterial> trust_ = MakeTrust({&root_});
};

TEST_F(ClientVerifierTest, ALeafOfTheRootIsAcceptedWithItsIdentity) {
  const TestCertificate leaf = MakeLeaf(root_, {.common_name = "client",
                                                .extended_key_usage = "clientAuth",
                                                .subject_alt_name = "URI:spiffe://td/client"});
  const Verdict verdict = Judge(trust_, {&leaf});
  EXPECT_TRUE(verdict.accepted()) << NameOf(verdict);
  EXPECT_EQ(verdict.x509_error, 0);
  ASSERT_NE(verdict.identity, nullptr);
  EXPECT_EQ(verdict.identity->subject, "CN=client");
  EXPECT_EQ(verdict.identity->uris.at(0), "spiffe://td/client");
}

TEST_F(ClientVerifierTest, NoChainIsNoCertificate) {
  const Verdict verdict = JudgeBuffers(trust_, {});
  EXPECT_EQ(verdict.rejection, Rejection::kNoCertificate);
  EXPECT_EQ(verdict.identity, nullptr);
}

TEST_F(ClientVerifierTest, LeavesWithoutUsageOrExtensionsAreFine) {
  EXPECT_EQ(NameOf(JudgeLeaf({.omit_basic_constraints = true, .key_ids = false})), "none");
  EXPECT_EQ(NameOf(JudgeLeaf({.v1 = true})), "none");
  EXPECT_EQ(NameOf(JudgeLeaf({.key_usage = "digitalSignature"})), "none");
}

TEST_F(ClientVerifierTest, TheTutorialsCertificatesWork) {
  // openssl req -x509 makes the root, openssl x509 -req the leaf: v1, RSA.
  const TestCertificate ca =
      MakeRoot({.common_name = "My Cert Authority", .key = TestKey::kRsa2048});
  const TestCertificate leaf =
      MakeLeaf(ca, {.common_name = "My Client", .key = TestKey::kRsa4096, .v1 = true, .serial = 2});
  const Verdict verdict = Judge(MakeTrust({&ca}), {&leaf});
  EXPECT_TRUE(verdict.accepted()) << NameOf(verdict);
  EXPECT_EQ(verdict.identity->subject, "CN=My Client");
  EXPECT_EQ(verdict.identity->serial_hex, "02");
}

TEST_F(ClientVerifierTest, ValidityIsJudgedToTheSecond) {
  const TestCertificate leaf = MakeLeaf(root_, {.not_before = kNow, .not_after = kNow + kDay});
  EXPECT_EQ(NameOf(Judge(trust_, {&leaf}, {.now = kNow - 1})), "not_yet_valid");
  EXPECT_EQ(NameOf(Judge(trust_, {&leaf}, {.now = kNow})), "none");
  EXPECT_EQ(NameOf(Judge(trust_, {&leaf}, {.now = kNow + kDay})), "none");  // RFC 5280 4.1.2.5
  EXPECT_EQ(NameOf(Judge(trust_, {&leaf}, {.now = kNow + kDay + 1})), "expired");
}

TEST_F(ClientVerifierTest, ARejectedLeafHasItsIdentityAndTheCulpritsName) {
  const TestCertificate leaf = MakeLeaf(root_, {.common_name = "late", .not_after = kNow - 1});
  const Verdict verdict = Judge(trust_, {&leaf});
  EXPECT_EQ(verdict.rejection, Rejection::kExpired);
  EXPECT_EQ(verdict.x509_error, X509_V_ERR_CERT_HAS_EXPIRED);
  EXPECT_EQ(verdict.failed_depth, 0);
  EXPECT_EQ(verdict.failed_subject, "CN=late");
  ASSERT_NE(verdict.identity, nullptr);
  EXPECT_EQ(verdict.identity->subject, "CN=late");
}

TEST_F(ClientVerifierTest, AnExpiredIntermediateIsNamed) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "old ca", .not_after = kNow - 1});
  const TestCertificate leaf = MakeLeaf(ca, {});
  const Verdict verdict = Judge(trust_, {&leaf, &ca});
  EXPECT_EQ(verdict.rejection, Rejection::kExpired);
  EXPECT_EQ(verdict.failed_depth, 1);
  EXPECT_EQ(verdict.failed_subject, "CN=old ca");
}

TEST_F(ClientVerifierTest, ForeignAndSelfSignedLeavesHaveAnUnknownCa) {
  const TestCertificate stranger = MakeRoot({.common_name = "stranger"});
  const TestCertificate leaf = MakeLeaf(stranger, {});
  EXPECT_EQ(NameOf(Judge(trust_, {&leaf})), "unknown_ca");
  EXPECT_EQ(NameOf(Judge(trust_, {&leaf, &stranger})), "unknown_ca");
  const TestCertificate lonely = MakeSelfSigned({.common_name = "lonely"});
  EXPECT_EQ(NameOf(Judge(trust_, {&lonely})), "unknown_ca");
}

TEST_F(ClientVerifierTest, ALeafSignedByANamesakeOfTheRootHasABadSignature) {
  const TestCertificate namesake = MakeRoot({.common_name = "root", .key_ids = false});
  const TestCertificate leaf = MakeLeaf(namesake, {.key_ids = false});
  EXPECT_EQ(NameOf(Judge(trust_, {&leaf})), "bad_signature");
}

TEST_F(ClientVerifierTest, UsagesThatExcludeClientsAreABadPurpose) {
  EXPECT_EQ(NameOf(JudgeLeaf({.extended_key_usage = "serverAuth"})), "bad_purpose");
  EXPECT_EQ(NameOf(JudgeLeaf({.extended_key_usage = "serverAuth,clientAuth"})), "none");
  EXPECT_EQ(NameOf(JudgeLeaf({.key_usage = "critical,keyCertSign"})), "bad_purpose");
}

TEST_F(ClientVerifierTest, AnIntermediateBoundToServersCannotVouchForClients) {
  const TestCertificate ca =
      MakeCa(root_, {.common_name = "servers only", .extended_key_usage = "serverAuth"});
  const TestCertificate leaf = MakeLeaf(ca, {});
  EXPECT_EQ(NameOf(Judge(trust_, {&leaf, &ca})), "bad_purpose");
}

TEST_F(ClientVerifierTest, ALeafCannotIssue) {
  const TestCertificate fake = MakeLeaf(root_, {.common_name = "leaf as ca"});
  const TestCertificate leaf = MakeLeaf(fake, {});
  EXPECT_EQ(NameOf(Judge(trust_, {&leaf, &fake})), "bad_certificate");
}

TEST_F(ClientVerifierTest, WeakKeysAreRefusedWhereverTheyAre) {
  EXPECT_EQ(NameOf(JudgeLeaf({.key = TestKey::kRsa1024})), "weak_key");
  EXPECT_EQ(NameOf(JudgeLeaf({.key = TestKey::kRsa2048})), "none");
  EXPECT_EQ(NameOf(JudgeLeaf({.key = TestKey::kEd25519})), "none");
  const TestCertificate ca = MakeCa(root_, {.common_name = "weak ca", .key = TestKey::kRsa1024});
  const TestCertificate leaf = MakeLeaf(ca, {});
  const Verdict verdict = Judge(trust_, {&leaf, &ca});
  EXPECT_EQ(verdict.rejection, Rejection::kWeakKey);
  EXPECT_EQ(verdict.failed_depth, 1);
}

TEST_F(ClientVerifierTest, WeakSignaturesAreRefusedSaveTheAnchorsOwn) {
  EXPECT_EQ(NameOf(JudgeLeaf({.digest = EVP_sha1()})), "weak_key");
  const TestCertificate old_root = MakeRoot({.common_name = "sha1 root", .digest = EVP_sha1()});
  const TestCertificate leaf = MakeLeaf(old_root, {});
  EXPECT_EQ(NameOf(Judge(MakeTrust({&old_root}), {&leaf})), "none");
  const TestCertificate ca = MakeCa(root_, {.common_name = "sha1 ca", .digest = EVP_sha1()});
  const TestCertificate below = MakeLeaf(ca, {});
  EXPECT_EQ(NameOf(Judge(trust_, {&below, &ca})), "weak_key");
}

TEST_F(ClientVerifierTest, OddExtensionsMakeABadCertificate) {
  EXPECT_EQ(NameOf(JudgeLeaf({.unknown_critical = true})), "bad_certificate");
  const TestCertificate ca = MakeCa(
      root_, {.common_name = "bound", .name_constraints = "critical,permitted;DNS:good.example"});
  const TestCertificate good = MakeLeaf(ca, {.subject_alt_name = "DNS:a.good.example"});
  const TestCertificate bad = MakeLeaf(ca, {.subject_alt_name = "DNS:a.bad.example"});
  EXPECT_EQ(NameOf(Judge(trust_, {&good, &ca})), "none");
  EXPECT_EQ(NameOf(Judge(trust_, {&bad, &ca})), "bad_certificate");
}

TEST_F(ClientVerifierTest, BytesThatAreNoCertificateAreABadOne) {
  const std::vector<uint8_t> garbage = {0x30, 0x03, 0x02, 0x01, 0x01};
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> chain;
  chain.emplace_back(CRYPTO_BUFFER_new(garbage.data(), garbage.size(), nullptr));
  const Verdict alone = JudgeBuffers(trust_, chain);
  EXPECT_EQ(alone.rejection, Rejection::kBadCertificate);
  EXPECT_EQ(alone.identity, nullptr);

  const TestCertificate leaf = MakeLeaf(root_, {.common_name = "client"});
  auto behind = MakeBuffers({&leaf});
  behind.push_back(std::move(chain.front()));
  const Verdict verdict = JudgeBuffers(trust_, behind);
  EXPECT_EQ(verdict.rejection, Rejection::kBadCertificate);
  ASSERT_NE(verdict.identity, nullptr);
  EXPECT_EQ(verdict.identity->subject, "CN=client");
}

TEST_F(ClientVerifierTest, TheByteLimitIsExact) {
  const TestCertificate leaf = MakeLeaf(root_, {});
  const size_t size = leaf.Der().size();
  EXPECT_EQ(NameOf(Judge(trust_, {&leaf}, {.max_chain_bytes = size})), "none");
  const Verdict verdict = Judge(trust_, {&leaf}, {.max_chain_bytes = size - 1});
  EXPECT_EQ(verdict.rejection, Rejection::kChainTooBig);
  EXPECT_NE(verdict.identity, nullptr);
}

TEST_F(ClientVerifierTest, ARevokedLeafIsRevokedAndOthersAreNot) {
  const TestCertificate bad = MakeLeaf(root_, {.serial = 66});
  const TestCertificate good = MakeLeaf(root_, {.serial = 67});
  const auto trust = MakeTrust({&root_}, {MakeCrlPem(root_, {65, 66})});
  EXPECT_EQ(NameOf(Judge(trust, {&bad})), "revoked");
  EXPECT_EQ(NameOf(Judge(trust, {&good})), "none");
}

TEST_F(ClientVerifierTest, ARevokedIntermediateTakesItsClientsWithIt) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca", .serial = 70});
  const TestCertificate leaf = MakeLeaf(ca, {});
  const Verdict verdict = Judge(MakeTrust({&root_}, {MakeCrlPem(root_, {70})}), {&leaf, &ca});
  EXPECT_EQ(verdict.rejection, Rejection::kRevoked);
  EXPECT_EQ(verdict.failed_depth, 1);
}

TEST_F(ClientVerifierTest, AKnownIntermediatesOwnCrlIsHeeded) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca"});
  const TestCertificate leaf = MakeLeaf(ca, {.serial = 5});
  const auto trust = testing::ParseTrust({.cas = {{root_.Pem(), "ca.crt"}},
                                          .intermediates = {{ca.Pem(), "more.crt"}},
                                          .crls = {{MakeCrlPem(ca, {5}), "ca.crl"}}});
  EXPECT_EQ(NameOf(Judge(trust, {&leaf, &ca})), "revoked");
  const TestCertificate other = MakeLeaf(ca, {.serial = 6});
  EXPECT_EQ(NameOf(Judge(trust, {&other, &ca})), "none");
}

TEST_F(ClientVerifierTest, ACaWithoutCrlIsNotPoisonedByAnothersCrl) {
  const TestCertificate other = MakeRoot({.common_name = "other"});
  const TestCertificate leaf = MakeLeaf(other, {.serial = 66});
  const auto trust = MakeTrust({&root_, &other}, {MakeCrlPem(root_, {66})});
  EXPECT_EQ(NameOf(Judge(trust, {&leaf})), "none");
}

TEST_F(ClientVerifierTest, AStaleCrlRefusesItsIssuersClients) {
  const TestCertificate leaf = MakeLeaf(root_, {});
  const auto trust = MakeTrust({&root_}, {MakeCrlPem(root_, {}, {.next_update = kNow - 1})});
  EXPECT_EQ(NameOf(Judge(trust, {&leaf})), "crl_stale");
  EXPECT_EQ(NameOf(Judge(trust, {&leaf}, {.now = kNow - 2})), "none");
}

TEST_F(ClientVerifierTest, AFreshCrlBesideAStaleOneCounts) {
  const TestCertificate leaf = MakeLeaf(root_, {.serial = 9});
  const std::string stale =
      MakeCrlPem(root_, {}, {.this_update = kNow - 9 * kDay, .next_update = kNow - 1});
  EXPECT_EQ(NameOf(Judge(MakeTrust({&root_}, {stale, MakeCrlPem(root_, {})}), {&leaf})), "none");
  EXPECT_EQ(NameOf(Judge(MakeTrust({&root_}, {stale, MakeCrlPem(root_, {9})}), {&leaf})),
            "revoked");
}

TEST_F(ClientVerifierTest, WhereCrlsAreRequiredEveryIssuerNeedsOne) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca"});
  const TestCertificate leaf = MakeLeaf(ca, {});
  TrustSources sources{.cas = {{root_.Pem(), "ca.crt"}},
                       .intermediates = {{ca.Pem(), "more.crt"}},
                       .crls = {{MakeCrlPem(ca, {}), "leaf.crl"}}};
  const auto judged = [&](RevocationScope scope) {
    const RevocationSpec spec{.mode = RevocationMode::kRequire, .scope = scope};
    return Judge(testing::ParseTrust(sources, spec), {&leaf, &ca});
  };
  EXPECT_EQ(NameOf(judged(RevocationScope::kLeaf)), "none");
  const Verdict missing = judged(RevocationScope::kChain);
  EXPECT_EQ(NameOf(missing), "crl_missing");
  EXPECT_EQ(missing.failed_depth, 1);
  EXPECT_EQ(missing.failed_subject, "CN=ca");
  sources.crls.push_back({MakeCrlPem(root_, {}), "ca.crl"});
  EXPECT_EQ(NameOf(judged(RevocationScope::kChain)), "none");
}

TEST_F(ClientVerifierTest, CrlsAreNotAskedWhereRevocationIsOff) {
  const TestCertificate leaf = MakeLeaf(root_, {.serial = 66});
  const TrustSources sources{.cas = {{root_.Pem(), "ca.crt"}},
                             .crls = {{MakeCrlPem(root_, {66}), "ca.crl"}}};
  EXPECT_EQ(NameOf(Judge(testing::ParseTrust(sources, {.mode = RevocationMode::kOff}), {&leaf})),
            "none");
}

TEST_F(ClientVerifierTest, AVerdictHoldsAsLongAsItsShortestPart) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca", .not_after = kNow + 20 * kDay});
  const TestCertificate leaf = MakeLeaf(ca, {.not_after = kNow + 30 * kDay});
  EXPECT_EQ(Judge(trust_, {&leaf, &ca}).holds_until, kNow + 20 * kDay);
  const auto trust = MakeTrust({&root_}, {MakeCrlPem(root_, {}, {.next_update = kNow + kDay})});
  EXPECT_EQ(Judge(trust, {&leaf, &ca}).holds_until, kNow + kDay);
  const TestCertificate brief_root = MakeRoot({.common_name = "b", .not_after = kNow + 2 * kDay});
  const TestCertificate below = MakeLeaf(brief_root, {});
  EXPECT_EQ(Judge(MakeTrust({&brief_root}), {&below}).holds_until, kNow + 2 * kDay);
}

TEST_F(ClientVerifierTest, CaNamesAreDistinctSubjects) {
  const TestCertificate again = MakeRoot({.common_name = "root"});
  const TestCertificate other = MakeRoot({.common_name = "other"});
  auto verifier = ClientVerifier::Create(MakeTrust({&root_, &again, &other}), {});
  ASSERT_TRUE(verifier.ok());
  EXPECT_EQ((*verifier)->ca_names().size(), 2U);
}

TEST_F(ClientVerifierTest, JudgedCountsEveryVerdict) {
  auto verifier = ClientVerifier::Create(trust_, {});
  ASSERT_TRUE(verifier.ok());
  (void)(*verifier)->Judge({}, kNow);
  (void)(*verifier)->Judge({}, kNow);
  EXPECT_EQ((*verifier)->judged(), 2U);
}

}  // namespace
}  // namespace portcullis::tls
