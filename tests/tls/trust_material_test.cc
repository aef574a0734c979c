#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/tls/test_pki.h"
#include "tls/client_verifier.h"

namespace portcullis::tls {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::kDay;
using testing::kNow;
using testing::MakeCa;
using testing::MakeCrlPem;
using testing::MakeLeaf;
using testing::MakeRoot;
using testing::MakeTrust;
using testing::TestCertificate;

class TrustMaterialTest : public ::testing::Test {
 protected:
  static absl::StatusOr<std::shared_ptr<const TrustMaterial>> Parse(
      const std::vector<PemSource>& cas, const std::vector<PemSource>& crls = {}) {
    return TrustMaterial::Parse("edge", cas, crls, kNow);
  }
  static std::string ErrorOf(const std::vector<PemSource>& cas,
                             const std::vector<PemSource>& crls = {}) {
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
  EXPECT_EQ((*trust)->anchors_der.size(), 3U);
  ASSERT_EQ((*trust)->cas.size(), 3U);
  EXPECT_EQ((*trust)->cas[2].subject, "CN=third");
  EXPECT_EQ((*trust)->cas[2].origin, "b.crt");
  EXPECT_EQ((*trust)->cas[2].not_after, kNow + 365 * kDay);
  EXPECT_EQ((*trust)->cas[2].oddity, "");
  EXPECT_EQ((*trust)->crl_next_update, 0);
}

TEST_F(TrustMaterialTest, OdditiesAreTold) {
  const TestCertificate expired = MakeRoot({.common_name = "old", .not_after = kNow - 1});
  const TestCertificate future = MakeRoot({.common_name = "new", .not_before = kNow + kDay});
  const TestCertificate leaf = MakeLeaf(root_, {.common_name = "leaf"});
  const auto trust =
      Parse({{root_.Pem() + root_.Pem() + expired.Pem() + future.Pem() + leaf.Pem(), "ca.crt"}});
  ASSERT_TRUE(trust.ok()) << trust.status();
  std::vector<std::string> oddities;
  for (const CaSummary& ca : (*trust)->cas) oddities.push_back(ca.oddity);
  EXPECT_THAT(oddities,
              ::testing::ElementsAre("", "duplicate", "expired", "not yet valid", "not a CA"));
  EXPECT_EQ((*trust)->anchors_der.size(), 4U);
}

TEST_F(TrustMaterialTest, ACertificateThatDoesNotParseIsTheOddOneNotTheEnd) {
  const std::string broken =
      "-----BEGIN CERTIFICATE-----\nZ2FyYmFnZQ==\n-----END CERTIFICATE-----\n";
  const auto trust = Parse({{broken + root_.Pem(), "ca.crt"}});
  ASSERT_TRUE(trust.ok()) << trust.status();
  EXPECT_EQ((*trust)->anchors_der.size(), 1U);
  EXPECT_EQ((*trust)->cas[0].oddity, "does not parse");
  EXPECT_THAT(ErrorOf({{root_.Pem(), "good.crt"}, {broken, "bad.crt"}}), HasSubstr("bad.crt"));
}

TEST_F(TrustMaterialTest, NoCaAtAllIsAnError) {
  EXPECT_THAT(ErrorOf({}), AllOf(HasSubstr("edge"), HasSubstr("no CA")));
  EXPECT_THAT(ErrorOf({{"", "empty.crt"}}), HasSubstr("empty.crt"));
}

TEST_F(TrustMaterialTest, ABrokenCrlStopsTheLoad) {
  const std::string broken = "-----BEGIN X509 CRL-----\nZ2FyYmFnZQ==\n-----END X509 CRL-----\n";
  EXPECT_THAT(ErrorOf({{root_.Pem(), "ca.crt"}}, {{broken, "ca.crl"}}),
              AllOf(HasSubstr("ca.crl"), HasSubstr("CRL 1")));
  EXPECT_THAT(ErrorOf({{root_.Pem(), "ca.crt"}}, {{root_.Pem(), "ca.crl"}}), HasSubstr("X509 CRL"));
}

TEST_F(TrustMaterialTest, NextUpdateIsTheEarliestAmongIssuersNewest) {
  const auto trust = MakeTrust(
      {&root_, &other_},
      {MakeCrlPem(root_, {}, {.next_update = kNow - 5 * kDay}) +  // replaced by the next one
           MakeCrlPem(root_, {}, {.next_update = kNow + 9 * kDay}),
       MakeCrlPem(other_, {}, {.next_update = kNow + 4 * kDay})});
  EXPECT_EQ(trust->crl_next_update, kNow + 4 * kDay);
  EXPECT_EQ(trust->crls_der.size(), 3U);
}

TEST_F(TrustMaterialTest, EpochFollowsContentNotOrder) {
  const std::string crl = MakeCrlPem(root_, {7});
  const uint64_t epoch = MakeTrust({&root_, &other_}, {crl})->epoch;
  EXPECT_EQ(MakeTrust({&other_, &root_}, {crl})->epoch, epoch);
  EXPECT_EQ(MakeTrust({&root_, &other_, &root_}, {crl, crl})->epoch, epoch);
  EXPECT_NE(MakeTrust({&root_}, {crl})->epoch, epoch);
  EXPECT_NE(MakeTrust({&root_, &other_})->epoch, epoch);
  EXPECT_NE(MakeTrust({&root_, &other_}, {MakeCrlPem(root_, {8})})->epoch, epoch);
}

}  // namespace
}  // namespace portcullis::tls
