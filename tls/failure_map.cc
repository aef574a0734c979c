#include "tls/failure_map.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace portcullis::tls {
namespace {

Rejection FromAlert(uint8_t alert) {
  switch (alert) {
    case SSL_AD_UNRECOGNIZED_NAME:
      return Rejection::kSniUnknown;
    case SSL_AD_PROTOCOL_VERSION:
      return Rejection::kProtocolVersion;
    case SSL_AD_INTERNAL_ERROR:
      return Rejection::kInternal;
    default:
      return Rejection::kBadMessage;
  }
}

Rejection FromSslReason(int reason, const FailureStage& stage) {
  if (reason >= SSL_AD_REASON_OFFSET) return Rejection::kClientAlert;
  switch (reason) {
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
      return Rejection::kPlainHttp;

    // Of the first record it says "no TLS at all"; a version is only negotiated in a ClientHello.
    case SSL_R_WRONG_VERSION_NUMBER:
      return stage.hello_parsed ? Rejection::kProtocolVersion : Rejection::kBadMessage;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_INAPPROPRIATE_FALLBACK:
    case SSL_R_UNKNOWN_SSL_VERSION:
    case SSL_R_WRONG_SSL_VERSION:
      return Rejection::kProtocolVersion;

    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SHARED_GROUP:
    case SSL_R_NO_COMMON_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_APPLICATION_PROTOCOL:
    case SSL_R_WRONG_SIGNATURE_TYPE:
    case SSL_R_WRONG_CURVE:
    case SSL_R_NO_CIPHERS_SPECIFIED:
      return Rejection::kNoSharedParameters;

    case SSL_R_BAD_SIGNATURE:
    case SSL_R_DIGEST_CHECK_FAILED:
      return Rejection::kBadProof;

    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return Rejection::kNoCertificate;
    case SSL_R_EXCESSIVE_MESSAGE_SIZE:
      return stage.awaiting_certificate ? Rejection::kChainTooBig : Rejection::kBadMessage;
    case SSL_R_KEY_USAGE_BIT_INCORRECT:
      return Rejection::kBadPurpose;
    case SSL_R_CANNOT_PARSE_LEAF_CERT:
    case SSL_R_UNKNOWN_CERTIFICATE_TYPE:
    case SSL_R_PEER_ERROR_UNSUPPORTED_CERTIFICATE_TYPE:
    case SSL_R_BAD_ECC_CERT:
    case SSL_R_ECC_CERT_NOT_FOR_SIGNING:
    case SSL_R_WRONG_CERTIFICATE_TYPE:
      return Rejection::kBadCertificate;

    case SSL_R_TICKET_ENCRYPTION_FAILED:
    case SSL_R_PRIVATE_KEY_OPERATION_FAILED:
    case SSL_R_NO_CERTIFICATE_SET:
    case SSL_R_CERT_CB_ERROR:
    case ERR_R_INTERNAL_ERROR:
    case ERR_R_MALLOC_FAILURE:
    case ERR_R_OVERFLOW:
      return Rejection::kInternal;

    default:
      return Rejection::kBadMessage;
  }
}

}  // namespace

Rejection FromLibraryError(const LibraryErrors& errors, uint8_t alert_sent,
                           const FailureStage& stage) {
  if (errors.first == 0) return FromAlert(alert_sent);
  // The arithmetic of a signature fails before the handshake says that this was a proof.
  if (errors.last == ERR_PACK(ERR_LIB_SSL, SSL_R_BAD_SIGNATURE)) return Rejection::kBadProof;
  switch (ERR_GET_LIB(errors.first)) {
    case ERR_LIB_SSL:
      return FromSslReason(ERR_GET_REASON(errors.first), stage);
    // The key in the client's leaf, which the library decodes before it asks for a verdict.
    case ERR_LIB_EVP:
    case ERR_LIB_EC:
    case ERR_LIB_RSA:
    case ERR_LIB_ASN1:
    case ERR_LIB_X509:
      return stage.awaiting_certificate ? Rejection::kBadCertificate : Rejection::kBadMessage;
    case ERR_LIB_SYS:
      return Rejection::kInternal;
    default:
      return Rejection::kBadMessage;
  }
}

}  // namespace portcullis::tls
