#include "tls/revocation_index.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "tls/crl_builder.h"
#include "tls/crl_table.h"

namespace portcullis::tls {
namespace {

using Crls = CrlTable::Crls;

// What the CRLs that cover a certificate say of its standing, all of them taken together.
class Standing {
 public:
  void Add(const IndexedCrl& crl, int64_t grace_s, int64_t now) {
    const int64_t until =
        crl.next_update() == 0 ? INT64_MAX : crl.next_update() + std::max<int64_t>(grace_s, 0);
    if (until < now) {
      stale_ = true;
    } else if (crl.reasons() == kAllReasons) {
      whole_until_ = std::max(whole_until_, until);
    } else {
      parts_ = static_cast<uint16_t>(parts_ | crl.reasons());
      parts_until_ = std::min(parts_until_, until);
    }
  }

  // Until when one CRL, or several that have a part of the reasons each, vouch for it; 0: they do
  // not.
  [[nodiscard]] int64_t FreshUntil() const {
    if (whole_until_ != 0) return whole_until_;
    return parts_ == kAllReasons ? parts_until_ : 0;
  }
  [[nodiscard]] bool stale() const { return stale_; }

 private:
  bool stale_ = false;
  int64_t whole_until_ = 0;
  int64_t parts_until_ = INT64_MAX;
  uint16_t parts_ = 0;
};

// Returns whether any of `crls` covers the certificate.
bool Survey(const Crls& crls, const PathLink& link, int64_t grace_s, int64_t now,
            Standing& standing) {
  bool covered = false;
  for (const IndexedCrl* const crl : crls) {
    if (!crl->Covers(link, now)) continue;
    covered = true;
    standing.Add(*crl, grace_s, now);
  }
  return covered;
}

}  // namespace

RevocationIndex::RevocationIndex(std::unique_ptr<const CrlTable> table)
    : table_(std::move(table)) {}

RevocationIndex::~RevocationIndex() = default;

absl::StatusOr<std::shared_ptr<const RevocationIndex>> RevocationIndex::Build(
    std::span<const CrlSource> sources, std::span<const CrlIssuer> issuers, int64_t now) {
  auto table = std::make_unique<CrlTable>();
  if (!sources.empty()) {
    CrlBuilder builder(issuers, now);
    for (const CrlSource& source : sources) {
      if (absl::Status status = builder.Load(source); !status.ok()) return status;
    }
    if (absl::Status status = builder.Index(*table); !status.ok()) return status;
  }
  return std::shared_ptr<const RevocationIndex>(new RevocationIndex(std::move(table)));
}

RevocationIndex::Answer RevocationIndex::Ask(const PathLink& link, const RevocationSpec& spec,
                                             int64_t now) const {
  if (spec.mode == RevocationMode::kOff) return {};
  const CrlTable::About about = table_->AboutIssuer(link.issuer);
  if (const auto found = FindIn(about, link.serial)) {
    return {
        .rejection = Rejection::kRevoked, .revoked_at = found->revoked_at, .reason = found->reason};
  }
  Standing standing;
  if (!Survey(about.own, link, spec.grace_s, now, standing)) {
    static_cast<void>(Survey(about.kin, link, spec.grace_s, now, standing));
  }
  if (const int64_t until = standing.FreshUntil(); until != 0) return {.holds_until = until};
  if (standing.stale()) return {.rejection = Rejection::kCrlStale};
  if (spec.mode == RevocationMode::kRequire) return {.rejection = Rejection::kCrlMissing};
  Standing hearsay;
  if (Survey(about.unverified, link, spec.grace_s, now, hearsay)) {
    const int64_t until = hearsay.FreshUntil();
    if (until == 0 && hearsay.stale()) return {.rejection = Rejection::kCrlStale};
    return {.holds_until = until == 0 ? INT64_MAX : until};
  }
  return {};
}

bool RevocationIndex::empty() const { return table_->crls.empty(); }

const std::vector<CrlSummary>& RevocationIndex::summaries() const { return table_->summaries; }

uint64_t RevocationIndex::epoch() const { return table_->epoch; }

size_t RevocationIndex::memory_bytes() const {
  size_t bytes = sizeof(*this) + sizeof(*table_);
  for (const auto& crl : table_->crls) bytes += crl->memory_bytes();
  return bytes;
}

}  // namespace portcullis::tls
