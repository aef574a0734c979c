#include "tls/issuer_id.h"

#include "gtest/gtest.h"

#include "tests/tls/crl_maker.h"
#include "tls/name_canonical.h"

namespace portcullis::tls {
namespace {

using testing::Join;
using testing::MakeCa;
using testing::MakeRoot;
using testing::Octets;
using testing::Reissue;
using testing::Tlv;
using testing::UriName;

// A Name of one common name, printable.
Octets NameOf(const std::string& common_name) {
  const Octets attribute = Tlv(
      0x30, Join({{6, 3, 0x55, 4, 3}, Tlv(0x13, Octets(common_name.begin(), common_name.end()))}));
  return Tlv(0x30, Tlv(0x31, attribute));
}

TEST(IssuerId, IsOfNameAndKey) {
  const auto root = MakeRoot({.common_name = "root"});
  const auto other = MakeRoot({.common_name = "other"});
  const auto twin = Reissue(other, root, {.common_name = "ROOT", .is_ca = true});
  const auto namesake = MakeRoot({.common_name = "root"});
  const auto renamed = Reissue(other, root, {.common_name = "renamed", .is_ca = true});
  EXPECT_EQ(MakeIssuerId(root.Der()), MakeIssuerId(root.x509()));
  EXPECT_EQ(MakeIssuerId(root.Der()), MakeIssuerId(twin.Der()));
  EXPECT_NE(MakeIssuerId(root.Der()), MakeIssuerId(namesake.Der()));
  EXPECT_NE(MakeIssuerId(root.Der()), MakeIssuerId(renamed.Der()));
  EXPECT_EQ(MakeIssuerId(Octets{1, 2, 3}), IssuerId{});
}

TEST(IssuerId, NamesakesShareItsFirstPart) {
  const auto root = MakeRoot({.common_name = "root"});
  const auto namesake = MakeRoot({.common_name = "Root"});
  const auto other = MakeRoot({.common_name = "other"});
  const uint64_t part = NamePart(MakeIssuerId(root.Der()));
  EXPECT_EQ(part, NamePart(MakeIssuerId(namesake.Der())));
  EXPECT_NE(part, NamePart(MakeIssuerId(other.Der())));
  EXPECT_EQ(part, NamePartOf(CanonicalName(*X509_get_subject_name(root.x509()))));
}

TEST(IssuerId, DistributionPointsAreHashedByWhatTheyName) {
  EXPECT_EQ(NameHash64(UriName("http://a")), NameHash64(UriName("http://a")));
  EXPECT_NE(NameHash64(UriName("http://a")), NameHash64(UriName("http://b")));
  EXPECT_EQ(NameHash64(Tlv(0xa4, NameOf("Point 1"))), NameHash64(Tlv(0xa4, NameOf("point  1"))));
  EXPECT_NE(NameHash64(Tlv(0xa4, NameOf("Point 1"))), NameHash64(Tlv(0xa4, NameOf("Point 2"))));
}

TEST(IssuerId, ARelativeNameStandsForTheFullOne) {
  const Octets issuer = NameOf("ca");
  const Octets relative = Tlv(0x30, Join({{6, 3, 0x55, 4, 11}, Tlv(0x13, {'p', '1'})}));
  Octets full(issuer.begin() + 2, issuer.end());
  const Octets set = Tlv(0x31, relative);
  full.insert(full.end(), set.begin(), set.end());
  EXPECT_EQ(RelativeNameHash64(relative, issuer), NameHash64(Tlv(0xa4, Tlv(0x30, full))));
}

}  // namespace
}  // namespace portcullis::tls
