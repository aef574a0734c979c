#include "tls/client_verifier.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "tls/boringssl_compat.h"
#include "tls/check.h"
#include "tls/identity.h"
#include "tls/path_checks.h"
#include "tls/x509_map.h"

namespace portcullis::tls {
namespace {

// A client may send more than its path needs (roots, cross-certificates), but not so much that
// looking through it becomes the attack.
constexpr size_t kSpareCertificates = 8;

// Where the library's error callback finds the verifier.
int VerifierIndex() {
  static const int kIndex = X509_STORE_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  TLS_CHECK(kIndex >= 0);
  return kIndex;
}

bool IsValidAt(const X509* certificate, int64_t now) {
  return TimeValue(X509_get0_notBefore(certificate), now + 1) <= now &&
         TimeValue(X509_get0_notAfter(certificate), now - 1) >= now;
}

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

}  // namespace

struct ClientVerifier::Presented {
  bssl::UniquePtr<X509> leaf;
  bssl::UniquePtr<STACK_OF(X509)> others{sk_X509_new_null()};
};

ClientVerifier::ClientVerifier(std::shared_ptr<const TrustMaterial> trust, uint32_t max_depth,
                               size_t max_chain_bytes)
    : trust_(std::move(trust)), max_depth_(max_depth), max_chain_bytes_(max_chain_bytes) {}

ClientVerifier::~ClientVerifier() = default;

absl::StatusOr<std::unique_ptr<ClientVerifier>> ClientVerifier::Create(
    std::shared_ptr<const TrustMaterial> trust, uint32_t max_depth, size_t max_chain_bytes) {
  TLS_CHECK(trust != nullptr);
  std::unique_ptr<ClientVerifier> verifier(
      new ClientVerifier(std::move(trust), max_depth, max_chain_bytes));
  if (absl::Status status = verifier->Load(); !status.ok()) return status;
  return verifier;
}

absl::Status ClientVerifier::Load() {
  store_.reset(X509_STORE_new());
  TLS_CHECK(store_ != nullptr);
  for (const std::vector<uint8_t>& der : trust_->anchors_der) {
    const uint8_t* in = der.data();
    bssl::UniquePtr<X509> ca(d2i_X509(nullptr, &in, static_cast<long>(der.size())));
    if (ca == nullptr || X509_STORE_add_cert(store_.get(), ca.get()) != 1) {
      ERR_clear_error();
      return absl::InternalError(absl::StrCat("trust ", trust_->name, ": a CA no longer parses"));
    }
    const X509_NAME* const subject = X509_get_subject_name(ca.get());
    uint8_t* encoded = nullptr;
    const int size = i2d_X509_NAME(const_cast<X509_NAME*>(subject), &encoded);
    TLS_CHECK(size > 0);
    std::vector<uint8_t> name(encoded, encoded + size);
    OPENSSL_free(encoded);
    if (std::find(ca_names_.begin(), ca_names_.end(), name) == ca_names_.end()) {
      ca_names_.push_back(std::move(name));
    }
    anchors_by_name_[compat::NameHash(subject)].push_back(anchors_.size());
    Anchor& anchor = anchors_.emplace_back();
    anchor.not_before = TimeValue(X509_get0_notBefore(ca.get()), INT64_MAX);
    anchor.not_after = TimeValue(X509_get0_notAfter(ca.get()), INT64_MIN);
    anchor.may_issue = MayIssue(ca.get());
    anchor.certificate = std::move(ca);
  }
  for (const std::vector<uint8_t>& der : trust_->crls_der) {
    const uint8_t* in = der.data();
    bssl::UniquePtr<X509_CRL> crl(d2i_X509_CRL(nullptr, &in, static_cast<long>(der.size())));
    if (crl == nullptr) {
      ERR_clear_error();
      return absl::InternalError(absl::StrCat("trust ", trust_->name, ": a CRL no longer parses"));
    }
    if (crls_ == nullptr) crls_.reset(sk_X509_CRL_new_null());
    TLS_CHECK(bssl::PushToStack(crls_.get(), std::move(crl)));
  }
  ERR_clear_error();
  return absl::OkStatus();
}

bool ClientVerifier::IsAnchorName(const X509_NAME* name) const {
  return anchors_by_name_.contains(compat::NameHash(name));
}

// Appends the anchors that may have issued `child`. The library takes the first that fits by name,
// so it is given only those that will do: valid ones rather than expired ones of the same name, and
// where several keys go by one name, the one that verifies.
void ClientVerifier::AddCandidates(X509* child, int64_t now, STACK_OF(X509) * candidates) const {
  const X509_NAME* const issuer = X509_get_issuer_name(child);
  const auto found = anchors_by_name_.find(compat::NameHash(issuer));
  if (found == anchors_by_name_.end()) return;
  std::vector<X509*> valid;
  std::vector<X509*> outdated;
  for (const size_t index : found->second) {
    const Anchor& anchor = anchors_[index];
    X509* const ca = anchor.certificate.get();
    if (X509_NAME_cmp(X509_get_subject_name(ca), issuer) != 0) continue;
    if (!anchor.may_issue && X509_cmp(ca, child) != 0) continue;
    (anchor.not_before <= now && now <= anchor.not_after ? valid : outdated).push_back(ca);
  }
  std::vector<X509*>& chosen = valid.empty() ? outdated : valid;
  if (chosen.size() > 1) {
    std::vector<X509*> verifying;
    for (X509* const ca : chosen) {
      const bssl::UniquePtr<EVP_PKEY> key = compat::PublicKey(ca);
      if (key != nullptr && X509_verify(child, key.get()) == 1) verifying.push_back(ca);
    }
    ERR_clear_error();
    if (!verifying.empty()) chosen = std::move(verifying);
  }
  for (X509* const ca : chosen) {
    TLS_CHECK(bssl::PushToStack(candidates, bssl::UpRef(ca)));
  }
}

// A CRL is consulted wherever one was given for a certificate's issuer; that other CAs have none
// harms nobody. The anchor is trusted as it stands, and only a CRL that names it can undo that.
int ClientVerifier::ForgiveMissingCrl(int ok, X509_STORE_CTX* context) {
  if (ok != 0) return ok;
  const int error = X509_STORE_CTX_get_error(context);
  const Rejection reason = FromX509Error(error);
  if (reason != Rejection::kCrlMissing && reason != Rejection::kCrlStale) return 0;
  const STACK_OF(X509)* const path = X509_STORE_CTX_get0_chain(context);
  const auto depth = static_cast<size_t>(X509_STORE_CTX_get_error_depth(context));
  if (depth > 0 && depth + 1 == sk_X509_num(path)) return 1;
  if (error != X509_V_ERR_UNABLE_TO_GET_CRL) return 0;
  const auto* const self =
      static_cast<const ClientVerifier*>(X509_STORE_CTX_get_ex_data(context, VerifierIndex()));
  const X509_NAME* const issuer = X509_get_issuer_name(sk_X509_value(path, depth));
  for (size_t i = 0; i < sk_X509_CRL_num(self->crls_.get()); ++i) {
    if (X509_NAME_cmp(X509_CRL_get_issuer(sk_X509_CRL_value(self->crls_.get(), i)), issuer) == 0) {
      return 0;  // There is one, but it does not cover this certificate.
    }
  }
  return 1;
}

// Parses the certificates behind the leaf. Whichever issuer comes first is taken by the library:
// the ones that hold and lead straight to an anchor go first.
bool ClientVerifier::ParseOthers(std::span<CRYPTO_BUFFER* const> others, int64_t now,
                                 Presented& presented) const {
  std::vector<std::pair<int, bssl::UniquePtr<X509>>> ranked;
  ranked.reserve(others.size());
  for (CRYPTO_BUFFER* const buffer : others) {
    bssl::UniquePtr<X509> other(X509_parse_from_buffer(buffer));
    if (other == nullptr) return false;
    const int rank = (IsValidAt(other.get(), now) ? 0 : 2) +
                     (IsAnchorName(X509_get_issuer_name(other.get())) ? 0 : 1);
    ranked.emplace_back(rank, std::move(other));
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [rank, other] : ranked) {
    TLS_CHECK(bssl::PushToStack(presented.others.get(), std::move(other)));
  }
  return true;
}

Verdict ClientVerifier::Judge(std::span<CRYPTO_BUFFER* const> chain, int64_t now) {
  ++judged_;
  Verdict verdict;
  if (chain.empty()) {
    verdict.rejection = Rejection::kNoCertificate;
    return verdict;
  }
  Presented presented;
  presented.leaf.reset(X509_parse_from_buffer(chain.front()));
  std::unique_ptr<PeerIdentity> identity;
  if (presented.leaf == nullptr) {
    Reject(verdict, Rejection::kBadCertificate, ToX509Error(Rejection::kBadCertificate), 0,
           nullptr);
  } else {
    identity = MakeIdentity(presented.leaf.get(),
                            {CRYPTO_BUFFER_data(chain.front()), CRYPTO_BUFFER_len(chain.front())});
    if (TotalBytes(chain) > max_chain_bytes_) {
      Reject(verdict, Rejection::kChainTooBig, ToX509Error(Rejection::kChainTooBig),
             chain.size() - 1, presented.leaf.get());
    } else if (chain.size() > max_depth_ + 2 + kSpareCertificates) {
      Reject(verdict, Rejection::kChainTooLong, X509_V_ERR_CERT_CHAIN_TOO_LONG, chain.size() - 1,
             presented.leaf.get());
    } else if (!ParseOthers(chain.subspan(1), now, presented)) {
      Reject(verdict, Rejection::kBadCertificate, ToX509Error(Rejection::kBadCertificate), 1,
             presented.leaf.get());
    } else {
      verdict = JudgePresented(presented, now);
    }
  }
  verdict.identity = std::move(identity);
  ERR_clear_error();
  return verdict;
}

bssl::UniquePtr<STACK_OF(X509)> ClientVerifier::Candidates(const Presented& presented,
                                                           int64_t now) const {
  bssl::UniquePtr<STACK_OF(X509)> candidates(sk_X509_new_null());
  AddCandidates(presented.leaf.get(), now, candidates.get());
  for (size_t i = 0; i < sk_X509_num(presented.others.get()); ++i) {
    AddCandidates(sk_X509_value(presented.others.get(), i), now, candidates.get());
  }
  return candidates;
}

Verdict ClientVerifier::JudgePresented(const Presented& presented, int64_t now) const {
  Verdict verdict;
  const bssl::UniquePtr<STACK_OF(X509)> candidates = Candidates(presented, now);
  const bssl::UniquePtr<X509_STORE_CTX> context(X509_STORE_CTX_new());
  if (context == nullptr || X509_STORE_CTX_init(context.get(), store_.get(), presented.leaf.get(),
                                                presented.others.get()) != 1) {
    Reject(verdict, Rejection::kInternal, X509_V_ERR_OUT_OF_MEM, 0, nullptr);
    return verdict;
  }
  X509_STORE_CTX_set0_trusted_stack(context.get(), candidates.get());
  X509_VERIFY_PARAM* const param = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
  X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_CLIENT);
  X509_VERIFY_PARAM_set_time_posix(param, now);
  // Releases count depth differently. Let the library build one certificate more than allowed under
  // either way of counting, and count ourselves.
  X509_VERIFY_PARAM_set_depth(param, static_cast<int>(max_depth_) + 2);
  if (crls_ != nullptr) {
    X509_STORE_CTX_set0_crls(context.get(), crls_.get());
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    X509_STORE_CTX_set_ex_data(context.get(), VerifierIndex(), const_cast<ClientVerifier*>(this));
    X509_STORE_CTX_set_verify_cb(context.get(), ForgiveMissingCrl);
  }

