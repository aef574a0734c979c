// CertificateFields: a certificate's encoding taken apart, for rules that ask how something was
// written rather than what it means. The library's own objects no longer say that. Borrows from
// nothing: owns the encoding that its spans point into. One thread.
#pragma once

#include <openssl/bytestring.h>
#include <openssl/x509.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "tls/der.h"

namespace portcullis::tls {

// ReadFlag reads a BOOLEAN DEFAULT FALSE. DER leaves a false one out, and true is 0xff.
[[nodiscard]] bool ReadFlag(CBS* in, bool& out);

struct ExtensionField {
  Bytes oid;  // content octets of the OBJECT IDENTIFIER
  bool critical = false;
  Bytes value;  // what extnValue wraps
};

struct TimeField {
  CBS_ASN1_TAG tag = 0;  // CBS_ASN1_UTCTIME or CBS_ASN1_GENERALIZEDTIME, or what stood there
  Bytes text;
};

// RFC 5280 4.1. Where not said otherwise, a span is what the outermost tag encloses.
struct CertificateFields {
  std::vector<uint8_t> der;
  uint64_t version = 0;  // as encoded: 2 for v3
  Bytes serial;
  Bytes inner_algorithm;  // of the tbsCertificate; tag included
  Bytes outer_algorithm;  // of the signature; tag included
  Bytes issuer;
  Bytes subject;
  TimeField not_before;
  TimeField not_after;
  Bytes key_algorithm;  // of the subjectPublicKeyInfo; tag included
  bool has_unique_id = false;
  std::vector<ExtensionField> extensions;

  // Find returns the first extension of that type; null when there is none.
  [[nodiscard]] const ExtensionField* Find(Bytes oid) const;

  CertificateFields() = default;
  CertificateFields(CertificateFields&&) = default;
  CertificateFields& operator=(CertificateFields&&) = default;
  CertificateFields(const CertificateFields&) = delete;
  CertificateFields& operator=(const CertificateFields&) = delete;
  ~CertificateFields() = default;
};

// ReadCertificateFields takes `certificate` apart; nothing when it is not DER throughout.
[[nodiscard]] std::optional<CertificateFields> ReadCertificateFields(const X509* certificate);

// The types of extensions that rules speak of: content octets of their OBJECT IDENTIFIER.
inline constexpr uint8_t kSubjectDirectoryAttributes[] = {0x55, 0x1d, 0x09};
inline constexpr uint8_t kSubjectKeyId[] = {0x55, 0x1d, 0x0e};
inline constexpr uint8_t kKeyUsage[] = {0x55, 0x1d, 0x0f};
inline constexpr uint8_t kSubjectAltName[] = {0x55, 0x1d, 0x11};
inline constexpr uint8_t kIssuerAltName[] = {0x55, 0x1d, 0x12};
inline constexpr uint8_t kBasicConstraints[] = {0x55, 0x1d, 0x13};
inline constexpr uint8_t kNameConstraints[] = {0x55, 0x1d, 0x1e};
inline constexpr uint8_t kCrlDistributionPoints[] = {0x55, 0x1d, 0x1f};
inline constexpr uint8_t kPolicyConstraints[] = {0x55, 0x1d, 0x24};
inline constexpr uint8_t kAuthorityKeyId[] = {0x55, 0x1d, 0x23};
inline constexpr uint8_t kExtendedKeyUsage[] = {0x55, 0x1d, 0x25};
inline constexpr uint8_t kFreshestCrl[] = {0x55, 0x1d, 0x2e};
inline constexpr uint8_t kInhibitAnyPolicy[] = {0x55, 0x1d, 0x36};
inline constexpr uint8_t kAuthorityInfoAccess[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01};
inline constexpr uint8_t kSubjectInfoAccess[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x0b};

}  // namespace portcullis::tls
