#include "tls/path_checks.h"

#include <openssl/bytestring.h>
#include <openssl/nid.h>
#include <openssl/obj.h>
#include <openssl/x509v3.h>

#include <bit>
#include <cstdint>
#include <span>

#include "tls/x509_map.h"

namespace portcullis::tls {
namespace {

constexpr size_t kMinRsaBits = 2048;

// Bits of the modulus of an RSAPublicKey (RFC 8017 A.1.1); as if enough when it does not decode.
size_t RsaBits(std::span<const uint8_t> key) {
  CBS encoded;
  CBS sequence;
  CBS modulus;
  CBS_init(&encoded, key.data(), key.size());
  if (CBS_get_asn1(&encoded, &sequence, CBS_ASN1_SEQUENCE) != 1 ||
      CBS_get_asn1(&sequence, &modulus, CBS_ASN1_INTEGER) != 1) {
    return kMinRsaBits;
  }
  while (CBS_len(&modulus) > 0 && CBS_data(&modulus)[0] == 0) CBS_skip(&modulus, 1);
  if (CBS_len(&modulus) == 0) return 0;
  return 8 * CBS_len(&modulus) - static_cast<size_t>(std::countl_zero(CBS_data(&modulus)[0]));
}

PathFault Fault(Rejection reason, int x509_error, std::string_view detail = {}) {
  return {.reason = reason, .x509_error = x509_error, .depth = 0, .detail = detail};
}

PathFault CheckValidity(const X509* certificate, int64_t now) {
  int64_t not_before = 0;
  int64_t not_after = 0;
  if (ASN1_TIME_to_posix(X509_get0_notBefore(certificate), &not_before) != 1) {
    return Fault(Rejection::kBadCertificate, X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD);
  }
  if (ASN1_TIME_to_posix(X509_get0_notAfter(certificate), &not_after) != 1) {
    return Fault(Rejection::kBadCertificate, X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD);
  }
  if (now < not_before) return Fault(Rejection::kNotYetValid, X509_V_ERR_CERT_NOT_YET_VALID);
  if (now > not_after) return Fault(Rejection::kExpired, X509_V_ERR_CERT_HAS_EXPIRED);
  return {};
}

bool ServesClients(X509* certificate, PathRole role) {
  switch (role) {
    case PathRole::kLeaf:
    case PathRole::kPinned:
      return X509_check_purpose(certificate, X509_PURPOSE_SSL_CLIENT, 0) == 1;
    case PathRole::kIntermediate:
      return X509_check_purpose(certificate, X509_PURPOSE_SSL_CLIENT, 1) == 1;
    case PathRole::kAnchor:
      break;
  }
  // All bits are set where nothing is said.
  return (X509_get_extended_key_usage(certificate) & (XKU_SSL_CLIENT | XKU_ANYEKU)) != 0;
}

PathRole RoleOf(size_t depth, size_t length) {
  if (length == 1) return PathRole::kPinned;
  if (depth == 0) return PathRole::kLeaf;
  return depth + 1 == length ? PathRole::kAnchor : PathRole::kIntermediate;
}

// RFC 5280 4.2.1.9, and 6.1.4 (l): self-issued ones do not count.
PathFault CheckPathLengths(const STACK_OF(X509) * path) {
  int64_t num_below = 0;
  for (size_t i = 1; i < sk_X509_num(path); ++i) {
    X509* const ca = sk_X509_value(path, i);
    const int64_t bound = X509_get_pathlen(ca);
    if (bound >= 0 && num_below > bound) {
      return {Rejection::kBadCertificate, X509_V_ERR_PATH_LENGTH_EXCEEDED, i, {}};
    }
    if ((X509_get_extension_flags(ca) & EXFLAG_SI) == 0) ++num_below;
  }
  return {};
}

}  // namespace

bool IsWeakKey(X509* certificate) {
  // The key is measured as it is encoded: to decode it is dear, and done under a lock of the whole
  // process by some releases of the library.
  ASN1_OBJECT* algorithm = nullptr;
  const uint8_t* key = nullptr;
  int size = 0;
  if (X509_PUBKEY_get0_param(&algorithm, &key, &size, nullptr, X509_get_X509_PUBKEY(certificate)) !=
      1) {
    return false;
  }
  switch (OBJ_obj2nid(algorithm)) {
    case NID_rsaEncryption:
      return RsaBits({key, static_cast<size_t>(size)}) < kMinRsaBits;
    case NID_dsa:
    case NID_X25519:
      return true;
    default:  // The library's curves all have 224 bits and more.
      return false;
  }
}

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

bool SaysSelfSigned(X509* certificate) {
  // The flag stands only where the identifiers, if both are there, are equal.
  return (X509_get_extension_flags(certificate) & EXFLAG_SS) != 0 &&
         X509_get0_subject_key_id(certificate) != nullptr &&
         X509_get0_authority_key_id(certificate) != nullptr;
}

bool MayIssue(X509* anchor) {
  if (X509_check_ca(anchor) != 0) return true;
  const uint32_t flags = X509_get_extension_flags(anchor);
  return (flags & EXFLAG_SS) != 0 && (flags & EXFLAG_BCONS) == 0 &&
         (X509_get_key_usage(anchor) & X509v3_KU_KEY_CERT_SIGN) != 0;
}

PathFault CheckCertificate(X509* certificate, PathRole role, int64_t now) {
  const uint32_t flags = X509_get_extension_flags(certificate);
  const bool is_anchor = role == PathRole::kAnchor || role == PathRole::kPinned;
  if ((flags & EXFLAG_INVALID) != 0) {
    return Fault(Rejection::kBadCertificate, X509_V_ERR_INVALID_EXTENSION);
  }
  if (const PathFault fault = CheckValidity(certificate, now); fault.reason != Rejection::kNone) {
    return fault;
  }
  if (!is_anchor && (flags & EXFLAG_CRITICAL) != 0) {
    return Fault(Rejection::kBadCertificate, X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION);
  }
  // A v1 certificate that looks self-signed is a CA to the library; between others it must say so.
  if (role == PathRole::kIntermediate &&
      (X509_check_ca(certificate) == 0 || (flags & EXFLAG_BCONS) == 0)) {
    return Fault(Rejection::kBadCertificate, X509_V_ERR_INVALID_CA);
  }
  if (!ServesClients(certificate, role)) {
    return Fault(Rejection::kBadPurpose, X509_V_ERR_INVALID_PURPOSE);
  }
  if (!is_anchor && IsWeakSignature(certificate)) {
    return Fault(Rejection::kWeakKey, ToX509Error(Rejection::kWeakKey), "signature algorithm");
  }
  if (IsWeakKey(certificate)) {
    return Fault(Rejection::kWeakKey, ToX509Error(Rejection::kWeakKey), "key");
  }
  return {};
}

PathFault CheckPath(const STACK_OF(X509) * path, int64_t now) {
  const size_t length = sk_X509_num(path);
  if (length == 0) return Fault(Rejection::kInternal, X509_V_ERR_INVALID_CALL);
  for (size_t i = 0; i < length; ++i) {
    PathFault fault = CheckCertificate(sk_X509_value(path, i), RoleOf(i, length), now);
    if (fault.reason == Rejection::kNone) continue;
    fault.depth = i;
    return fault;
  }
  return CheckPathLengths(path);
}

}  // namespace portcullis::tls
