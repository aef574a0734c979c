// Certificates, keys and CRLs made with the library: the mechanics below Issuer. Null results mean
// that the library failed, with its reason in its error queue. Free functions; no state.
#pragma once

#include <openssl/base.h>
#include <openssl/x509.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "bench/loadgen/options.h"

namespace portcullis::bench {

using Serial = std::array<uint8_t, 16>;

// RandomSerial never returns one that RevokedSerial does.
[[nodiscard]] Serial RandomSerial();
[[nodiscard]] Serial RevokedSerial(uint64_t index);

[[nodiscard]] bssl::UniquePtr<EVP_PKEY> MakeKey(KeyKind kind);

struct CertificateSpec {
  std::string common_name;
  Serial serial{};
  int64_t not_before = 0;  // seconds since 1970
  int64_t not_after = 0;
  bool is_ca = false;  // or a client
};

// MakeCertificate certifies `key` (its public half), signed by `issuer` with `issuer_key`; by
// itself when `issuer` is null.
[[nodiscard]] bssl::UniquePtr<X509> MakeCertificate(const CertificateSpec& spec, EVP_PKEY* key,
                                                    X509* issuer, EVP_PKEY* issuer_key);

// MakeCrl makes a CRL from a month ago, good for a year from `now`.
[[nodiscard]] bssl::UniquePtr<X509_CRL> MakeCrl(X509* issuer, EVP_PKEY* issuer_key,
                                                std::span<const Serial> revoked, int64_t now);

[[nodiscard]] bssl::UniquePtr<CRYPTO_BUFFER> ToBuffer(X509* certificate);
[[nodiscard]] std::string ToPem(X509* certificate);
[[nodiscard]] std::string ToPem(X509_CRL* crl);
[[nodiscard]] std::string ToPem(EVP_PKEY* key);

}  // namespace portcullis::bench
