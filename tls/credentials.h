// A server's certificate chain and private key: PEM text in, the library's objects out, checked
// against each other with errors that name the files. Control plane only; the objects belong to
// whoever asked and to one thread.
#pragma once

#include <openssl/base.h>
#include <openssl/evp.h>
#include <openssl/pool.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "tls/ocsp_response.h"
#include "tls/signing_key.h"

namespace portcullis::tls {

// A certificate chain and its key, as PEM text (leaf first). `origin` names the files, for error
// messages.
struct CredentialSpec {
  std::string chain_pem;
  std::string key_pem;
  std::string origin;
  std::string ocsp_response = {};                    // DER, to be stapled; empty: none
  std::string ocsp_origin = {};                      // its file
  KeyProvider key_provider = KeyProvider::kBuiltin;  // as chosen: see key_choice.h
  bool sign_on_helper = false;                       // likewise
};

// What a credential can sign with: decides which clients it can serve.
enum class KeyKind : uint8_t { kRsa, kEcdsaP256, kEcdsaP384, kEcdsaP521, kEd25519 };

// KeyKindName returns e.g. "RSA", "ECDSA P-256".
[[nodiscard]] std::string_view KeyKindName(KeyKind kind);

// A certificate for logs and expiry metrics.
struct CertificateInfo {
  std::string subject;  // RFC 2253
  std::string issuer;
  std::string serial_hex;  // as PeerIdentity::serial_hex
  std::string sha256_hex;  // lower case, of the DER
  std::string key_type;    // "RSA 2048", "ECDSA P-256", "Ed25519"; "unknown" for others
  std::vector<std::string> dns_names;
  int64_t not_before = 0;  // seconds since the epoch
  int64_t not_after = 0;
};

// InspectCertificatePem describes the first certificate in `pem`. InvalidArgument, naming `origin`.
absl::StatusOr<CertificateInfo> InspectCertificatePem(std::string_view pem,
                                                      std::string_view origin);

struct Credential {
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> chain;  // leaf first
  bssl::UniquePtr<EVP_PKEY> key;
  KeyKind kind = KeyKind::kRsa;
  std::optional<OcspAnswer> staple;  // what the response to be stapled says; empty without one
};

// LoadCredential parses a chain and its key. InvalidArgument when either does not parse, when the
// key is not the leaf's, when its kind cannot be used in TLS, or when the OCSP response is not the
// leaf's (tls::CheckStaple). Each call makes objects of its own: nothing is shared.
absl::StatusOr<Credential> LoadCredential(const CredentialSpec& spec);

}  // namespace portcullis::tls
