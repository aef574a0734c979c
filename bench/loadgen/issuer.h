// Issuer: the CA behind a generated population of clients: made in memory (a root and, under it,
// the intermediate that signs), or read from a file. It also writes what a server needs: the CA to
// trust and the CRLs.
//
// Made at start; Sign may then be called from several threads at once.
#pragma once

#include <openssl/base.h>
#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "bench/loadgen/options.h"

namespace portcullis::bench {

// A client's certificate chain, leaf first, and the leaf's key.
struct Credential {
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> chain;
  bssl::UniquePtr<EVP_PKEY> key;
};

// What a leaf shall be. Its CN is "client-<index>", or "<kind>-<index>" for a bad one.
struct LeafSpec {
  uint64_t index = 0;
  bool expired = false;  // a day ago
  bool revoked = false;  // its serial is on the CRL; indexes below kRevokedClients only
};

class Issuer {
 public:
  // So many different revoked clients there are.
  static constexpr uint64_t kRevokedClients = 16;

  // Make makes a root and an intermediate, "<name> Root" and "<name> Intermediate", valid from a
  // month ago for two years.
  static absl::StatusOr<std::unique_ptr<Issuer>> Make(const std::string& name, KeyKind kind);
  // Read takes PEM: the certificate that signs, its key, any certificates that clients are to send
  // after their own besides, and the root if it is to be known, which is not sent. `origin` names
  // the text in errors.
  static absl::StatusOr<std::unique_ptr<Issuer>> Read(const std::string& pem,
                                                      const std::string& origin, KeyKind leaf_kind);

  absl::StatusOr<Credential> Sign(const LeafSpec& leaf) const;

  // CaPem is what a server must trust: the root, or where that is not known all of the chain above
  // the clients.
  [[nodiscard]] std::string CaPem() const;
  // CrlPem lists the revoked clients; one CRL for each CA, so that all of a chain can be checked.
  absl::StatusOr<std::string> CrlPem() const;
  // IssuerPem is what Read takes, private key included.
  absl::StatusOr<std::string> IssuerPem() const;

 private:
  // A certificate with its key; a root that was read beside the signer has none.
  struct Authority {
    bssl::UniquePtr<X509> certificate;
    bssl::UniquePtr<EVP_PKEY> key;
  };

  Issuer() = default;
  absl::Status Prepare(KeyKind leaf_kind);

  KeyKind leaf_kind_ = KeyKind::kP256;
  Authority signer_;
  Authority root_;                           // certificate null: the signer, or not known
  std::vector<bssl::UniquePtr<X509>> rest_;  // sent after the leaf
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> rest_der_;
  bssl::UniquePtr<EVP_PKEY> shared_key_;  // RSA leafs share one: making each its own takes too long
};

}  // namespace portcullis::bench
