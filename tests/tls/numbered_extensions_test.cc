#include "tls/numbered_extensions.h"

#include <openssl/nid.h>
#include <openssl/obj.h>
#include <openssl/x509.h>

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

#include "tests/tls/test_pki.h"
#include "tls/boringssl_compat.h"

namespace portcullis::tls {
namespace {

using testing::MakeLeaf;
using testing::MakeRoot;
using testing::TestCertificate;

class NumberedExtensionsTest : public ::testing::Test {
 protected:
  // As it comes from a client: parsed from bytes.
  static bssl::UniquePtr<X509> Parse(const std::vector<uint8_t>& der) {
    const uint8_t* in = der.data();
    return bssl::UniquePtr<X509>(
        d2i_X509(nullptr, &in, static_cast<long>(der.size())));  // NOLINT(google-runtime-int)
  }

  static const ASN1_OBJECT* TypeOf(const X509* certificate, int index) {
    return X509_EXTENSION_get_object(X509_get_ext(certificate, index));
  }

  // The library's own object is one and the same each time; one that was parsed is not.
  static bool IsNumbered(const X509* certificate, int index) {
    const ASN1_OBJECT* const type = TypeOf(certificate, index);
    return type == OBJ_nid2obj(OBJ_obj2nid(type));
  }

  const TestCertificate root_ = MakeRoot({.common_name = "root"});
  const TestCertificate leaf_ =
      MakeLeaf(root_, {.key_usage = "critical,digitalSignature",
                       .extended_key_usage = "clientAuth",
                       .subject_alt_name = "DNS:a.example",
                       .policies = "1.2.3.4",
                       .policy_constraints = "critical,requireExplicitPolicy:0",
                       .name_constraints = "critical,permitted;DNS:.example",
                       .authority_info_access = "OCSP;URI:http://ocsp.example",
                       .distribution_points = "URI:http://crl.example/a.crl"});
};

TEST_F(NumberedExtensionsTest, EveryKnownExtensionGetsTheLibrarysObjectOfTheSameType) {
  const bssl::UniquePtr<X509> before = Parse(leaf_.Der());
  const bssl::UniquePtr<X509> after = Parse(leaf_.Der());
  NumberExtensions(after.get());
  ASSERT_EQ(X509_get_ext_count(after.get()), 11);
  for (int i = 0; i < X509_get_ext_count(after.get()); ++i) {
    EXPECT_FALSE(IsNumbered(before.get(), i)) << "the library numbers them itself: " << i;
    EXPECT_TRUE(IsNumbered(after.get(), i)) << i;
    EXPECT_EQ(OBJ_obj2nid(TypeOf(after.get(), i)), OBJ_obj2nid(TypeOf(before.get(), i))) << i;
  }
}

TEST_F(NumberedExtensionsTest, TheCertificateStaysWhatItIs) {
  const bssl::UniquePtr<X509> certificate = Parse(leaf_.Der());
  NumberExtensions(certificate.get());
  uint8_t* encoded = nullptr;
  const int size = i2d_X509(certificate.get(), &encoded);
  ASSERT_GT(size, 0);
  const bssl::UniquePtr<uint8_t> owner(encoded);
  EXPECT_EQ(std::vector<uint8_t>(encoded, encoded + size), leaf_.Der());
  EXPECT_EQ(X509_verify(certificate.get(), root_.key()), 1);
  EXPECT_EQ(X509_get_ext_by_NID(certificate.get(), NID_name_constraints, -1),
            X509_get_ext_by_NID(leaf_.x509(), NID_name_constraints, -1));
}

TEST_F(NumberedExtensionsTest, OneThatNobodyKnowsStaysAsItWasParsed) {
  const TestCertificate odd = MakeLeaf(root_, {.unknown_critical = true});
  const bssl::UniquePtr<X509> certificate = Parse(odd.Der());
  NumberExtensions(certificate.get());
  int unknown = 0;
  for (int i = 0; i < X509_get_ext_count(certificate.get()); ++i) {
    if (!IsNumbered(certificate.get(), i)) ++unknown;
  }
  EXPECT_EQ(unknown, 1);
  EXPECT_NE(X509_get_extension_flags(certificate.get()) & EXFLAG_CRITICAL, 0u);
}

}  // namespace
}  // namespace portcullis::tls
