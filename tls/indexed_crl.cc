#include "tls/indexed_crl.h"

#include <algorithm>
#include <string>

#include "tls/issuer_id.h"
#include "tls/name_canonical.h"

namespace portcullis::tls {
namespace {

// Entries with nothing but a serial of 16 octets and a date have about 36, of which 23 stay.
constexpr size_t kTypicalEntryBytes = 36;

// Whether one of the GeneralNames is the directoryName `canonical`.
bool Names(Bytes general_names, const std::string& canonical) {
  CBS in = ToCbs(general_names);
  while (CBS_len(&in) != 0) {
    CBS content;
    CBS_ASN1_TAG tag = 0;
    if (CBS_get_any_asn1(&in, &content, &tag) != 1) return false;
    if (tag != kDirectoryName) continue;
    const bssl::UniquePtr<X509_NAME> name = ParseName(ToBytes(content));
    if (name != nullptr && CanonicalName(*name) == canonical) return true;
  }
  return false;
}

std::vector<uint64_t> PointsOf(const Crl& crl) {
  std::vector<uint64_t> points;
  if (!crl.scope.relative_name.empty()) {
    points.push_back(RelativeNameHash64(crl.scope.relative_name, crl.issuer));
  }
  CBS in = ToCbs(crl.scope.full_name);
  while (CBS_len(&in) != 0) {
    CBS element;
    if (CBS_get_any_asn1_element(&in, &element, nullptr, nullptr) != 1) break;
    points.push_back(NameHash64(ToBytes(element)));
  }
  return points;
}

// Who the entries are of, as an indirect CRL says it: for the entry that says it and those behind.
class EntryIssuer {
 public:
  explicit EntryIssuer(const Crl& crl) {
    const bssl::UniquePtr<X509_NAME> name = ParseName(crl.issuer);
    if (name != nullptr) canonical_ = CanonicalName(*name);
  }

  // IsOurs takes the next entry; true where it is the CRL issuer's own.
  bool IsOurs(const CrlEntry& entry) {
    if (!entry.certificate_issuer.empty()) ours_ = Names(entry.certificate_issuer, canonical_);
    return ours_;
  }

 private:
  std::string canonical_;
  bool ours_ = true;
};

}  // namespace

CrlFault IndexedCrl::Fill(const Crl& crl) {
  this_update_ = crl.this_update;
  next_update_ = crl.next_update;
  only_user_ = crl.scope.only_user;
  only_ca_ = crl.scope.only_ca;
  if (crl.scope.some_reasons) reasons_ = crl.scope.reasons & kAllReasons;
  is_partition_ = !crl.scope.full_name.empty() || !crl.scope.relative_name.empty();
  points_ = PointsOf(crl);
  if (crl.unknown_critical || crl.is_delta || crl.scope.indirect || crl.scope.only_attribute) {
    Disqualify();
  }
  return Read(crl, /*removals=*/false, base_);
}

CrlFault IndexedCrl::Overlay(const Crl& delta) {
  // Either is enough to speak until its end: the base by itself, too.
  if (delta.next_update == 0 || (next_update_ != 0 && delta.next_update > next_update_)) {
    next_update_ = delta.next_update;
  }
  return Read(delta, /*removals=*/true, delta_);
}

CrlFault IndexedCrl::Read(const Crl& crl, bool removals, SerialSet& set) {
  set.Reserve(crl.entries.size() / kTypicalEntryBytes);
  EntryIssuer issuer(crl);
  CrlEntries entries(crl);
  CrlEntry entry;
  while (entries.Next(entry)) {
    if (crl.scope.indirect) {
      if (!issuer.IsOurs(entry)) continue;
    } else if (!entry.certificate_issuer.empty()) {
      Disqualify();  // It does not keep to what it says it is.
    }
    if (entry.unknown_critical) Disqualify();
    if (entry.reason == kReasonRemoveFromCrl && !removals) continue;
    if (!set.Insert(entry)) return "it has too many entries";
  }
  set.Finish();
  return entries.fault();
}

bool IndexedCrl::Covers(const PathLink& link, int64_t now) const {
  if (!speaks_ || this_update_ > now) return false;
  if ((only_user_ && link.is_ca) || (only_ca_ && !link.is_ca)) return false;
  if (!is_partition_) return true;
  return std::ranges::any_of(link.distribution_points, [this](uint64_t point) {
    return std::ranges::find(points_, point) != points_.end();
  });
}

std::optional<SerialSet::Found> IndexedCrl::Find(Bytes serial, uint64_t hash) const {
  if (const auto changed = delta_.Find(serial, hash)) {
    if (changed->reason == kReasonRemoveFromCrl) return std::nullopt;
    return changed;
  }
  return base_.Find(serial, hash);
}

}  // namespace portcullis::tls
