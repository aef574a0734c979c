#include "tls/path_link.h"

#include <openssl/asn1.h>
#include <openssl/mem.h>
#include <openssl/x509v3.h>

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/tls/test_pki.h"

namespace portcullis::tls {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kDay;
using testing::kNow;
using testing::MakeCa;
using testing::MakeCrlPem;
using testing::MakeLeaf;
using testing::MakeRoot;
using testing::TestCertificate;

uint64_t HashOfUri(const std::string& uri) {
  const bssl::UniquePtr<GENERAL_NAME> name(GENERAL_NAME_new());
  ASN1_STRING* const text = ASN1_STRING_type_new(V_ASN1_IA5STRING);
  EXPECT_EQ(ASN1_STRING_set(text, uri.data(), static_cast<ossl_ssize_t>(uri.size())), 1);
  GENERAL_NAME_set0_value(name.get(), GEN_URI, text);
  uint8_t* encoded = nullptr;
  const int size = i2d_GENERAL_NAME(name.get(), &encoded);
  const uint64_t hash = NameHash64({encoded, static_cast<size_t>(size)});
  OPENSSL_free(encoded);
  return hash;
}

class PathLinkTest : public ::testing::Test {
 protected:
  PathLink LinkOf(const TestCertificate& certificate) const { return LinkOf(certificate, root_); }
  static PathLink LinkOf(const TestCertificate& certificate, const TestCertificate& issuer) {
    return MakeLink(certificate.x509(), MakeIssuerId(issuer.Der()));
  }

  const TestCertificate root_ = MakeRoot({.common_name = "root"});
};

TEST_F(PathLinkTest, SerialsAreContentOctets) {
  EXPECT_THAT(LinkOf(MakeLeaf(root_, {.serial = 0x7f})).serial, ElementsAre(0x7f));
  EXPECT_THAT(LinkOf(MakeLeaf(root_, {.serial = 0x80})).serial, ElementsAre(0x00, 0x80));
  EXPECT_THAT(LinkOf(MakeLeaf(root_, {.serial = 0x123})).serial, ElementsAre(0x01, 0x23));
}

TEST_F(PathLinkTest, TheRestIsTheCertificates) {
  const PathLink leaf = LinkOf(MakeLeaf(root_, {.not_after = kNow + 3 * kDay}));
  EXPECT_EQ(leaf.issuer, MakeIssuerId(root_.Der()));
  EXPECT_EQ(leaf.not_after, kNow + 3 * kDay);
  EXPECT_FALSE(leaf.is_ca);
  EXPECT_THAT(leaf.distribution_points, IsEmpty());
  EXPECT_TRUE(LinkOf(MakeCa(root_, {.common_name = "ca"})).is_ca);
}

TEST_F(PathLinkTest, DistributionPointsAreHashedByTheirFullNames) {
  const std::string a = "http://crl.example/a.crl";
  const std::string b = "http://crl.example/b.crl";
  const PathLink link = LinkOf(MakeLeaf(root_, {.distribution_points = "URI:" + a + ",URI:" + b}));
  EXPECT_THAT(link.distribution_points, ElementsAre(HashOfUri(a), HashOfUri(b)));
}

TEST_F(PathLinkTest, LinksAreAskedLeafFirstAsFarAsTheScopeGoes) {
  const auto trust = testing::MakeTrust({&root_}, {MakeCrlPem(root_, {5, 6})});
  const auto ask = [&](const std::vector<PathLink>& links, const RevocationSpec& spec) {
    return AskOfLinks(links, *trust->revocation, spec, kNow);
  };
  const PathLink good = LinkOf(MakeLeaf(root_, {.serial = 4}));
  const PathLink bad = LinkOf(MakeLeaf(root_, {.serial = 5}));
  const PathLink late = LinkOf(MakeLeaf(root_, {.not_after = kNow - 1, .serial = 3}));
  EXPECT_EQ(ask({good, good}, {}).rejection, Rejection::kNone);
  EXPECT_EQ(ask({good, good}, {}).holds_until, kNow + 30 * kDay);  // the CRL's nextUpdate
  EXPECT_EQ(ask({good, bad}, {}).rejection, Rejection::kRevoked);
  EXPECT_EQ(ask({good, bad}, {}).depth, 1U);
  EXPECT_EQ(ask({good, bad}, {.scope = RevocationScope::kLeaf}).rejection, Rejection::kNone);
  EXPECT_EQ(ask({bad, good}, {.scope = RevocationScope::kLeaf}).rejection, Rejection::kRevoked);
  EXPECT_EQ(ask({bad, bad}, {.mode = RevocationMode::kOff}).rejection, Rejection::kNone);
  EXPECT_EQ(ask({good, late}, {.mode = RevocationMode::kOff}).rejection, Rejection::kExpired);
  EXPECT_EQ(ask({}, {}).holds_until, INT64_MAX);
}

TEST_F(PathLinkTest, ARevocationIsToldBeforeTheWantOfACrl) {
  const TestCertificate other = MakeRoot({.common_name = "other"});
  const auto trust = testing::MakeTrust({&root_, &other}, {MakeCrlPem(root_, {5})});
  const PathLink uncovered = LinkOf(MakeLeaf(other, {.not_after = kNow + kDay}), other);
  const PathLink revoked = LinkOf(MakeLeaf(root_, {.serial = 5}));
  const PathLink late = LinkOf(MakeLeaf(root_, {.not_after = kNow - 1, .serial = 3}));
  const RevocationSpec require = {.mode = RevocationMode::kRequire};
  const auto ask = [&](const std::vector<PathLink>& links) {
    return AskOfLinks(links, *trust->revocation, require, kNow);
  };
  EXPECT_EQ(ask({uncovered, revoked}).rejection, Rejection::kRevoked);
  EXPECT_EQ(ask({uncovered, revoked}).depth, 1U);
  for (const PathLink& then : {uncovered, late}) {
    EXPECT_EQ(ask({uncovered, then}).rejection, Rejection::kCrlMissing);
    EXPECT_EQ(ask({uncovered, then}).depth, 0U);
  }
}

}  // namespace
}  // namespace portcullis::tls
