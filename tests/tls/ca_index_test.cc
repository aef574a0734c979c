#include "tls/ca_index.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/tls/test_pki.h"
#include "tls/revocation_index.h"

namespace portcullis::tls {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::MakeRoot;
using testing::TestCertificate;

KnownCa Ca(uint8_t number, uint32_t name_hash, std::vector<uint8_t> key_id) {
  KnownCa ca;
  ca.sha256[0] = number;
  ca.name_hash = name_hash;
  ca.key_id = std::move(key_id);
  return ca;
}

std::vector<uint32_t> Issuers(const CaIndex& index, uint32_t name_hash,
                              const std::vector<uint8_t>& key_id) {
  std::vector<uint32_t> ids;
  index.AppendIssuers(name_hash, key_id, ids);
  return ids;
}

TEST(CaIndex, IssuersAreFoundByNameAndKeyIdentifier) {
  CaIndex index;
  EXPECT_TRUE(index.Add(Ca(0, 7, {1, 1})));
  EXPECT_TRUE(index.Add(Ca(1, 7, {2, 2})));
  EXPECT_TRUE(index.Add(Ca(2, 7, {})));
  EXPECT_TRUE(index.Add(Ca(3, 8, {1, 1})));
  EXPECT_THAT(Issuers(index, 7, {2, 2}), ElementsAre(1, 2));  // 2 does not say
  EXPECT_THAT(Issuers(index, 7, {3, 3}), ElementsAre(2));
  EXPECT_THAT(Issuers(index, 7, {}), ElementsAre(0, 1, 2));
  EXPECT_THAT(Issuers(index, 8, {1, 1}), ElementsAre(3));
  EXPECT_THAT(Issuers(index, 9, {}), IsEmpty());
  EXPECT_THAT(Issuers(index, 9, {1, 1}), IsEmpty());
}

TEST(CaIndex, ACertificateIsTakenOnce) {
  CaIndex index;
  EXPECT_TRUE(index.Add(Ca(5, 1, {})));
  EXPECT_FALSE(index.Add(Ca(5, 2, {})));
  EXPECT_EQ(index.size(), 1U);
  EXPECT_EQ(index.Find(Ca(5, 0, {}).sha256), 0U);
  EXPECT_FALSE(index.Find(Ca(6, 0, {}).sha256).has_value());
}

TEST(CaObjects, ACertificateIsParsedWhenItIsFirstMet) {
  const TestCertificate first = MakeRoot({.common_name = "first"});
  const TestCertificate second = MakeRoot({.common_name = "second"});
  const auto trust = testing::MakeTrust({&first, &second});
  CaObjects objects(trust->known);
  EXPECT_EQ(objects.num_parsed(), 0U);
  X509* const x509 = objects.Get(1);
  EXPECT_EQ(X509_cmp(x509, second.x509()), 0);
  EXPECT_EQ(objects.Get(1), x509);
  EXPECT_EQ(objects.num_parsed(), 1U);
  EXPECT_EQ(objects.IssuerIdOf(0), MakeIssuerId(first.Der()));
  EXPECT_EQ(objects.num_parsed(), 1U);
}

}  // namespace
}  // namespace portcullis::tls
