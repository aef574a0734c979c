#include "tls/crl_table.h"

#include "tls/issuer_id.h"

namespace portcullis::tls {

CrlTable::About CrlTable::AboutIssuer(const IssuerId& issuer) const {
  static const OfIssuer* const kNone = new OfIssuer();
  static const Crls* const kNobody = new Crls();
  const auto verified = by_issuer.find(issuer);
  const OfIssuer& of_issuer = verified == by_issuer.end() ? *kNone : verified->second;
  const auto by_name = unverified.find(NamePart(issuer));
  return {.own = of_issuer.own,
          .kin = of_issuer.kin,
          .unverified = by_name == unverified.end() ? *kNobody : by_name->second};
}

std::optional<SerialSet::Found> FindIn(const CrlTable::About& about, Bytes serial) {
  const uint64_t hash = SerialSet::HashSerial(serial);
  for (const CrlTable::Crls* const crls : {&about.own, &about.kin, &about.unverified}) {
    for (const IndexedCrl* const crl : *crls) {
      if (const auto found = crl->Find(serial, hash)) return found;
    }
  }
  return std::nullopt;
}

}  // namespace portcullis::tls
