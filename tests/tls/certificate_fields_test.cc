#include "tls/certificate_fields.h"

#include <algorithm>

#include "tests/tls/strict_fixture.h"

namespace portcullis::tls {
namespace {

using testing::MakeRoot;

TEST(CertificateFields, AreTheCertificatesOwn) {
  const auto root =
      MakeRoot({.common_name = "root", .key_usage = "critical,keyCertSign", .serial = 0x1234});
  const auto fields = ReadCertificateFields(root.x509());
  ASSERT_TRUE(fields.has_value());
  EXPECT_EQ(fields->der, root.Der());
  EXPECT_EQ(fields->version, 2U);
  EXPECT_TRUE(std::ranges::equal(fields->serial, testing::ByteVector{0x12, 0x34}));
  EXPECT_TRUE(std::ranges::equal(fields->issuer, fields->subject));
  EXPECT_TRUE(std::ranges::equal(fields->inner_algorithm, fields->outer_algorithm));
  EXPECT_EQ(fields->not_before.tag, CBS_ASN1_UTCTIME);
  EXPECT_EQ(fields->not_before.text.size(), 13U);
  EXPECT_FALSE(fields->has_unique_id);
  ASSERT_NE(fields->Find(kKeyUsage), nullptr);
  EXPECT_TRUE(fields->Find(kKeyUsage)->critical);
  EXPECT_EQ(fields->Find(kSubjectAltName), nullptr);
}

TEST(CertificateFields, SurviveBeingMoved) {
  const auto root = MakeRoot({.common_name = "root"});
  auto fields = ReadCertificateFields(root.x509());
  ASSERT_TRUE(fields.has_value());
  const CertificateFields moved = *std::move(fields);
  EXPECT_GE(moved.subject.data(), moved.der.data());
  EXPECT_LT(moved.subject.data(), moved.der.data() + moved.der.size());
}

TEST(CertificateFields, AV1CertificateHasNoExtensions) {
  const auto old = testing::MakeSelfSigned({.common_name = "old", .v1 = true});
  const auto fields = ReadCertificateFields(old.x509());
  ASSERT_TRUE(fields.has_value());
  EXPECT_EQ(fields->version, 0U);
  EXPECT_TRUE(fields->extensions.empty());
}

}  // namespace
}  // namespace portcullis::tls
