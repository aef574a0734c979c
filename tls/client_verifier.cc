#include "tls/client_verifier.h"

#include <openssl/err.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "tls/check.h"
#include "tls/identity.h"
#include "tls/judgement.h"
#include "tls/numbered_extensions.h"
#include "tls/path_checks.h"
#include "tls/path_link.h"
#include "tls/x509_map.h"

namespace portcullis::tls {
namespace {

// A client may send more than its path needs (roots, cross-certificates), but not so much that
// looking through it becomes the attack.
constexpr size_t kSpareCertificates = 8;

void Reject(Verdict& verdict, Rejection reason, int x509_error, size_t depth, const X509* culprit) {
  verdict.rejection = reason;
  verdict.x509_error = x509_error;
  verdict.failed_depth = static_cast<uint8_t>(std::min<size_t>(depth, UINT8_MAX));
  if (culprit != nullptr) verdict.failed_subject = NameText(X509_get_subject_name(culprit));
}

size_t TotalBytes(std::span<CRYPTO_BUFFER* const> chain) {
  size_t bytes = 0;
  for (const CRYPTO_BUFFER* const buffer : chain) bytes += CRYPTO_BUFFER_len(buffer);
  return bytes;
}

std::span<const uint8_t> BytesOf(const CRYPTO_BUFFER* buffer) {
  return {CRYPTO_BUFFER_data(buffer), CRYPTO_BUFFER_len(buffer)};
}

Sha256 DigestOf(std::span<const uint8_t> der) {
  Sha256 digest;
  SHA256(der.data(), der.size(), digest.data());
  return digest;
}

// The certificates behind the leaf.
struct Presented {
  std::vector<SharedBytes> ders;
  // Parsed; each once, and without those of the trust.
  std::vector<bssl::UniquePtr<X509>> owned;
  std::vector<PathNode> nodes;
};

bool ParseOthers(std::span<CRYPTO_BUFFER* const> others, const CaIndex& known,
                 const PathTails& tails, Presented& presented) {
  std::vector<Sha256> seen;
  for (CRYPTO_BUFFER* const buffer : others) {
    const Sha256 digest = DigestOf(BytesOf(buffer));
    const PathTails::Certificate* const common = tails.Find(digest);
    bssl::UniquePtr<X509> x509(common != nullptr ? bssl::UpRef(common->x509).release()
                                                 : X509_parse_from_buffer(buffer));
    if (x509 == nullptr) return false;
    if (common == nullptr) NumberExtensions(x509.get());
    presented.ders.push_back(common != nullptr ? common->der : SharedBytes(BytesOf(buffer)));
    if (known.Find(digest) || std::find(seen.begin(), seen.end(), digest) != seen.end()) continue;
    seen.push_back(digest);
    presented.nodes.push_back(
        {.x509 = x509.get(),
         .der = BytesOf(buffer),
         .issuer_id = common != nullptr ? std::optional(common->issuer_id) : std::nullopt});
    presented.owned.push_back(std::move(x509));
  }
  return true;
}

// Whether `chain` holds what is in `path`, without the anchor, and nothing else.
bool IsJust(const std::vector<PathNode>& path, std::span<CRYPTO_BUFFER* const> chain) {
  if (path.size() != chain.size() + 1) return false;
  return std::all_of(path.begin(), path.end() - 1, [chain](const PathNode& node) {
    return std::any_of(chain.begin(), chain.end(), [&node](const CRYPTO_BUFFER* buffer) {
      return std::ranges::equal(node.der, BytesOf(buffer));
    });
  });
}

// Whether there is anything in `chain` that is not in `path`, or twice.
bool IsMore(const std::vector<PathNode>& path, std::span<CRYPTO_BUFFER* const> chain) {
  if (chain.size() > path.size()) return true;
  return !std::all_of(chain.begin(), chain.end(), [&path](const CRYPTO_BUFFER* buffer) {
    return std::any_of(path.begin(), path.end(), [buffer](const PathNode& node) {
      return std::ranges::equal(node.der, BytesOf(buffer));
    });
  });
}

// The digests of what stands between leaf and anchor, and is known to the trust but not in `chain`.
std::vector<Sha256> LentBy(const CaIndex& known, const std::vector<PathNode>& path,
                           std::span<CRYPTO_BUFFER* const> chain) {
  std::vector<Sha256> lent;
  for (size_t i = 1; i + 1 < path.size(); ++i) {
    const PathNode& node = path[i];
    const bool presented = std::any_of(chain.begin(), chain.end(), [&](CRYPTO_BUFFER* buffer) {
      return std::ranges::equal(node.der, BytesOf(buffer));
    });
    if (!presented) lent.push_back(known.at(node.known_id).sha256);
  }
  return lent;
}

void Fill(PathReport* report, const Judgement& judgement, bool accepted) {
  if (report == nullptr) return;
  const std::vector<PathNode>& path = accepted ? judgement.path() : judgement.nearest().path;
  for (const PathNode& node : path) {
    report->path.push_back({.subject = NameText(X509_get_subject_name(node.x509)),
                            .issuer = NameText(X509_get_issuer_name(node.x509)),
                            .serial_hex = SerialText(X509_get0_serialNumber(node.x509)),
                            .not_before = TimeValue(X509_get0_notBefore(node.x509), 0),
                            .not_after = TimeValue(X509_get0_notAfter(node.x509), 0),
                            .source = node.source,
                            .der = {node.der.begin(), node.der.end()}});
  }
  report->ends_in_anchor = !path.empty() && path.back().source == PathSource::kAnchor;
  report->num_nodes = judgement.num_nodes();
  report->num_signature_checks = judgement.num_signature_checks();
}

uint64_t EpochOf(const TrustMaterial& trust, const VerifierOptions& options) {
  const std::array<uint64_t, 5> parts = {trust.epoch, options.max_depth, options.max_chain_bytes,
                                         static_cast<uint64_t>(options.profile),
                                         options.intermediates_as_anchors ? 1U : 0U};
  std::array<uint8_t, sizeof(parts)> bytes;
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<uint8_t>(parts[i / 8] >> (56 - 8 * (i % 8)));
  }
  const Sha256 digest = DigestOf(bytes);
  uint64_t epoch = 0;
  for (size_t i = 0; i < sizeof(epoch); ++i) epoch = epoch << 8 | digest[i];
  return epoch;
}

}  // namespace

