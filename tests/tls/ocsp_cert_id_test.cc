#include "tls/ocsp_cert_id.h"

#include "gtest/gtest.h"

#include "tests/tls/ocsp_maker.h"

namespace portcullis::tls {
namespace {

using testing::Join;
using testing::MakeRoot;
using testing::Octets;
using testing::Tlv;

// The content of a CertID with SHA-1, as an id has it, for a serial number.
Octets CertIdOf(const OcspCertId& id, const Octets& serial, uint8_t last_of_oid = 0x1a) {
  const Octets name(id.name_sha1().begin(), id.name_sha1().end());
  const Octets key(id.key_sha1().begin(), id.key_sha1().end());
  return Join({Tlv(0x30, {6, 5, 0x2b, 0x0e, 0x03, 0x02, last_of_oid, 5, 0}), Tlv(4, name),
               Tlv(4, key), Tlv(2, serial)});
}

TEST(OcspCertId, MatchesItsOwnAndNoOther) {
  const auto root = MakeRoot({.common_name = "root"});
  const OcspCertId id(root.x509(), Octets{0x00, 0x80});
  EXPECT_TRUE(id.Matches(CertIdOf(id, {0x00, 0x80})));
  EXPECT_TRUE(
      OcspCertId(root.x509(), Octets{0x00, 0x00, 0x80}).Matches(CertIdOf(id, {0x00, 0x80})));
  EXPECT_FALSE(id.Matches(CertIdOf(id, {0x80}))) << "a negative number";
  EXPECT_FALSE(id.Matches(CertIdOf(id, {0x00, 0x81})));
  EXPECT_FALSE(id.Matches(CertIdOf(id, {0x00, 0x80}, 0x1b))) << "another digest";
  EXPECT_FALSE(id.Matches({}));
  Octets longer = CertIdOf(id, {0x00, 0x80});
  longer.push_back(0);
  EXPECT_FALSE(id.Matches(longer));
}

TEST(OcspCertId, ZeroIsASerialToo) {
  const auto root = MakeRoot({.common_name = "root"});
  const OcspCertId id(root.x509(), Octets{0x00});
  EXPECT_TRUE(id.Matches(CertIdOf(id, {0x00})));
}

}  // namespace
}  // namespace portcullis::tls
