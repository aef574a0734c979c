#include "tls/judgement.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

#include "tls/boringssl_compat.h"
#include "tls/check.h"
#include "tls/identity.h"
#include "tls/issuer_id.h"
#include "tls/library_verify.h"
#include "tls/name_constraints.h"
#include "tls/path_link.h"
#include "tls/revocation_index.h"
#include "tls/strict_profile.h"
#include "tls/x509_map.h"

namespace portcullis::tls {
namespace {

// How many faulty paths are remembered, to tell in the end which of them was really signed.
constexpr size_t kMaxFaulty = 4;

bssl::UniquePtr<STACK_OF(X509)> StackOf(PathSearch::Path path) {
  bssl::UniquePtr<STACK_OF(X509)> stack(sk_X509_new_null());
  for (const PathNode& node : path) {
    TLS_CHECK(bssl::PushToStack(stack.get(), bssl::UpRef(node.x509)));
  }
  return stack;
}

int NoIssuerError(PathSearch::Path path) {
  const bool is_self_signed = (X509_get_extension_flags(path.back().x509) & EXFLAG_SS) != 0;
  if (!is_self_signed) return X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
  return path.size() == 1 ? X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT
                          : X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN;
}

}  // namespace

bool Judgement::Accepts(const PathNode& leaf, std::span<const PathNode> presented) {
  const bool is_pinned = leaf.source == PathSource::kAnchor;
  const PathFault fault =
      CheckCertificate(leaf.x509, is_pinned ? PathRole::kPinned : PathRole::kLeaf, now_);
  if (fault.reason != Rejection::kNone) {
    Record(Standing::kFault, fault, std::span(&leaf, 1));
    return false;
  }
  const SearchLimits limits{.max_depth = options_.max_depth,
                            .intermediates_as_anchors = options_.intermediates_as_anchors};
  PathSearch search(known_, presented, limits, now_);
  const bool accepted = search.Run(
      leaf, [&](PathSearch::Path path) { return JudgePath(search, path); },
      [&](DeadEnd why, PathSearch::Path path) { RecordDeadEnd(why, path); });
  num_nodes_ = search.num_nodes();
  if (!accepted) {
    if (search.stopped()) {
      const PathFault bound{Rejection::kChainTooLong, X509_V_ERR_CERT_CHAIN_TOO_LONG, 0,
                            "the search for a path met its bound"};
      Record(Standing::kBound, bound, std::span(&leaf, 1));
    }
    PreferSigned();
    NameSelfSigned();
  }
  ERR_clear_error();
  return accepted;
}

bool Judgement::JudgePath(PathSearch& search, PathSearch::Path path) {
  const bssl::UniquePtr<STACK_OF(X509)> stack = StackOf(path);
  PathFault fault = CheckCheaply(path, stack.get());
  if (fault.reason == Rejection::kNone) {
    const bool tail_known = path.size() > 2 && tails_.Knows(path.subspan(1));
    const size_t num_signatures = tail_known ? 1 : path.size() - 1;
    if (num_signature_checks_ + num_signatures > kMaxSignatureChecks) {
      search.Stop();
      return false;
    }
    fault = Verify(path, stack.get(), tail_known);
    const bool forged = fault.reason == Rejection::kBadSignature && fault.depth < num_signatures;
    num_signature_checks_ += num_signatures - (forged ? fault.depth : 0);
    if (forged) {
      search.Forbid(path[fault.depth].x509, path[fault.depth + 1].x509);
      Record(Standing::kForged, fault, path);
      return false;
    }
  }
  if (fault.reason == Rejection::kNone) fault = CheckNameConstraints(stack.get());
  if (fault.reason == Rejection::kNone && options_.profile == Profile::kStrict) {
    fault = CheckStrict(stack.get());
  }
  if (fault.reason != Rejection::kNone) {
    Record(Standing::kFault, fault, path);
    return false;
  }
  path_.assign(path.begin(), path.end());
  return true;
}

// Where the tail is known, the library is asked about the leaf alone, with its issuer as the
// anchor.
PathFault Judgement::Verify(PathSearch::Path path, STACK_OF(X509) * stack, bool tail_known) {
  if (tail_known) return VerifyPath(empty_store_, StackOf(path.first(2)).get(), now_);
  PathFault fault = VerifyPath(empty_store_, stack, now_);
  if (fault.reason == Rejection::kNone && path.size() > 2) tails_.Remember(path.subspan(1));
  return fault;
}

PathFault Judgement::CheckCheaply(PathSearch::Path path, STACK_OF(X509) * stack) {
  PathFault fault = CheckPath(stack, now_);
  if (fault.reason != Rejection::kNone) return fault;
  return AskRevocation(path);
}

IssuerId Judgement::IssuerIdOf(const PathNode& issuer) {
  if (issuer.source != PathSource::kPresented) return known_.IssuerIdOf(issuer.known_id);
  return issuer.issuer_id.has_value() ? *issuer.issuer_id : MakeIssuerId(issuer.x509);
}

// Leaves links and the time they hold behind.
PathFault Judgement::AskRevocation(PathSearch::Path path) {
  links_.clear();
  holds_until_ = TimeValue(X509_get0_notAfter(path.back().x509), INT64_MIN);
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    links_.push_back(MakeLink(path[i].x509, IssuerIdOf(path[i + 1])));
  }
  const LinksAnswer answer = AskOfLinks(links_, *trust_.revocation, trust_.revocation_spec, now_);
  holds_until_ = std::min(holds_until_, answer.holds_until);
  if (answer.rejection == Rejection::kNone) return {};
  return {answer.rejection, ToX509Error(answer.rejection), answer.depth, {}};
}