ClientVerifier::ClientVerifier(std::shared_ptr<const TrustMaterial> trust,
                               const VerifierOptions& options)
    : trust_(std::move(trust)),
      options_(options),
      known_(trust_->known),
      empty_store_(X509_STORE_new()),
      epoch_(EpochOf(*trust_, options)) {
  TLS_CHECK(empty_store_ != nullptr && trust_->revocation != nullptr);
}

ClientVerifier::~ClientVerifier() = default;

absl::StatusOr<std::unique_ptr<ClientVerifier>> ClientVerifier::Create(
    std::shared_ptr<const TrustMaterial> trust, const VerifierOptions& options) {
  TLS_CHECK(trust != nullptr);
  std::unique_ptr<ClientVerifier> verifier(new ClientVerifier(std::move(trust), options));
  absl::flat_hash_set<std::string_view> seen;
  const CaIndex& known = verifier->trust_->known;
  for (uint32_t id = 0; id < known.size(); ++id) {
    const KnownCa& ca = known.at(id);
    if (!verifier->IsAnchor(ca)) continue;
    const std::string_view name(reinterpret_cast<const char*>(ca.subject.data()),
                                ca.subject.size());
    if (seen.insert(name).second) verifier->ca_names_.emplace_back(ca.subject);
  }
  if (seen.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("trust ", verifier->trust_->name,
                     ": no CA of it is self-signed, and intermediates are not to be anchors"));
  }
  return verifier;
}

bool ClientVerifier::IsAnchor(const KnownCa& ca) const {
  return ca.in_bundle && (ca.is_self_signed || options_.intermediates_as_anchors);
}

Verdict ClientVerifier::Judge(std::span<CRYPTO_BUFFER* const> chain, int64_t now,
                              PathReport* report) {
  ++judged_;
  if (report != nullptr) *report = {};
  Verdict verdict;
  if (chain.empty()) {
    verdict.rejection = Rejection::kNoCertificate;
    return verdict;
  }
  const bssl::UniquePtr<X509> leaf(X509_parse_from_buffer(chain.front()));
  if (leaf == nullptr) {
    Reject(verdict, Rejection::kBadCertificate, ToX509Error(Rejection::kBadCertificate), 0,
           nullptr);
  } else {
    NumberExtensions(leaf.get());
    std::unique_ptr<PeerIdentity> identity = MakeIdentity(leaf.get(), BytesOf(chain.front()));
    JudgeLeaf(leaf.get(), chain, now, *identity, verdict, report);
    verdict.identity = std::move(identity);
  }
  ERR_clear_error();
  return verdict;
}

