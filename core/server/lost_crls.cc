#include "core/server/lost_crls.h"

#include "absl/strings/str_cat.h"

#include "core/server/files.h"
#include "tls/trust_material.h"

namespace portcullis::server {
namespace {

// One of an unknown issuer counts too: it refuses whom it lists.
size_t NumCrls(const tls::TrustMaterial& trust) {
  if (trust.revocation_spec.mode == tls::RevocationMode::kOff) return 0;
  return trust.revocation->summaries().size();
}

}  // namespace

std::vector<std::string> LostCrls(const Snapshot& before, const Snapshot& after) {
  std::vector<std::string> lines;
  for (const config::Trust& trust : after.config.trusts) {
    const auto old = before.trusts.find(trust.name);
    const auto now = after.trusts.find(trust.name);
    if (old == before.trusts.end() || now == after.trusts.end()) continue;
    const size_t num_before = NumCrls(*old->second);
    if (num_before == 0 || NumCrls(*now->second) != 0) continue;
    const bool is_off = now->second->revocation_spec.mode == tls::RevocationMode::kOff;
    lines.push_back(absl::StrCat(Place(trust.where), "trust '", trust.name, "' had ", num_before,
                                 num_before == 1 ? " CRL" : " CRLs", " and has none any more",
                                 is_off ? " (revocation is off)" : "",
                                 ": revoked clients are no longer refused"));
  }
  return lines;
}

}  // namespace portcullis::server
