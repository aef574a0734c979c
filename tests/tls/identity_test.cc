#include "tls/identity.h"

#include <openssl/mem.h>
#include <openssl/sha.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/tls/test_pki.h"

namespace portcullis::tls {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kDay;
using testing::kNow;
using testing::MakeLeaf;
using testing::MakeRoot;
using testing::TestCertificate;

class IdentityTest : public ::testing::Test {
 protected:
  static std::unique_ptr<PeerIdentity> IdentityOf(const TestCertificate& certificate) {
    return MakeIdentity(certificate.x509(), certificate.Der());
  }
  const TestCertificate root_ = MakeRoot({.common_name = "root", .organization = "Acme"});
};

TEST_F(IdentityTest, NamesAreRfc2253LastFirst) {
  const auto identity =
      IdentityOf(MakeLeaf(root_, {.common_name = "My Client", .organization = "Acme, Inc."}));
  EXPECT_EQ(identity->subject, "CN=My Client,O=Acme\\, Inc.");
  EXPECT_EQ(identity->issuer, "CN=root,O=Acme");
}

TEST_F(IdentityTest, BytesBeyondAsciiAreEscapedAsNginxDoes) {
  EXPECT_EQ(IdentityOf(MakeLeaf(root_, {.common_name = "J\u00fcrgen"}))->subject,
            "CN=J\\C3\\BCrgen");
}

TEST_F(IdentityTest, ControlCharactersNeverComeOutRaw) {
  const std::string subject =
      IdentityOf(MakeLeaf(root_, {.common_name = std::string("a\r\nEvil: 1\0z", 12)}))->subject;
  EXPECT_EQ(subject.find_first_of(std::string("\r\n\0", 3)), std::string::npos) << subject;
}

TEST_F(IdentityTest, SerialsAreWholeBytesUpperCase) {
  EXPECT_EQ(IdentityOf(MakeLeaf(root_, {.serial = 2}))->serial_hex, "02");
  EXPECT_EQ(IdentityOf(MakeLeaf(root_, {.serial = 0xabc}))->serial_hex, "0ABC");
  EXPECT_EQ(IdentityOf(MakeLeaf(root_, {.serial = 0xffeeddccbbaa9988}))->serial_hex,
            "FFEEDDCCBBAA9988");
}

TEST_F(IdentityTest, ValidityAndDigestAreTheLeafs) {
  const TestCertificate leaf =
      MakeLeaf(root_, {.not_before = kNow - 2 * kDay, .not_after = kNow + 3 * kDay});
  const auto identity = IdentityOf(leaf);
  EXPECT_EQ(identity->not_before, kNow - 2 * kDay);
  EXPECT_EQ(identity->not_after, kNow + 3 * kDay);
  EXPECT_EQ(identity->chain_der.front(), SharedBytes(leaf.Der()));
  std::array<uint8_t, 32> digest;
  SHA256(identity->chain_der.front().data(), identity->chain_der.front().size(), digest.data());
  EXPECT_EQ(identity->sha256, digest);
}

TEST_F(IdentityTest, AlternativeNamesComeByKindInOrder) {
  const auto identity = IdentityOf(
      MakeLeaf(root_, {.subject_alt_name = "DNS:b.example,URI:spiffe://td/ns/a,DNS:a.example,"
                                           "email:x@y.example,IP:10.1.2.3,IP:2001:db8::1"}));
  EXPECT_THAT(identity->dns_names, ElementsAre("b.example", "a.example"));
  EXPECT_THAT(identity->uris, ElementsAre("spiffe://td/ns/a"));
  EXPECT_THAT(identity->emails, ElementsAre("x@y.example"));
  EXPECT_THAT(identity->ips, ElementsAre("10.1.2.3", "2001:db8::1"));
}

TEST_F(IdentityTest, AttributesOfTheSubjectAreTakenApart) {
  const auto identity = IdentityOf(MakeLeaf(
      root_,
      {.common_name = "J\u00fcrgen, x", .organization = "Acme", .organizational_unit = "ops"}));
  EXPECT_THAT(identity->common_names, ElementsAre("J\u00fcrgen, x"));
  EXPECT_THAT(identity->organizations, ElementsAre("Acme"));
  EXPECT_THAT(identity->organizational_units, ElementsAre("ops"));
}

TEST_F(IdentityTest, AnAttributeKeepsItsNul) {
  const std::string odd("alice\0.evil", 11);
  EXPECT_THAT(IdentityOf(MakeLeaf(root_, {.common_name = odd}))->common_names, ElementsAre(odd));
}

TEST_F(IdentityTest, PoliciesAreDottedAlsoWhereTheyHaveNames) {
  const auto identity =
      IdentityOf(MakeLeaf(root_, {.policies = "1.3.6.1.4.1.99999.1,2.5.29.32.0"}));
  EXPECT_THAT(identity->policy_oids, ElementsAre("1.3.6.1.4.1.99999.1", "2.5.29.32.0"));
}

TEST_F(IdentityTest, TheDigestOfTheKeyIsThatOfItsInfo) {
  const TestCertificate leaf = MakeLeaf(root_, {});
  uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(leaf.key(), &der);
  ASSERT_GT(size, 0);
  std::array<uint8_t, 32> digest;
  SHA256(der, static_cast<size_t>(size), digest.data());
  OPENSSL_free(der);
  EXPECT_EQ(IdentityOf(leaf)->spki_sha256, digest);
}

TEST_F(IdentityTest, AV1LeafHasNone) {
  const auto identity = IdentityOf(MakeLeaf(root_, {.common_name = "plain", .v1 = true}));
  EXPECT_EQ(identity->subject, "CN=plain");
  EXPECT_THAT(identity->dns_names, IsEmpty());
  EXPECT_THAT(identity->uris, IsEmpty());
}

TEST(IdentityParts, AMissingTimeGivesTheOther) { EXPECT_EQ(TimeValue(nullptr, 17), 17); }

TEST(IdentityParts, NegativeAndZeroSerials) {
  const bssl::UniquePtr<ASN1_INTEGER> serial(ASN1_INTEGER_new());
  ASSERT_EQ(ASN1_INTEGER_set_int64(serial.get(), -5), 1);
  EXPECT_EQ(SerialText(serial.get()), "-05");
  ASSERT_EQ(ASN1_INTEGER_set_int64(serial.get(), 0), 1);
  EXPECT_EQ(SerialText(serial.get()), "00");
}

}  // namespace
}  // namespace portcullis::tls