void Judgement::Record(Standing standing, const PathFault& fault, PathSearch::Path path) {
  const bool is_further = standing > nearest_.standing ||
                          (standing == nearest_.standing && standing != Standing::kFault &&
                           path.size() > nearest_.path.size());
  if (!is_further && (standing != Standing::kFault || faulty_.size() == kMaxFaulty)) return;
  Attempt attempt{.standing = standing, .fault = fault, .path = {path.begin(), path.end()}};
  if (is_further) {
    nearest_ = std::move(attempt);
  } else {
    faulty_.push_back(std::move(attempt));
  }
}

void Judgement::RecordDeadEnd(DeadEnd why, PathSearch::Path path) {
  const size_t last = path.size() - 1;
  switch (why) {
    case DeadEnd::kNoIssuer:
      Record(Standing::kNoIssuer, {Rejection::kUnknownCa, NoIssuerError(path), last, {}}, path);
      break;
    case DeadEnd::kIssuerMayNotSign:
      Record(Standing::kNoIssuer,
             {Rejection::kBadCertificate, X509_V_ERR_KEYUSAGE_NO_CERTSIGN, last, {}}, path);
      break;
    case DeadEnd::kTooLong:
      Record(Standing::kTooLong,
             {Rejection::kChainTooLong, X509_V_ERR_CERT_CHAIN_TOO_LONG, last, {}}, path);
      break;
  }
}

// Several paths failed before their signatures were looked at: the one that was really signed is
// the one to tell of.
void Judgement::PreferSigned() {
  if (nearest_.standing != Standing::kFault || faulty_.empty() || SignaturesHold(nearest_.path)) {
    return;
  }
  for (Attempt& attempt : faulty_) {
    if (!SignaturesHold(attempt.path)) continue;
    nearest_ = std::move(attempt);
    return;
  }
}

// Whether the certificate that nobody has issued is self-signed, the library only guesses.
void Judgement::NameSelfSigned() {
  if (nearest_.standing != Standing::kNoIssuer || nearest_.fault.reason != Rejection::kUnknownCa) {
    return;
  }
  const PathNode& last = nearest_.path.back();
  if ((X509_get_extension_flags(last.x509) & EXFLAG_SS) == 0 || SignaturesHold({last, last})) {
    return;
  }
  nearest_.fault.x509_error = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
}

bool Judgement::SignaturesHold(const std::vector<PathNode>& path) {
  for (size_t i = path.size() - 1; i-- > 0;) {
    if (num_signature_checks_ == kMaxSignatureChecks) return false;
    ++num_signature_checks_;
    const bssl::UniquePtr<EVP_PKEY> key = compat::PublicKey(path[i + 1].x509);
    if (key == nullptr || X509_verify(path[i].x509, key.get()) != 1) return false;
  }
  return true;
}

}  // namespace portcullis::tls