  const bool verified = X509_verify_cert(context.get()) == 1;
  const STACK_OF(X509)* const path = X509_STORE_CTX_get0_chain(context.get());
  const size_t length = path == nullptr ? 0 : sk_X509_num(path);
  if (length > max_depth_ + 2) {
    Reject(verdict, Rejection::kChainTooLong, X509_V_ERR_CERT_CHAIN_TOO_LONG, length - 1,
           sk_X509_value(path, length - 1));
    return verdict;
  }
  if (!verified) {
    const int error = X509_STORE_CTX_get_error(context.get());
    const X509* const culprit = X509_STORE_CTX_get_current_cert(context.get());
    Rejection reason = FromX509Error(error);
    // The library refuses the oldest digests by failing the signature.
    if (reason == Rejection::kBadSignature && culprit != nullptr && IsWeakSignature(culprit)) {
      reason = Rejection::kWeakKey;
    }
    Reject(verdict, reason, error,
           static_cast<size_t>(std::max(X509_STORE_CTX_get_error_depth(context.get()), 0)),
           culprit);
    return verdict;
  }
  if (const PathFault fault = CheckPath(path); fault.reason != Rejection::kNone) {
    Reject(verdict, fault.reason, fault.x509_error, fault.depth, sk_X509_value(path, fault.depth));
  }
  return verdict;
}

}  // namespace portcullis::tls
