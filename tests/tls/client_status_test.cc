#include "tls/client_status.h"

#include <openssl/err.h>

#include "gtest/gtest.h"

#include "tests/tls/ocsp_maker.h"
#include "tls/issuer_id.h"

namespace portcullis::tls {
namespace {

using testing::CertificateOptions;
using testing::kDay;
using testing::kHour;
using testing::kNow;
using testing::MakeCa;
using testing::MakeLeaf;
using testing::MakeOcsp;
using testing::MakeRoot;
using testing::OcspSpec;
using testing::TestCertificate;

class ClientStatusTest : public ::testing::Test {
 protected:
  ~ClientStatusTest() override { EXPECT_EQ(ERR_peek_error(), 0U) << "an error was left behind"; }

  // An accepted client whose leaf is of ca_; `chain` is what it presented.
  [[nodiscard]] PeerIdentity Identity(std::initializer_list<const TestCertificate*> chain) const {
    PeerIdentity identity;
    for (const TestCertificate* const one : chain) identity.chain_der.emplace_back(one->Der());
    PathLink link;
    link.issuer = MakeIssuerId(ca_.Der());
    link.serial = testing::SerialOf(leaf_);
    identity.path.push_back(link);
    return identity;
  }
  [[nodiscard]] StatusAnswer Judge(const OcspSpec& spec, int64_t now = kNow) const {
    const auto query = MakeStatusQuery(Identity({&leaf_, &ca_}), *testing::MakeTrust({&root_}));
    return JudgeStatus(MakeOcsp(ca_, testing::SerialOf(leaf_), spec), *query, now);
  }

  const TestCertificate root_ = MakeRoot({.common_name = "root"});
  const TestCertificate ca_ = MakeCa(root_, {.common_name = "ca"});
  const TestCertificate leaf_ = MakeLeaf(
      ca_, {.common_name = "leaf", .authority_info_access = "OCSP;URI:http://aia.example/"});
};

TEST_F(ClientStatusTest, TheIssuerIsFoundWhereverItIs) {
  const auto presented = MakeStatusQuery(Identity({&leaf_, &ca_}), *testing::MakeTrust({&root_}));
  ASSERT_TRUE(presented.has_value());
  EXPECT_EQ(presented->issuer_der, ca_.Der());
  EXPECT_EQ(presented->key.issuer, MakeIssuerId(ca_.Der()));
  EXPECT_EQ(presented->key.serial, testing::SerialOf(leaf_));
  const auto known = MakeStatusQuery(Identity({&leaf_}), *testing::MakeTrust({&root_, &ca_}));
  EXPECT_EQ(known->issuer_der, ca_.Der());
  const auto nowhere = MakeStatusQuery(Identity({&leaf_}), *testing::MakeTrust({&root_}));
  EXPECT_TRUE(nowhere->issuer_der.empty());
  EXPECT_TRUE(StatusRequest(*nowhere).empty());
  EXPECT_EQ(JudgeStatus({}, *nowhere, kNow).detail, "the issuer's certificate is not known");
}

TEST_F(ClientStatusTest, TheOperatorsResponderGoesBeforeTheCertificates) {
  const auto trust = testing::MakeTrust({&root_});
  EXPECT_EQ(MakeStatusQuery(Identity({&leaf_, &ca_}), *trust)->url, "http://aia.example/");
  TrustMaterial told = *trust;
  told.ocsp_spec.responder_url = "http://operator.example/";
  EXPECT_EQ(MakeStatusQuery(Identity({&leaf_, &ca_}), told)->url, "http://operator.example/");
}

TEST_F(ClientStatusTest, AnAnchorIsNotAskedAbout) {
  PeerIdentity pinned = Identity({&leaf_});
  pinned.path.clear();
  EXPECT_FALSE(MakeStatusQuery(pinned, *testing::MakeTrust({&root_})).has_value());
}

TEST_F(ClientStatusTest, AnAnswerIsGoodRevokedOrNone) {
  EXPECT_EQ(Judge({}).status, ClientStatus::kGood);
  EXPECT_EQ(Judge({}).until, kNow + kDay);
  EXPECT_EQ(Judge({.next_update = 0}).until, kNow);
  EXPECT_EQ(Judge({.status = OcspSpec::Status::kRevoked}).status, ClientStatus::kRevoked);
  const StatusAnswer unknown = Judge({.status = OcspSpec::Status::kUnknown});
  EXPECT_EQ(unknown.status, ClientStatus::kUnavailable);
  EXPECT_EQ(unknown.detail, "the responder does not know the certificate");
}

TEST_F(ClientStatusTest, AnOldAnswerVouchesForNobodyButRevokesStill) {
  EXPECT_EQ(Judge({}, kNow + 2 * kDay).detail, "the answer is not of this time");
  EXPECT_EQ(Judge({.this_update = kNow + kHour}).detail, "the answer is not of this time");
  const StatusAnswer revoked = Judge({.status = OcspSpec::Status::kRevoked}, kNow + 2 * kDay);
  EXPECT_EQ(revoked.status, ClientStatus::kRevoked);
  EXPECT_EQ(revoked.until, kNow + 2 * kDay);
}

}  // namespace
}  // namespace portcullis::tls
