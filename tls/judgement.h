// Judgement: one chain before one trust, from the leaf's parsed form to the path accepted or the
// nearest miss. Runs the search, and puts each path it proposes through the checks: cheapest first,
// signatures last but for what only makes sense behind them. Lives within ClientVerifier::Judge.
#pragma once

#include <openssl/x509.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tls/path_checks.h"
#include "tls/path_search.h"
#include "tls/path_tails.h"
#include "tls/trust_material.h"
#include "tls/verdict.h"
#include "tls/verifier_options.h"

namespace portcullis::tls {

class Judgement {
 public:
  // How far a path got that failed.
  enum class Standing : uint8_t {
    kNothing,
    kNoIssuer,  // nobody known or presented has issued its last certificate
    kForged,    // it ends in an anchor, but a signature does not hold
    kTooLong,
    kBound,  // the search was given up here
    kFault,  // it ends in an anchor, and something is wrong with one of its certificates
  };
  struct Attempt {
    Standing standing = Standing::kNothing;
    PathFault fault;
    std::vector<PathNode> path;
  };

  Judgement(const TrustMaterial& trust, CaObjects& known, PathTails& tails, X509_STORE* empty_store,
            const VerifierOptions& options, int64_t now)
      : trust_(trust),
        known_(known),
        tails_(tails),
        empty_store_(empty_store),
        options_(options),
        now_(now) {}

  // Accepts looks for a path from `leaf` by way of `presented`; tells whether there is one.
  [[nodiscard]] bool Accepts(const PathNode& leaf, std::span<const PathNode> presented);

  // After Accepts() said yes: the path, its links (the anchor has none), and how long it holds.
  [[nodiscard]] const std::vector<PathNode>& path() const { return path_; }
  [[nodiscard]] std::vector<PathLink>& links() { return links_; }
  [[nodiscard]] int64_t holds_until() const { return holds_until_; }
  // After it said no: the attempt that got furthest.
  [[nodiscard]] const Attempt& nearest() const { return nearest_; }

  [[nodiscard]] size_t num_nodes() const { return num_nodes_; }
  [[nodiscard]] size_t num_signature_checks() const { return num_signature_checks_; }

 private:
  bool JudgePath(PathSearch& search, PathSearch::Path path);
  [[nodiscard]] PathFault Verify(PathSearch::Path path, STACK_OF(X509) * stack, bool tail_known);
  [[nodiscard]] PathFault CheckCheaply(PathSearch::Path path, STACK_OF(X509) * stack);
  [[nodiscard]] IssuerId IssuerIdOf(const PathNode& issuer);
  [[nodiscard]] PathFault AskRevocation(PathSearch::Path path);
  void Record(Standing standing, const PathFault& fault, PathSearch::Path path);
  void RecordDeadEnd(DeadEnd why, PathSearch::Path path);
  void PreferSigned();
  void NameSelfSigned();
  [[nodiscard]] bool SignaturesHold(const std::vector<PathNode>& path);

  const TrustMaterial& trust_;
  CaObjects& known_;
  PathTails& tails_;
  X509_STORE* empty_store_;
  const VerifierOptions& options_;
  int64_t now_;
  std::vector<PathNode> path_;
  std::vector<PathLink> links_;
  int64_t holds_until_ = INT64_MAX;
  Attempt nearest_;
  std::vector<Attempt> faulty_;  // further ones of kFault, a few
  size_t num_nodes_ = 0;
  size_t num_signature_checks_ = 0;
};

}  // namespace portcullis::tls
