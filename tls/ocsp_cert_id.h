// OcspCertId: which certificate an OCSP responder is asked about, or speaks of (RFC 6960 4.1.1):
// hashes of its issuer's name and key, and its serial number. Any thread; immutable.
#pragma once

#include <openssl/x509.h>

#include <array>
#include <cstdint>
#include <vector>

#include "tls/der.h"

namespace portcullis::tls {

using Sha1 = std::array<uint8_t, 20>;
inline constexpr uint8_t kSha1Oid[] = {0x2b, 0x0e, 0x03, 0x02, 0x1a};  // content octets

class OcspCertId {
 public:
  // The certificate with this serial number (content octets of the INTEGER), issued by `issuer`.
  OcspCertId(const X509* issuer, Bytes serial);

  // Matches tells whether a CertID (the content of its SEQUENCE) is of this certificate. Hashes
  // other than SHA-1 and SHA-256 never match.
  [[nodiscard]] bool Matches(Bytes cert_id) const;

  // What a CertID with SHA-1 says. It only names; nothing rests on its strength.
  [[nodiscard]] const Sha1& name_sha1() const { return name_sha1_; }
  [[nodiscard]] const Sha1& key_sha1() const { return key_sha1_; }
  [[nodiscard]] Bytes serial() const { return serial_; }

 private:
  Sha1 name_sha1_{};
  Sha1 key_sha1_{};
  std::array<uint8_t, 32> name_sha256_{};
  std::array<uint8_t, 32> key_sha256_{};
  std::vector<uint8_t> serial_;
};

// KeySha1 hashes the public key of a certificate as OCSP does (RFC 6960 4.2.1): the bits of its BIT
// STRING.
[[nodiscard]] Sha1 KeySha1(const X509* certificate);

}  // namespace portcullis::tls
