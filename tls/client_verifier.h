// ClientVerifier: judges a client's certificate chain against one virtual host's trust. The seam
// behind which the verifier can change (library path builder today, with its own store a worker so
// that no lock is contended).
//
// TrustMaterial is immutable and shared by all workers; a ClientVerifier is one worker's own view
// of it.
#pragma once

#include <openssl/base.h>
#include <openssl/pool.h>
#include <openssl/x509.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

#include "tls/verdict.h"

namespace portcullis::tls {

// One PEM text and where it came from.
struct PemSource {
  std::string text;
  std::string origin;  // file name, for messages
};

struct CaSummary {
  std::string subject;
  std::string origin;
  int64_t not_after = 0;
  std::string oddity;  // empty, or e.g. "expired", "not a CA", "duplicate"
};

// Parsed once, off the workers. DER bytes only: each worker makes its own objects.
struct TrustMaterial {
  std::string name;
  std::vector<std::vector<uint8_t>> anchors_der;
  std::vector<std::vector<uint8_t>> crls_der;
  std::vector<CaSummary> cas;   // as loaded, for logs and expiry metrics
  int64_t crl_next_update = 0;  // earliest nextUpdate; 0 without CRLs
  uint64_t epoch = 0;           // hash over anchors and CRLs

  // Parse reads CA bundles and CRLs (PEM). A source without any usable CA is an error; oddities are
  // reported in `cas` without refusing the rest.
  static absl::StatusOr<std::shared_ptr<const TrustMaterial>> Parse(std::string name,
                                                                    std::span<const PemSource> cas,
                                                                    std::span<const PemSource> crls,
                                                                    int64_t now);
};

class ClientVerifier {
 public:
  // Create makes a verifier that allows `max_depth` intermediates between leaf and anchor and
  // `max_chain_bytes` of DER in all.
  static absl::StatusOr<std::unique_ptr<ClientVerifier>> Create(
      std::shared_ptr<const TrustMaterial> trust, uint32_t max_depth,
      size_t max_chain_bytes = SIZE_MAX);
  ~ClientVerifier();

  // Judge verifies `chain` (leaf first, as presented) at `now` (seconds since the epoch) for client
  // authentication. An empty chain gives kNoCertificate. A leaf without EKU or SAN, and a v1 leaf,
  // are acceptable; an anchor may be any certificate of the trust (partial chain). Always fills
  // Verdict::identity when the leaf parses.
  [[nodiscard]] Verdict Judge(std::span<CRYPTO_BUFFER* const> chain, int64_t now);

  // ca_names: DER subject names for CertificateRequest.
  [[nodiscard]] const std::vector<std::vector<uint8_t>>& ca_names() const { return ca_names_; }
  [[nodiscard]] const TrustMaterial& trust() const { return *trust_; }
  // Verdicts given so far by reason; read by the worker that owns this.
  [[nodiscard]] uint64_t judged() const { return judged_; }

 private:
  struct Anchor {
    bssl::UniquePtr<X509> certificate;
    int64_t not_before = 0;
    int64_t not_after = 0;
    bool may_issue = false;  // false for a pinned leaf, which vouches for nobody but itself
  };
  struct Presented;  // the client's chain, parsed

  ClientVerifier(std::shared_ptr<const TrustMaterial> trust, uint32_t max_depth,
                 size_t max_chain_bytes);

  absl::Status Load();
  [[nodiscard]] bool IsAnchorName(const X509_NAME* name) const;
  [[nodiscard]] bool ParseOthers(std::span<CRYPTO_BUFFER* const> others, int64_t now,
                                 Presented& presented) const;
  [[nodiscard]] bssl::UniquePtr<STACK_OF(X509)> Candidates(const Presented& presented,
                                                           int64_t now) const;
  void AddCandidates(X509* child, int64_t now, STACK_OF(X509) * candidates) const;
  [[nodiscard]] Verdict JudgePresented(const Presented& presented, int64_t now) const;
  static int ForgiveMissingCrl(int ok, X509_STORE_CTX* context);

  std::shared_ptr<const TrustMaterial> trust_;
  uint32_t max_depth_;
  size_t max_chain_bytes_;
  std::vector<Anchor> anchors_;
  absl::flat_hash_map<uint32_t, std::vector<size_t>> anchors_by_name_;  // by hash of the subject
  bssl::UniquePtr<X509_STORE> store_;         // all anchors: only for finding a pinned leaf
  bssl::UniquePtr<STACK_OF(X509_CRL)> crls_;  // null without CRLs
  std::vector<std::vector<uint8_t>> ca_names_;
  uint64_t judged_ = 0;
};

}  // namespace portcullis::tls
