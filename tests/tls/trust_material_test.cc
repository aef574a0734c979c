#include "tls/trust_material.h"

#include <openssl/digest.h>

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/tls/test_pki.h"

namespace portcullis::tls {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kDay;
using testing::kNow;
using testing::MakeCa;
using testing::MakeCrlPem;
using testing::MakeLeaf;
using testing::MakeRoot;
using testing::MakeTrust;
using testing::TestCertificate;
using testing::TestKey;

class TrustMaterialTest : public ::testing::Test {
 protected:
  static absl::StatusOr<std::shared_ptr<const TrustMaterial>> Parse(
      const std::vector<PemSource>& cas, const std::vector<CrlSource>& crls = {}) {
    return TrustMaterial::Parse("edge", {.cas = cas, .crls = crls}, {}, {}, kNow);
  }
  static std::string ErrorOf(const std::vector<PemSource>& cas,
                             const std::vector<CrlSource>& crls = {}) {
    const auto trust = Parse(cas, crls);
    return trust.ok() ? "no error" : std::string(trust.status().message());
  }

  const TestCertificate root_ = MakeRoot({.common_name = "root"});
  const TestCertificate other_ = MakeRoot({.common_name = "other"});
};

TEST_F(TrustMaterialTest, SeveralCasOfSeveralFilesAreAllTaken) {
  const TestCertificate third = MakeRoot({.common_name = "third"});
  const auto trust = Parse({{root_.Pem() + other_.Pem(), "a.crt"}, {third.Pem(), "b.crt"}});
  ASSERT_TRUE(trust.ok()) << trust.status();
  EXPECT_EQ((*trust)->known.size(), 3U);
  ASSERT_EQ((*trust)->cas.size(), 3U);
  EXPECT_EQ((*trust)->cas[2].subject, "CN=third");
  EXPECT_EQ((*trust)->cas[2].origin, "b.crt");
  EXPECT_EQ((*trust)->cas[2].not_after, kNow + 365 * kDay);
  EXPECT_EQ((*trust)->cas[2].oddity, "");
  EXPECT_TRUE((*trust)->revocation->empty());
}

TEST_F(TrustMaterialTest, OdditiesAreTold) {
  const TestCertificate expired = MakeRoot({.common_name = "old", .not_after = kNow - 1});
  const TestCertificate future = MakeRoot({.common_name = "new", .not_before = kNow + kDay});
  const TestCertificate leaf = MakeLeaf(root_, {.common_name = "leaf"});
  const TestCertificate weak = MakeRoot({.common_name = "weak", .key = TestKey::kRsa1024});
  const TestCertificate sha1 = MakeCa(root_, {.common_name = "sha1", .digest = EVP_sha1()});
  const TestCertificate sha1_root = MakeRoot({.common_name = "own", .digest = EVP_sha1()});
  const TestCertificate both =
      MakeRoot({.common_name = "both", .key = TestKey::kRsa1024, .not_after = kNow - 1});
  const auto trust = Parse({{testing::ChainPem({&root_, &root_, &expired, &future, &leaf, &weak,
                                                &sha1, &sha1_root, &both}),
                             "ca.crt"}});
  ASSERT_TRUE(trust.ok()) << trust.status();
  std::vector<std::string> oddities;
  for (const CaSummary& ca : (*trust)->cas) oddities.push_back(ca.oddity);
  EXPECT_THAT(oddities, ElementsAre("", "duplicate", "expired", "not yet valid", "not a CA",
                                    "weak key", "weak signature", "", "expired, weak key"));
  EXPECT_EQ((*trust)->known.size(), 8U);
}

TEST_F(TrustMaterialTest, ACertificateThatDoesNotParseIsTheOddOneNotTheEnd) {
  const std::string broken =
      "-----BEGIN CERTIFICATE-----\nZ2FyYmFnZQ==\n-----END CERTIFICATE-----\n";
  const auto trust = Parse({{broken + root_.Pem(), "ca.crt"}, {broken, "bad.crt"}});
  ASSERT_TRUE(trust.ok()) << trust.status();
  EXPECT_EQ((*trust)->known.size(), 1U);
  EXPECT_EQ((*trust)->cas[0].oddity, "does not parse");
  EXPECT_EQ((*trust)->cas[0].not_after, std::nullopt);
  EXPECT_EQ((*trust)->cas[2].origin, "bad.crt");
  EXPECT_EQ((*trust)->cas[2].oddity, "does not parse");
}

TEST_F(TrustMaterialTest, ABundleNeedsOneThatMayIssue) {
  EXPECT_THAT(ErrorOf({}), AllOf(HasSubstr("edge"), HasSubstr("no CA")));
  EXPECT_THAT(ErrorOf({{"", "empty.crt"}}), HasSubstr("empty.crt"));
  const TestCertificate leaf = MakeLeaf(root_, {.common_name = "leaf"});
  EXPECT_THAT(ErrorOf({{leaf.Pem(), "leaf.crt"}}),
              AllOf(HasSubstr("edge"), HasSubstr("leaf.crt"), HasSubstr("not a CA")));
  const TestCertificate expired = MakeRoot({.common_name = "old", .not_after = kNow - 1});
  EXPECT_EQ(ErrorOf({{expired.Pem(), "old.crt"}}), "no error");
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca"});
  EXPECT_EQ(ErrorOf({{ca.Pem(), "ca.crt"}}), "no error");
}

TEST_F(TrustMaterialTest, AnIntermediateIsKnownAndNotOfTheBundle) {
  const TestCertificate ca = MakeCa(root_, {.common_name = "ca"});
  const auto trust = TrustMaterial::Parse(
      "edge",
      {.cas = {{root_.Pem(), "ca.crt"}}, .intermediates = {{ca.Pem() + root_.Pem(), "more.crt"}}},
      {}, {}, kNow);
  ASSERT_TRUE(trust.ok()) << trust.status();
  ASSERT_EQ((*trust)->known.size(), 2U);
  EXPECT_TRUE((*trust)->known.at(0).in_bundle);
  EXPECT_FALSE((*trust)->known.at(1).in_bundle);
  EXPECT_EQ((*trust)->cas[2].oddity, "duplicate");
}

TEST_F(TrustMaterialTest, ABrokenCrlStopsTheLoad) {
  const std::string broken = "-----BEGIN X509 CRL-----\nZ2FyYmFnZQ==\n-----END X509 CRL-----\n";
  EXPECT_THAT(ErrorOf({{root_.Pem(), "ca.crt"}}, {{broken, "ca.crl"}}), HasSubstr("ca.crl"));
  EXPECT_THAT(ErrorOf({{root_.Pem(), "ca.crt"}}, {{root_.Pem(), "ca.crl"}}), HasSubstr("ca.crl"));
}

TEST_F(TrustMaterialTest, EpochFollowsCertificatesNotOrderNorCrls) {
  const std::string crl = MakeCrlPem(root_, {7});
  const uint64_t epoch = MakeTrust({&root_, &other_}, {crl})->epoch;
  EXPECT_EQ(MakeTrust({&other_, &root_}, {crl})->epoch, epoch);
  EXPECT_EQ(MakeTrust({&root_, &other_, &root_}, {crl, crl})->epoch, epoch);
  EXPECT_EQ(MakeTrust({&root_, &other_})->epoch, epoch);
  EXPECT_NE(MakeTrust({&root_}, {crl})->epoch, epoch);
  const auto known = testing::ParseTrust(
      {.cas = {{root_.Pem(), "ca.crt"}}, .intermediates = {{other_.Pem(), "more.crt"}}});
  EXPECT_NE(known->epoch, epoch);
}

}  // namespace
}  // namespace portcullis::tls
