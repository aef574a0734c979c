#include "tls/path_search.h"

#include <openssl/x509v3.h>

#include <algorithm>

#include "tls/boringssl_compat.h"
#include "tls/identity.h"
#include "tls/path_checks.h"

namespace portcullis::tls {
namespace {

std::span<const uint8_t> BytesOf(const ASN1_STRING* string) {
  if (string == nullptr) return {};
  return {ASN1_STRING_get0_data(string), static_cast<size_t>(ASN1_STRING_length(string))};
}

// Outdated ones last of all; then those whose key identifier is not known to fit; then by source.
uint32_t RankOf(bool is_valid, bool key_id_fits, PathSource source) {
  return (is_valid ? 0U : 8U) + (key_id_fits ? 0U : 4U) + static_cast<uint32_t>(source);
}

bool SameNameAndKey(const X509* a, const X509* b) {
  if (X509_NAME_cmp(X509_get_subject_name(a), X509_get_subject_name(b)) != 0) return false;
  const auto key_a = BytesOf(X509_get0_pubkey_bitstr(a));
  const auto key_b = BytesOf(X509_get0_pubkey_bitstr(b));
  return std::equal(key_a.begin(), key_a.end(), key_b.begin(), key_b.end());
}

}  // namespace

bool PathSearch::Run(const PathNode& leaf, Judge judge, OnDeadEnd on_dead_end) {
  path_.assign(1, leaf);
  return leaf.source == PathSource::kAnchor ? judge(path_) : Extend(judge, on_dead_end);
}

bool PathSearch::Extend(Judge judge, OnDeadEnd on_dead_end) {
  X509* const child = path_.back().x509;
  bool led_on = false;
  // Nobody else has issued a self-signed certificate. A leaf that only looks like one has no issuer
  // either, for the library. A CA that does may have: whether it has, signatures tell.
  const bool is_leaf = path_.size() == 1;
  const bool is_alone =
      is_leaf ? (X509_get_extension_flags(child) & EXFLAG_SS) != 0 : SaysSelfSigned(child);
  if (!is_alone) {
    for (Candidate& candidate : Candidates(child)) {
      if (candidate.node.source != PathSource::kPresented) {
        candidate.node.x509 = known_.Get(candidate.node.known_id);
        candidate.node.der = known_.index().at(candidate.node.known_id).der;
      }
      if (InPath(candidate.node.x509) || forbidden_.contains({child, candidate.node.x509})) {
        continue;
      }
      if (num_nodes_ == limits_.max_nodes) Stop();
      if (stopped_) return false;
      ++num_nodes_;
      if (Take(candidate.node, judge, on_dead_end, led_on)) return true;
      if (stopped_) return false;
    }
  }
  if (!led_on) on_dead_end(DeadEnd::kNoIssuer, path_);
  return false;
}

// Takes `issuer` as the next of the path, and goes on from there. `led_on`: it was one.
bool PathSearch::Take(const PathNode& issuer, Judge judge, OnDeadEnd on_dead_end, bool& led_on) {
  X509* const child = path_.back().x509;
  const int error = X509_check_issued(issuer.x509, child);
  if (error != X509_V_OK && error != X509_V_ERR_KEYUSAGE_NO_CERTSIGN) return false;
  led_on = true;
  const bool is_anchor = issuer.source == PathSource::kAnchor;
  const bool too_long = !is_anchor && path_.size() > limits_.max_depth;
  path_.push_back(issuer);
  bool done = false;
  if (error != X509_V_OK) {
    on_dead_end(DeadEnd::kIssuerMayNotSign, path_);
  } else if (too_long) {
    on_dead_end(DeadEnd::kTooLong, path_);
  } else {
    done = is_anchor ? judge(path_) : Extend(judge, on_dead_end);
  }
  path_.pop_back();
  return done;
}

std::vector<PathSearch::Candidate> PathSearch::Candidates(X509* child) const {
  std::vector<Candidate> candidates;
  const X509_NAME* const issuer_name = X509_get_issuer_name(child);
  const std::span<const uint8_t> key_id = BytesOf(X509_get0_authority_key_id(child));
  AddKnown(issuer_name, key_id, candidates);
  AddPresented(issuer_name, key_id, candidates);
  // Those of one rank stay in order: the bundle's, and the client's.
  for (size_t i = 0; i < candidates.size(); ++i) candidates[i].order = i;
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::pair(a.rank, a.order) < std::pair(b.rank, b.order);
  });
  return candidates;
}

void PathSearch::AddKnown(const X509_NAME* issuer_name, std::span<const uint8_t> key_id,
                          std::vector<Candidate>& candidates) const {
  std::vector<uint32_t> ids;
  known_.index().AppendIssuers(compat::NameHash(issuer_name), key_id, ids);
  for (const uint32_t id : ids) {
    const KnownCa& ca = known_.index().at(id);
    if (!ca.may_issue) continue;
    const bool is_anchor = ca.in_bundle && (ca.is_self_signed || limits_.intermediates_as_anchors);
    const PathSource source = is_anchor ? PathSource::kAnchor : PathSource::kKnown;
    const bool is_valid = ca.not_before <= now_ && now_ <= ca.not_after;
    const bool fits = !key_id.empty() && !ca.key_id.empty();
    candidates.push_back(
        {.node = {.source = source, .known_id = id}, .rank = RankOf(is_valid, fits, source)});
  }
}

void PathSearch::AddPresented(const X509_NAME* issuer_name, std::span<const uint8_t> key_id,
                              std::vector<Candidate>& candidates) const {
  for (const PathNode& node : presented_) {
    if (X509_NAME_cmp(X509_get_subject_name(node.x509), issuer_name) != 0) continue;
    const std::span<const uint8_t> own = BytesOf(X509_get0_subject_key_id(node.x509));
    const bool both = !key_id.empty() && !own.empty();
    if (both && !std::equal(own.begin(), own.end(), key_id.begin(), key_id.end())) continue;
    const bool is_valid = TimeValue(X509_get0_notBefore(node.x509), INT64_MAX) <= now_ &&
                          now_ <= TimeValue(X509_get0_notAfter(node.x509), INT64_MIN);
    candidates.push_back({.node = node, .rank = RankOf(is_valid, both, PathSource::kPresented)});
  }
}

bool PathSearch::InPath(const X509* certificate) const {
  return std::any_of(path_.begin(), path_.end(), [certificate](const PathNode& node) {
    return node.x509 == certificate || SameNameAndKey(node.x509, certificate);
  });
}

}  // namespace portcullis::tls
