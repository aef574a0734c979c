#include "tls/ocsp_request.h"

#include "gtest/gtest.h"

#include "tests/tls/ocsp_maker.h"

namespace portcullis::tls {
namespace {

using testing::MakeLeaf;
using testing::MakeOcsp;
using testing::MakeRoot;
using testing::Octets;

TEST(OcspRequest, AsksWithTheIdThatAnAnswerCarries) {
  const auto root = MakeRoot({.common_name = "root"});
  const Octets serial = {0x00, 0x92, 0x34};
  const Octets request = MakeOcspRequest(OcspCertId(root.x509(), serial));
  // SEQUENCE { SEQUENCE { SEQUENCE { SEQUENCE { certID } } } }: the CertID is all there is.
  const Octets response = MakeOcsp(root, serial);
  ASSERT_GT(request.size(), 8U);
  const Octets cert_id(request.begin() + 8, request.end());
  EXPECT_NE(std::search(response.begin(), response.end(), cert_id.begin(), cert_id.end()),
            response.end());
  for (size_t depth = 0; depth < 4; ++depth) {
    EXPECT_EQ(request[2 * depth], 0x30);
    EXPECT_EQ(request[2 * depth + 1], request.size() - 2 * depth - 2);
  }
}

TEST(OcspRequest, WithoutSerialThereIsNone) {
  const auto root = MakeRoot({.common_name = "root"});
  EXPECT_TRUE(MakeOcspRequest(OcspCertId(root.x509(), {})).empty());
}

TEST(OcspRequest, FindsTheResponderThatACertificateNames) {
  const auto root = MakeRoot({.common_name = "root"});
  const auto url = [&root](const std::string& access) {
    return OcspResponderUrl(
        MakeLeaf(root, {.common_name = "leaf", .authority_info_access = access}).x509());
  };
  EXPECT_EQ(url(""), "");
  EXPECT_EQ(url("OCSP;URI:http://ocsp.example/a"), "http://ocsp.example/a");
  EXPECT_EQ(url("caIssuers;URI:http://ca.example,OCSP;URI:https://s.example,OCSP;URI:HTTP://b"),
            "HTTP://b");
}

}  // namespace
}  // namespace portcullis::tls
