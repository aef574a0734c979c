// ClientVerifier: judges a client's certificate chain against one trust, under one set of options.
//
// A search of our own (path_search.h) proposes paths; each that ends in an anchor goes through our
// checks, cheapest first, and then through BoringSSL's X509_verify_cert, given that path and
// nothing else; both must accept. Not the library's path builder, because it takes the first issuer
// that fits by name and never goes back: a namesake, an expired twin or a cross-certificate that
// leads elsewhere refuses a client who has a good path; it locks the store it looks in; and it
// knows one error where an operator wants the nearest miss. Not our own verification alone, because
// what RFC 5280 asks of extensions, policies and names is long, and the library's reading of it is
// tried by many. The price is small: with one candidate at each step, as usual, signatures are
// verified once.
//
// One worker's own, shared by all its virtual hosts with the same trust and options; that worker's
// thread only. The TrustMaterial behind it is immutable and shared by all workers.
#pragma once

#include <openssl/base.h>
#include <openssl/pool.h>
#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "tls/ca_index.h"
#include "tls/path_report.h"
#include "tls/path_tails.h"
#include "tls/trust_material.h"
#include "tls/verdict.h"
#include "tls/verifier_options.h"

namespace portcullis::tls {

class ClientVerifier {
 public:
  // Create makes a verifier. Certificates are parsed when first met, so that its cost does not grow
  // with the number of CAs but for their names. InvalidArgument when `options` leave no anchor.
  static absl::StatusOr<std::unique_ptr<ClientVerifier>> Create(
      std::shared_ptr<const TrustMaterial> trust, const VerifierOptions& options);
  ~ClientVerifier();

  // Judge verifies `chain` (leaf first, as presented) at `now` (seconds since the epoch) for client
  // authentication (RFC 5280 section 6). An empty chain gives kNoCertificate. Under kCompatible a
  // leaf without EKU or SAN, and a v1 leaf, are acceptable; an anchor may be any certificate of the
  // trust (partial chain), and a leaf that is one itself is pinned. Fills Verdict::identity when
  // the leaf parses, with path and anchor when it is accepted. When every path fails, the reason is
  // that of the one that got furthest; kChainTooLong, with a detail, when the bounds of the search
  // (path_search.h) were met before anything better was known. `report`, unless null, is filled.
  [[nodiscard]] Verdict Judge(std::span<CRYPTO_BUFFER* const> chain, int64_t now,
                              PathReport* report = nullptr);

  // Recheck asks whether an identity that this trust, or an earlier one, has accepted still holds
  // at `now`: validity of every link and of the anchor, the anchor still one, what the trust lent
  // to the path still known, revocation. No signatures, O(length of the path): for cache hits,
  // resumptions and live connections. Under other options() than the path was judged by, judge
  // again instead.
  [[nodiscard]] Verdict Recheck(std::shared_ptr<const PeerIdentity> identity, int64_t now) const;

  // HasNoPathFor tells for certain, from names alone, that no path leads from an identity to this
  // trust: for asking thousands of clients at once whose CA is gone. False leaves it open.
  [[nodiscard]] bool HasNoPathFor(const PeerIdentity& identity) const;

  // epoch: hash over the trust's certificates and the options that shape a path, equal in every
  // process given the same ones. Not over CRLs: Recheck asks them.
  [[nodiscard]] uint64_t epoch() const { return epoch_; }

  // ca_names: DER subject names of the anchors, for CertificateRequest; each once, in the bundle's
  // order. They are the trust's.
  [[nodiscard]] const std::vector<std::span<const uint8_t>>& ca_names() const { return ca_names_; }
  [[nodiscard]] const TrustMaterial& trust() const { return *trust_; }
  [[nodiscard]] const VerifierOptions& options() const { return options_; }
  // judged: how many verdicts Judge has given.
  [[nodiscard]] uint64_t judged() const { return judged_; }
  // num_parsed: how many of the trust's certificates have been met so far.
  [[nodiscard]] size_t num_parsed() const { return known_.num_parsed(); }

 private:
  ClientVerifier(std::shared_ptr<const TrustMaterial> trust, const VerifierOptions& options);

  [[nodiscard]] bool IsAnchor(const KnownCa& ca) const;
  void JudgeLeaf(X509* leaf, std::span<CRYPTO_BUFFER* const> chain, int64_t now,
                 PeerIdentity& identity, Verdict& verdict, PathReport* report);

  std::shared_ptr<const TrustMaterial> trust_;
  VerifierOptions options_;
  CaObjects known_;
  PathTails tails_;
  bssl::UniquePtr<X509_STORE> empty_store_;  // what the library wants to look in besides the path
  std::vector<std::span<const uint8_t>> ca_names_;
  uint64_t epoch_ = 0;
  uint64_t judged_ = 0;
};

}  // namespace portcullis::tls
