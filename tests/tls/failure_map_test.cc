#include "tls/failure_map.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "gtest/gtest.h"

namespace portcullis::tls {
namespace {

constexpr FailureStage kEarly{};
constexpr FailureStage kAfterHello{.hello_parsed = true};
constexpr FailureStage kCertificate{.hello_parsed = true, .awaiting_certificate = true};

Rejection FromSsl(int reason, const FailureStage& stage = kAfterHello) {
  const uint32_t error = ERR_PACK(ERR_LIB_SSL, reason);
  return FromLibraryError({error, error}, 0, stage);
}

TEST(FailureMap, AlertsOfTheClientAreItsOwn) {
  for (int alert = 1; alert < 256; ++alert) {
    EXPECT_EQ(FromSsl(SSL_AD_REASON_OFFSET + alert), Rejection::kClientAlert) << alert;
  }
}

TEST(FailureMap, TheFirstRecordsVersionIsNoTlsAtAll) {
  EXPECT_EQ(FromSsl(SSL_R_WRONG_VERSION_NUMBER, kEarly), Rejection::kBadMessage);
  EXPECT_EQ(FromSsl(SSL_R_WRONG_VERSION_NUMBER, kAfterHello), Rejection::kProtocolVersion);
  EXPECT_EQ(FromSsl(SSL_R_UNSUPPORTED_PROTOCOL, kAfterHello), Rejection::kProtocolVersion);
}

TEST(FailureMap, NothingInCommon) {
  for (const int reason : {SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SHARED_GROUP,
                           SSL_R_NO_COMMON_SIGNATURE_ALGORITHMS, SSL_R_NO_APPLICATION_PROTOCOL}) {
    EXPECT_EQ(FromSsl(reason), Rejection::kNoSharedParameters) << reason;
  }
}

TEST(FailureMap, ProofsAndPurposes) {
  EXPECT_EQ(FromSsl(SSL_R_BAD_SIGNATURE), Rejection::kBadProof);
  EXPECT_EQ(FromSsl(SSL_R_DIGEST_CHECK_FAILED), Rejection::kBadProof);
  EXPECT_EQ(FromSsl(SSL_R_KEY_USAGE_BIT_INCORRECT), Rejection::kBadPurpose);
  EXPECT_EQ(FromSsl(SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE), Rejection::kNoCertificate);
}

TEST(FailureMap, AnExcessiveMessageIsTheChainWhenThatIsWhatWeWaitFor) {
  EXPECT_EQ(FromSsl(SSL_R_EXCESSIVE_MESSAGE_SIZE, kCertificate), Rejection::kChainTooBig);
  EXPECT_EQ(FromSsl(SSL_R_EXCESSIVE_MESSAGE_SIZE, kEarly), Rejection::kBadMessage);
}

TEST(FailureMap, KeysThatDoNotDecodeAreTheCertificatesFaultOnlyThen) {
  const uint32_t error = ERR_PACK(ERR_LIB_EVP, 100);
  EXPECT_EQ(FromLibraryError({error, error}, 0, kCertificate), Rejection::kBadCertificate);
  EXPECT_EQ(FromLibraryError({error, error}, 0, kAfterHello), Rejection::kBadMessage);
}

TEST(FailureMap, AProofThatFailsSomewhereInTheArithmeticIsABadProof) {
  const LibraryErrors errors = {ERR_PACK(ERR_LIB_EVP, 100),
                                ERR_PACK(ERR_LIB_SSL, SSL_R_BAD_SIGNATURE)};
  EXPECT_EQ(FromLibraryError(errors, SSL_AD_DECRYPT_ERROR, kAfterHello), Rejection::kBadProof);
}

TEST(FailureMap, WithoutAnErrorTheAlertTells) {
  EXPECT_EQ(FromLibraryError({}, SSL_AD_UNRECOGNIZED_NAME, kEarly), Rejection::kSniUnknown);
  EXPECT_EQ(FromLibraryError({}, SSL_AD_DECODE_ERROR, kEarly), Rejection::kBadMessage);
  EXPECT_EQ(FromLibraryError({}, 0, kEarly), Rejection::kBadMessage);
}

TEST(FailureMap, OurOwnFaultsAreInternal) {
  EXPECT_EQ(FromSsl(ERR_R_INTERNAL_ERROR), Rejection::kInternal);
  EXPECT_EQ(FromSsl(ERR_R_MALLOC_FAILURE), Rejection::kInternal);
  EXPECT_EQ(FromSsl(SSL_R_PRIVATE_KEY_OPERATION_FAILED), Rejection::kInternal);
}

TEST(FailureMap, HttpIsHttp) {
  EXPECT_EQ(FromSsl(SSL_R_HTTP_REQUEST, kEarly), Rejection::kPlainHttp);
}

}  // namespace
}  // namespace portcullis::tls
