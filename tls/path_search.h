// PathSearch: proposes paths from a leaf to the anchors of a trust, the likeliest first, going back
// and trying the next issuer wherever one leads nowhere. It looks at names and key identifiers
// only; whoever runs it judges each path proposed, and tells it of signatures that do not hold.
//
// Chains are made by strangers, so the work is bounded: each certificate taken into a path counts
// against `max_nodes`, no certificate and no name with the same key comes twice in one path, and
// whoever runs it keeps an eye on signatures (kMaxSignatureChecks).
//
// Lives for one judgement, on one worker's thread.
#pragma once

#include <openssl/x509.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"

#include "tls/ca_index.h"
#include "tls/verdict.h"

namespace portcullis::tls {

// Bounds of one judgement. Honest paths need a handful of either; a trust with this many CAs of one
// name and no key identifiers is the operator's to mend.
inline constexpr size_t kMaxSearchNodes = 256;
inline constexpr size_t kMaxSignatureChecks = 64;

// In the order of preference.
enum class PathSource : uint8_t { kAnchor, kKnown, kPresented };

// A certificate and where it came from. The objects are the judgement's or the worker's.
struct PathNode {
  X509* x509 = nullptr;
  std::span<const uint8_t> der = {};
  PathSource source = PathSource::kPresented;
  uint32_t known_id = 0;                   // in the trust's index, unless kPresented
  std::optional<IssuerId> issuer_id = {};  // of one presented, where it is remembered
};

struct SearchLimits {
  size_t max_depth = 0;  // intermediates between leaf and anchor
  size_t max_nodes = kMaxSearchNodes;
  bool intermediates_as_anchors = true;
};

// Why a path ended before an anchor.
enum class DeadEnd : uint8_t {
  kNoIssuer,
  kIssuerMayNotSign,  // its key usage says so; it is the path's last certificate
  kTooLong,           // the path's last certificate is one too many
};

class PathSearch {
 public:
  using Path = std::span<const PathNode>;
  // Judges a path that ends in an anchor; true ends the search.
  using Judge = absl::FunctionRef<bool(Path)>;
  using OnDeadEnd = absl::FunctionRef<void(DeadEnd, Path)>;

  // `presented` are the certificates behind the leaf, without those that `known` has.
  PathSearch(CaObjects& known, std::span<const PathNode> presented, const SearchLimits& limits,
             int64_t now)
      : known_(known), presented_(presented), limits_(limits), now_(now) {}

  // Run returns whether `judge` was content with a path.
  [[nodiscard]] bool Run(const PathNode& leaf, Judge judge, OnDeadEnd on_dead_end);

  // Forbid tells that `child` is not signed by `issuer`: no further path has this pair.
  void Forbid(const X509* child, const X509* issuer) { forbidden_.insert({child, issuer}); }
  // Stop ends the search without success, e.g. for want of signature checks.
  void Stop() { stopped_ = true; }

  // Whether there was more to look at than the limits allow.
  [[nodiscard]] bool stopped() const { return stopped_; }
  [[nodiscard]] size_t num_nodes() const { return num_nodes_; }

 private:
  struct Candidate {
    PathNode node;
    uint32_t rank;     // lower is better
    size_t order = 0;  // among those of one rank
  };

  bool Extend(Judge judge, OnDeadEnd on_dead_end);
  bool Take(const PathNode& issuer, Judge judge, OnDeadEnd on_dead_end, bool& led_on);
  [[nodiscard]] std::vector<Candidate> Candidates(X509* child) const;
  void AddKnown(const X509_NAME* issuer_name, std::span<const uint8_t> key_id,
                std::vector<Candidate>& candidates) const;
  void AddPresented(const X509_NAME* issuer_name, std::span<const uint8_t> key_id,
                    std::vector<Candidate>& candidates) const;
  [[nodiscard]] bool InPath(const X509* certificate) const;

  CaObjects& known_;
  std::span<const PathNode> presented_;
  SearchLimits limits_;
  int64_t now_;
  std::vector<PathNode> path_;
  absl::flat_hash_set<std::pair<const X509*, const X509*>> forbidden_;
  size_t num_nodes_ = 0;
  bool stopped_ = false;
};

}  // namespace portcullis::tls
