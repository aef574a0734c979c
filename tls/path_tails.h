// PathTails: what of the paths that were verified is the same for every client of an issuer: from
// the issuer up to the anchor. The next client of that issuer costs one signature instead of two or
// more, and its intermediates need not be parsed.
//
// What is remembered of a tail is that the library has verified it, as part of a whole path: that
// each certificate is signed by the next, and that each may be a CA for clients. All that may
// change with time or with the leaf is asked of the whole path every time, by checks of our own:
// validity, path lengths, revocation, name constraints. A tail whose certificates speak of policies
// or of names (RFC 5280 4.2.1.5, 4.2.1.10, 4.2.1.11, 4.2.1.14) is not remembered: the library shall
// see those together with each leaf.
//
// Of one ClientVerifier, whose options hold for all of it; its worker's thread only.
#pragma once

#include <openssl/x509.h>

#include <cstddef>
#include <span>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

#include "tls/path_search.h"
#include "tls/shared_bytes.h"
#include "tls/verdict.h"

namespace portcullis::tls {

class PathTails {
 public:
  // As many tails are kept, and as many presented certificates; beyond that all are forgotten.
  // Only what ends in an anchor gets here, so it is the operator's CAs who could fill it.
  static constexpr size_t kMaxTails = 256;

  // Knows tells whether `tail`, issuer first and anchor last, is remembered.
  [[nodiscard]] bool Knows(PathSearch::Path tail) const;
  // Remember notes that the library has verified `tail`, unless it is of a kind not remembered.
  void Remember(PathSearch::Path tail);

  // A presented certificate of a remembered tail.
  struct Certificate {
    bssl::UniquePtr<X509> x509;
    SharedBytes der;
    IssuerId issuer_id;  // MakeIssuerId of it
  };
  // Find returns it by the digest of its DER, or null. It lives until the next Remember().
  [[nodiscard]] const Certificate* Find(const Sha256& sha256) const;

  [[nodiscard]] size_t size() const { return tails_.size(); }

 private:
  absl::flat_hash_set<Sha256> tails_;  // digests over the certificates'
  absl::flat_hash_map<Sha256, Certificate> certificates_;
};

}  // namespace portcullis::tls
