#include "tls/crl_builder.h"

#include <openssl/sha.h>

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

#include "tls/absl_text.h"
#include "tls/identity.h"
#include "tls/name_canonical.h"

namespace portcullis::tls {
namespace {

using Outcome = CrlIssuers::Outcome;

absl::StatusOr<std::vector<Der>> ReadBlocks(const CrlSource& source) {
  if (source.bytes.find("-----BEGIN") != std::string::npos) {
    return ReadPem(source.bytes, PemKind::kCrl, source.origin);
  }
  return std::vector<Der>{Der(source.bytes.begin(), source.bytes.end())};
}

absl::Status Fault(std::string_view place, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(AbslText(place), ": ", AbslText(what)));
}

std::string Hex(Bytes bytes) {
  return absl::BytesToHexString({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void AddOddity(std::string_view what, CrlSummary& summary) {
  absl::StrAppend(&summary.oddity, summary.oddity.empty() ? "" : ", ", AbslText(what));
}

CrlSummary Summarise(const Crl& crl, std::string_view origin, const X509_NAME& issuer,
                     int64_t now) {
  CrlSummary summary;
  summary.issuer = NameText(&issuer);
  summary.origin = origin;
  if (crl.has_number) summary.number = crl.number.empty() ? "00" : Hex(crl.number);
  summary.this_update = crl.this_update;
  summary.next_update = crl.next_update;
  summary.is_delta = crl.is_delta;
  if (crl.this_update > now) AddOddity("not yet valid", summary);
  if (crl.next_update == 0) AddOddity("says no nextUpdate", summary);
  if (crl.next_update != 0 && crl.next_update < now) AddOddity("stale", summary);
  if (crl.scope.indirect) AddOddity("indirect", summary);
  if (crl.unknown_critical) AddOddity("unknown critical extension", summary);
  return summary;
}

uint64_t EpochOf(const std::set<Sha256>& digests) {
  SHA256_CTX context;
  SHA256_Init(&context);
  for (const Sha256& digest : digests) SHA256_Update(&context, digest.data(), digest.size());
  Sha256 all;
  SHA256_Final(all.data(), &context);
  uint64_t epoch = 0;
  for (size_t i = 0; i < sizeof(epoch); ++i) epoch = epoch << 8 | all[i];
  return epoch;
}

}  // namespace

absl::Status CrlBuilder::Load(const CrlSource& source) {
  absl::StatusOr<std::vector<Der>> blocks = ReadBlocks(source);
  if (!blocks.ok()) return blocks.status();
  size_t number = 0;
  for (Der& der : *blocks) {
    Loaded loaded;
    loaded.der = std::move(der);
    loaded.place = absl::StrCat(source.origin, ": CRL ", ++number);
    if (absl::Status status = Add(std::move(loaded), source); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CrlBuilder::Add(Loaded loaded, const CrlSource& source) {
  SHA256(loaded.der.data(), loaded.der.size(), loaded.digest.data());
  if (!seen_.insert(loaded.digest).second) return absl::OkStatus();
  CrlCandidate candidate;
  const CrlFault fault = ParseCrl(loaded.der, candidate.crl);
  if (!fault.empty()) return Fault(loaded.place, fault);
  const bssl::UniquePtr<X509_NAME> issuer = ParseName(candidate.crl.issuer);
  if (issuer == nullptr) return Fault(loaded.place, "its issuer's name is malformed");
  loaded.issuer = CanonicalName(*issuer);
  CrlSummary summary = Summarise(candidate.crl, source.origin, *issuer, now_);
  loaded.signer = issuers_.Find(candidate.crl, loaded.issuer);
  switch (loaded.signer.outcome) {
    case Outcome::kVerified:
      break;
    case Outcome::kUnknown:
      AddOddity("issuer unknown", summary);
      break;
    case Outcome::kMayNotSign:
      AddOddity("issuer may not sign CRLs", summary);
      break;
    case Outcome::kRefused:
      return Fault(absl::StrCat(loaded.place, " of ", summary.issuer),
                   SignatureText(loaded.signer.signature));
  }
  candidate.signer = SignerKey(loaded, candidate.crl);
  candidate.is_future = candidate.crl.this_update > now_;
  loaded_.push_back(std::move(loaded));
  candidates_.push_back(std::move(candidate));
  summaries_.push_back(std::move(summary));
  return absl::OkStatus();
}

// Who may supersede whom: CRLs of one signer; where that is not known, of one name and key id.
std::string CrlBuilder::SignerKey(const Loaded& loaded, const Crl& crl) {
  if (loaded.signer.outcome == Outcome::kVerified) {
    return absl::StrCat("id ", Hex(loaded.signer.id));
  }
  return absl::StrCat("name ", Hex(crl.authority_key_id), " ", loaded.issuer);
}

absl::Status CrlBuilder::Index(CrlTable& table) {
  for (const CrlChoice& choice : ChooseCrls(candidates_)) {
    const CrlFault fault = IndexChoice(choice, table);
    if (!fault.empty()) return Fault(loaded_[choice.base].place, fault);
  }
  for (size_t i = 0; i < loaded_.size(); ++i) {
    const bool chosen = in_use_.contains(loaded_[i].digest);
    if (!chosen) AddOddity("superseded", summaries_[i]);
    summaries_[i].is_in_use = chosen && loaded_[i].signer.outcome == Outcome::kVerified;
  }
  DistrustRevokedSigners(table);
  for (Indexed& each : indexed_) table.crls.push_back(std::move(each.crl));
  table.summaries = std::move(summaries_);
  table.epoch = EpochOf(in_use_);
  return absl::OkStatus();
}

CrlFault CrlBuilder::IndexChoice(const CrlChoice& choice, CrlTable& table) {
  auto indexed = std::make_unique<IndexedCrl>();
  const Crl& base = candidates_[choice.base].crl;
  if (const CrlFault fault = indexed->Fill(base); !fault.empty()) return fault;
  const size_t of_base = indexed->num_entries();
  summaries_[choice.base].num_entries = of_base;
  in_use_.insert(loaded_[choice.base].digest);
  if (base.is_delta) AddOddity("no base for it", summaries_[choice.base]);
  if (choice.delta.has_value()) {
    const CrlFault fault = indexed->Overlay(candidates_[*choice.delta].crl);
    if (!fault.empty()) return fault;
    summaries_[*choice.delta].num_entries = indexed->num_entries() - of_base;
    in_use_.insert(loaded_[*choice.delta].digest);
  }
  File(loaded_[choice.base], indexed.get(), table);
  indexed_.push_back({.loaded = choice.base, .crl = std::move(indexed)});
  return {};
}

// RFC 5280 6.3.3 f: a CRL counts as far as its issuer's certificate holds. Whom it lists remains
// revoked, so that the order in which CRLs are looked at makes no difference.
void CrlBuilder::DistrustRevokedSigners(const CrlTable& table) {
  const auto is_listed = [&](const PathLink& link) {
    return FindIn(table.AboutIssuer(link.issuer), link.serial).has_value();
  };
  for (const Indexed& each : indexed_) {
    const Loaded& loaded = loaded_[each.loaded];
    if (loaded.signer.outcome != Outcome::kVerified) continue;
    if (!issuers_.IsRevoked(loaded.signer.id, loaded.issuer, is_listed)) continue;
    each.crl->Disqualify();
    AddOddity("signer revoked", summaries_[each.loaded]);
    summaries_[each.loaded].is_in_use = false;
  }
}

void CrlBuilder::File(const Loaded& loaded, const IndexedCrl* crl, CrlTable& table) {
  if (loaded.signer.outcome != Outcome::kVerified) {
    table.unverified[NamePartOf(loaded.issuer)].push_back(crl);
    return;
  }
  table.by_issuer[loaded.signer.id].own.push_back(crl);
  for (const IssuerId& kin : loaded.signer.kin) table.by_issuer[kin].kin.push_back(crl);
}

}  // namespace portcullis::tls
