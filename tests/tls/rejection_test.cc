#include "tls/rejection.h"

#include <openssl/ssl.h>

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace portcullis::tls {
namespace {

Rejection ReasonAt(int index) { return static_cast<Rejection>(index); }

TEST(Rejection, NamesAreUniqueSnakeCase) {
  std::set<std::string> seen;
  for (int i = 0; i < kNumRejections; ++i) {
    const std::string name(Name(ReasonAt(i)));
    EXPECT_TRUE(seen.insert(name).second) << name;
    EXPECT_FALSE(name.empty());
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos) << name;
  }
}

TEST(Rejection, NamesThatDashboardsRelyOn) {
  EXPECT_EQ(Name(Rejection::kNone), "none");
  EXPECT_EQ(Name(Rejection::kNoCertificate), "no_cert");
  EXPECT_EQ(Name(Rejection::kExpired), "expired");
  EXPECT_EQ(Name(Rejection::kUnknownCa), "unknown_ca");
  EXPECT_EQ(Name(Rejection::kRevoked), "revoked");
  EXPECT_EQ(Name(Rejection::kBadPurpose), "bad_purpose");
  EXPECT_EQ(Name(Rejection::kSniUnknown), "sni_unknown");
  EXPECT_EQ(Name(Rejection::kInternal), "internal");
}

TEST(Rejection, AMissingCertificateHasItsOwnAlertSinceTls13) {
  EXPECT_EQ(Alert(Rejection::kNoCertificate, true), SSL_AD_CERTIFICATE_REQUIRED);
  EXPECT_EQ(Alert(Rejection::kNoCertificate, false), SSL_AD_HANDSHAKE_FAILURE);
}

TEST(Rejection, EveryVerdictOnACertificateHasAFatalAlertWithAName) {
  for (int i = 0; i < kNumRejections; ++i) {
    const Rejection reason = ReasonAt(i);
    for (const bool tls13 : {false, true}) {
      const uint8_t alert = Alert(reason, tls13);
      if (IsCertificateVerdict(reason)) {
        EXPECT_NE(alert, 0) << Name(reason);
      }
      EXPECT_NE(AlertName(alert), "unknown") << Name(reason);
    }
  }
}

TEST(Rejection, AnAlertMayGoAheadOfAnyHandshake) {
  const std::array<uint8_t, 7> record = {21, 3, 1, 0, 2, 2, SSL_AD_INTERNAL_ERROR};
  EXPECT_EQ(AlertRecord(Rejection::kOverload), record);
  EXPECT_DEATH((void)AlertRecord(Rejection::kEof), "");
}

TEST(Rejection, WhatNoAlertCanAnswerHasNone) {
  for (const Rejection reason : {Rejection::kNone, Rejection::kPlainHttp, Rejection::kClientAlert,
                                 Rejection::kEof, Rejection::kReset}) {
    EXPECT_EQ(Alert(reason, true), 0) << Name(reason);
  }
}

TEST(Rejection, VerdictsAreTheCertificateReasonsOnly) {
  EXPECT_TRUE(IsCertificateVerdict(Rejection::kNoCertificate));
  EXPECT_TRUE(IsCertificateVerdict(Rejection::kPolicyDenied));
  EXPECT_FALSE(IsCertificateVerdict(Rejection::kNone));
  EXPECT_FALSE(IsCertificateVerdict(Rejection::kSniUnknown));
  EXPECT_FALSE(IsCertificateVerdict(Rejection::kBadProof));
}

TEST(Rejection, AlertsWithoutANameAreUnknown) {
  EXPECT_EQ(AlertName(45), "certificate_expired");
  EXPECT_EQ(AlertName(116), "certificate_required");
  EXPECT_EQ(AlertName(255), "unknown");
}

}  // namespace
}  // namespace portcullis::tls
