#include "tls/path_checks.h"

#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/x509v3.h>

#include <cstdint>

#include "tls/boringssl_compat.h"
#include "tls/x509_map.h"

namespace portcullis::tls {
namespace {

constexpr int kMinRsaBits = 2048;
constexpr int kMinEcBits = 224;

bool IsWeakKey(X509* certificate) {
  const bssl::UniquePtr<EVP_PKEY> key = compat::PublicKey(certificate);
  if (key == nullptr) return false;  // The verification itself has an opinion on this.
  switch (EVP_PKEY_id(key.get())) {
    case EVP_PKEY_RSA:
      return EVP_PKEY_bits(key.get()) < kMinRsaBits;
    case EVP_PKEY_EC:
      return EVP_PKEY_bits(key.get()) < kMinEcBits;
    case EVP_PKEY_ED25519:
      return false;
    default:
      return true;
  }
}

}  // namespace

bool IsWeakSignature(const X509* certificate) {
  switch (X509_get_signature_nid(certificate)) {
    case NID_md2WithRSAEncryption:
    case NID_md4WithRSAEncryption:
    case NID_md5WithRSAEncryption:
    case NID_md5WithRSA:
    case NID_sha1WithRSAEncryption:
    case NID_sha1WithRSA:
    case NID_ecdsa_with_SHA1:
    case NID_dsaWithSHA1:
    case NID_dsaWithSHA1_2:
      return true;
    default:
      return false;
  }
}

bool MayIssue(X509* anchor) {
  if (X509_check_ca(anchor) != 0) return true;
  const uint32_t flags = X509_get_extension_flags(anchor);
  return (flags & EXFLAG_SS) != 0 && (flags & EXFLAG_BCONS) == 0 &&
         (X509_get_key_usage(anchor) & X509v3_KU_KEY_CERT_SIGN) != 0;
}

PathFault CheckPath(const STACK_OF(X509) * path) {
  const size_t length = sk_X509_num(path);
  if (length == 0) return {Rejection::kInternal, X509_V_ERR_INVALID_CALL, 0};
  const size_t anchor = length - 1;
  for (size_t i = 0; i < length; ++i) {
    X509* const certificate = sk_X509_value(path, i);
    if ((i != anchor && IsWeakSignature(certificate)) || IsWeakKey(certificate)) {
      return {Rejection::kWeakKey, ToX509Error(Rejection::kWeakKey), i};
    }
  }
  int64_t num_intermediates = 0;  // Self-issued ones do not count: RFC 5280 4.2.1.9.
  for (size_t i = 1; i < anchor; ++i) {
    if ((X509_get_extension_flags(sk_X509_value(path, i)) & EXFLAG_SI) == 0) ++num_intermediates;
  }
  const int64_t bound = X509_get_pathlen(sk_X509_value(path, anchor));
  if (bound >= 0 && num_intermediates > bound) {
    return {Rejection::kBadCertificate, X509_V_ERR_PATH_LENGTH_EXCEEDED, anchor};
  }
  return {};
}

}  // namespace portcullis::tls
