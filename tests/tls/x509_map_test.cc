#include "tls/x509_map.h"

#include <openssl/x509.h>

#include "gtest/gtest.h"

namespace portcullis::tls {
namespace {

TEST(X509Map, EveryErrorIsAVerdictOrOurOwnFault) {
  EXPECT_EQ(FromX509Error(X509_V_OK), Rejection::kNone);
  for (int error = 1; error < 100; ++error) {
    const Rejection reason = FromX509Error(error);
    EXPECT_TRUE(IsCertificateVerdict(reason) || reason == Rejection::kInternal) << error;
  }
}

TEST(X509Map, ReasonsThatOperatorsTellApart) {
  EXPECT_EQ(FromX509Error(X509_V_ERR_CERT_HAS_EXPIRED), Rejection::kExpired);
  EXPECT_EQ(FromX509Error(X509_V_ERR_CERT_NOT_YET_VALID), Rejection::kNotYetValid);
  EXPECT_EQ(FromX509Error(X509_V_ERR_CERT_REVOKED), Rejection::kRevoked);
  EXPECT_EQ(FromX509Error(X509_V_ERR_CRL_HAS_EXPIRED), Rejection::kCrlStale);
  EXPECT_EQ(FromX509Error(X509_V_ERR_UNABLE_TO_GET_CRL), Rejection::kCrlMissing);
  EXPECT_EQ(FromX509Error(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY), Rejection::kUnknownCa);
  EXPECT_EQ(FromX509Error(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT), Rejection::kUnknownCa);
  EXPECT_EQ(FromX509Error(X509_V_ERR_INVALID_PURPOSE), Rejection::kBadPurpose);
  EXPECT_EQ(FromX509Error(X509_V_ERR_CERT_SIGNATURE_FAILURE), Rejection::kBadSignature);
  EXPECT_EQ(FromX509Error(X509_V_ERR_INVALID_CA), Rejection::kBadCertificate);
  EXPECT_EQ(FromX509Error(X509_V_ERR_PERMITTED_VIOLATION), Rejection::kBadCertificate);
}

TEST(X509Map, TextsAreWhatNginxOnOpenSslSays) {
  EXPECT_EQ(X509ErrorText(X509_V_OK), "ok");
  EXPECT_EQ(X509ErrorText(X509_V_ERR_CERT_HAS_EXPIRED), "certificate has expired");
  EXPECT_EQ(X509ErrorText(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT), "self-signed certificate");
  EXPECT_EQ(X509ErrorText(X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN),
            "self-signed certificate in certificate chain");
  EXPECT_EQ(X509ErrorText(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY),
            "unable to get local issuer certificate");
}

TEST(X509Map, EveryVerdictOnAPresentedCertificateHasAnErrorThatLeadsBackToOne) {
  for (int i = 0; i < kNumRejections; ++i) {
    const auto reason = static_cast<Rejection>(i);
    const int error = ToX509Error(reason);
    if (IsCertificateVerdict(reason) && reason != Rejection::kNoCertificate) {
      EXPECT_NE(error, X509_V_OK) << Name(reason);
      EXPECT_TRUE(IsCertificateVerdict(FromX509Error(error))) << Name(reason);
    } else {
      EXPECT_EQ(error, X509_V_OK) << Name(reason);
    }
  }
}

}  // namespace
}  // namespace portcullis::tls