void ClientVerifier::JudgeLeaf(X509* leaf, std::span<CRYPTO_BUFFER* const> chain, int64_t now,
                               PeerIdentity& identity, Verdict& verdict, PathReport* report) {
  Presented presented;
  if (TotalBytes(chain) > options_.max_chain_bytes) {
    Reject(verdict, Rejection::kChainTooBig, ToX509Error(Rejection::kChainTooBig), chain.size() - 1,
           leaf);
    return;
  }
  if (chain.size() > options_.max_depth + 2 + kSpareCertificates) {
    Reject(verdict, Rejection::kChainTooLong, X509_V_ERR_CERT_CHAIN_TOO_LONG, chain.size() - 1,
           leaf);
    return;
  }
  if (!ParseOthers(chain.subspan(1), trust_->known, tails_, presented)) {
    Reject(verdict, Rejection::kBadCertificate, ToX509Error(Rejection::kBadCertificate), 1, leaf);
    return;
  }
  identity.chain_der.insert(identity.chain_der.end(), presented.ders.begin(), presented.ders.end());
  PathNode node{.x509 = leaf, .der = BytesOf(chain.front())};
  if (const auto id = trust_->known.Find(identity.sha256); id && IsAnchor(trust_->known.at(*id))) {
    node.source = PathSource::kAnchor;
    node.known_id = *id;
  }
  Judgement judgement(*trust_, known_, tails_, empty_store_.get(), options_, now);
  const bool accepted = judgement.Accepts(node, presented.nodes);
  Fill(report, judgement, accepted);
  if (!accepted) {
    const Judgement::Attempt& nearest = judgement.nearest();
    const PathFault& fault = nearest.fault;
    TLS_CHECK(fault.depth < nearest.path.size());
    Reject(verdict, fault.reason, fault.x509_error, fault.depth, nearest.path[fault.depth].x509);
    verdict.detail = fault.detail;
    return;
  }
  verdict.holds_until = judgement.holds_until();
  identity.path = std::move(judgement.links());
  const PathNode& anchor = judgement.path().back();
  identity.anchor_sha256 = trust_->known.at(anchor.known_id).sha256;
  identity.lent = LentBy(trust_->known, judgement.path(), chain);
  identity.presented_just_path = IsJust(judgement.path(), chain);
  identity.presented_more = IsMore(judgement.path(), chain);
}

bool ClientVerifier::HasNoPathFor(const PeerIdentity& identity) const {
  if (!identity.presented_just_path || trust_->known.Find(identity.sha256)) return false;
  std::vector<uint32_t> ids;
  for (const PathLink& link : identity.path) {
    trust_->known.AppendIssuers(link.issuer_name_hash, {}, ids);
    if (!ids.empty()) return false;
  }
  return true;
}

Verdict ClientVerifier::Recheck(std::shared_ptr<const PeerIdentity> identity, int64_t now) const {
  Verdict verdict;
  const auto reject = [&](Rejection reason, size_t depth) {
    Reject(verdict, reason, ToX509Error(reason), depth, nullptr);
    if (depth == 0) verdict.failed_subject = identity->subject;
  };
  const bool is_pinned = identity->path.empty();
  const auto id = trust_->known.Find(identity->anchor_sha256);
  const auto is_known = [this](const Sha256& lent) { return trust_->known.Find(lent).has_value(); };
  const LinksAnswer answer =
      AskOfLinks(identity->path, *trust_->revocation, trust_->revocation_spec, now);
  if (now < identity->not_before) {
    reject(Rejection::kNotYetValid, 0);
  } else if (now > identity->not_after) {
    reject(Rejection::kExpired, 0);
  } else if (!id || !IsAnchor(trust_->known.at(*id)) ||
             (is_pinned && identity->sha256 != identity->anchor_sha256)) {
    reject(Rejection::kUnknownCa, identity->path.size());
  } else if (!std::ranges::all_of(identity->lent, is_known)) {
    reject(Rejection::kUnknownCa, 0);
  } else if (const KnownCa& anchor = trust_->known.at(*id); now > anchor.not_after) {
    reject(Rejection::kExpired, identity->path.size());
  } else if (answer.rejection != Rejection::kNone) {
    reject(answer.rejection, answer.depth);
  } else {
    verdict.holds_until = std::min({identity->not_after, anchor.not_after, answer.holds_until});
  }
  verdict.identity = std::move(identity);
  return verdict;
}

}  // namespace portcullis::tls
