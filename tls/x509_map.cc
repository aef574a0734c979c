#include "tls/x509_map.h"

#include <openssl/x509.h>

namespace portcullis::tls {

Rejection FromX509Error(int error) {
  switch (error) {
    case X509_V_OK:
      return Rejection::kNone;

    case X509_V_ERR_CERT_HAS_EXPIRED:
      return Rejection::kExpired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return Rejection::kNotYetValid;

    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_CERT_REJECTED:
      return Rejection::kUnknownCa;

    case X509_V_ERR_CERT_REVOKED:
      return Rejection::kRevoked;
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
      return Rejection::kCrlStale;
    // A CRL that cannot be used is as good as none.
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
    case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
    case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
    case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE:
    case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
      return Rejection::kCrlMissing;

    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
      return Rejection::kBadSignature;

    case X509_V_ERR_INVALID_PURPOSE:
    case X509_V_ERR_KEYUSAGE_NO_DIGITAL_SIGNATURE:
      return Rejection::kBadPurpose;

    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
      return Rejection::kChainTooLong;

    case X509_V_ERR_OUT_OF_MEM:
    case X509_V_ERR_INVALID_CALL:
    case X509_V_ERR_STORE_LOOKUP:
    case X509_V_ERR_UNSPECIFIED:
      return Rejection::kInternal;

    case X509_V_ERR_APPLICATION_VERIFICATION:
      return Rejection::kPolicyDenied;

    default:  // Not a CA, path length, name constraints, extensions, malformed fields.
      return Rejection::kBadCertificate;
  }
}

std::string_view X509ErrorText(int error) {
  switch (error) {
    // OpenSSL 3 hyphenates where the library keeps the older spelling.
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "self-signed certificate";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return "self-signed certificate in certificate chain";
    default:
      return X509_verify_cert_error_string(error);
  }
}

int ToX509Error(Rejection reason) {
  switch (reason) {
    case Rejection::kExpired:
      return X509_V_ERR_CERT_HAS_EXPIRED;
    case Rejection::kNotYetValid:
      return X509_V_ERR_CERT_NOT_YET_VALID;
    case Rejection::kUnknownCa:
      return X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
    case Rejection::kRevoked:
      return X509_V_ERR_CERT_REVOKED;
    case Rejection::kCrlStale:
      return X509_V_ERR_CRL_HAS_EXPIRED;
    case Rejection::kCrlMissing:
      return X509_V_ERR_UNABLE_TO_GET_CRL;
    case Rejection::kBadSignature:
      return X509_V_ERR_CERT_SIGNATURE_FAILURE;
    case Rejection::kBadPurpose:
      return X509_V_ERR_INVALID_PURPOSE;
    case Rejection::kChainTooLong:
    case Rejection::kChainTooBig:
      return X509_V_ERR_CERT_CHAIN_TOO_LONG;
    case Rejection::kWeakKey:
    case Rejection::kBadCertificate:
      return X509_V_ERR_CERT_REJECTED;
    case Rejection::kOcspUnavailable:
    case Rejection::kPolicyDenied:
      return X509_V_ERR_APPLICATION_VERIFICATION;
    default:
      return X509_V_OK;
  }
}

}  // namespace portcullis::tls
