// What a certificate's key may be used for: RFC 5280 4.2.1.3, 4.2.1.9, 4.2.1.12, CA/Browser Forum
// 7.1.2.
#include <algorithm>

#include "tls/strict_rules.h"

namespace portcullis::tls {
namespace {

// Bits of keyUsage as its BIT STRING numbers them, in its first octet.
constexpr uint8_t kDigitalSignature = 0x80;
constexpr uint8_t kKeyCertSign = 0x04;

constexpr uint8_t kClientAuth[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02};
constexpr uint8_t kAnyUsage[] = {0x55, 0x1d, 0x25, 0x00};

struct BasicConstraints {
  bool present = false;
  bool well_formed = true;
  bool is_ca = false;
  bool has_path_length = false;
};

BasicConstraints ConstraintsOf(const StrictSubject& subject) {
  BasicConstraints constraints;
  const ExtensionField* const extension = subject.fields->Find(kBasicConstraints);
  if (extension == nullptr) return constraints;
  constraints.present = true;
  CBS in = ToCbs(extension->value);
  CBS sequence;
  uint64_t path_length = 0;
  if (CBS_get_asn1(&in, &sequence, CBS_ASN1_SEQUENCE) != 1 || CBS_len(&in) != 0 ||
      !ReadFlag(&sequence, constraints.is_ca)) {
    constraints.well_formed = false;
    return constraints;
  }
  constraints.has_path_length = CBS_len(&sequence) != 0;
  constraints.well_formed =
      !constraints.has_path_length ||
      (CBS_get_asn1_uint64(&sequence, &path_length) == 1 && CBS_len(&sequence) == 0);
  return constraints;
}

struct KeyUsage {
  bool present = false;
  bool empty = true;
  uint8_t bits = 0;  // the first eight
};

KeyUsage UsageOf(const StrictSubject& subject) {
  KeyUsage usage;
  const ExtensionField* const extension = subject.fields->Find(kKeyUsage);
  if (extension == nullptr) return usage;
  usage.present = true;
  CBS in = ToCbs(extension->value);
  CBS string;
  uint8_t unused = 0;
  if (CBS_get_asn1(&in, &string, CBS_ASN1_BITSTRING) != 1 || CBS_get_u8(&string, &unused) != 1) {
    return usage;
  }
  const Bytes bits = ToBytes(string);
  if (!bits.empty()) usage.bits = bits[0];
  usage.empty = std::ranges::all_of(bits, [](uint8_t octet) { return octet == 0; });
  return usage;
}

// Calls `visit` with each purpose; false when the list is no list or has none.
template <typename Visit>
bool VisitPurposes(const ExtensionField& extension, Visit visit) {
  CBS in = ToCbs(extension.value);
  CBS list;
  CBS purpose;
  if (CBS_get_asn1(&in, &list, CBS_ASN1_SEQUENCE) != 1 || CBS_len(&list) == 0) return false;
  while (CBS_len(&list) != 0) {
    if (CBS_get_asn1(&list, &purpose, CBS_ASN1_OBJECT) != 1) return false;
    visit(ToBytes(purpose));
  }
  return true;
}

// A list that is there names a purpose, clientAuth among them; in the leaf by name, not by "any"
// (CA/Browser Forum 7.1.2.7.10).
bool PurposesFit(const StrictSubject& subject) {
  const ExtensionField* const extension = subject.fields->Find(kExtendedKeyUsage);
  if (extension == nullptr) return true;
  bool client = false;
  bool any = false;
  const bool read = VisitPurposes(*extension, [&](Bytes purpose) {
    client |= std::ranges::equal(purpose, kClientAuth);
    any |= std::ranges::equal(purpose, kAnyUsage);
  });
  return read && (client || (any && !subject.is_leaf)) && !(any && subject.is_leaf);
}

bool CaSaysSo(const StrictSubject& subject) {
  if (subject.is_leaf) return true;
  const BasicConstraints constraints = ConstraintsOf(subject);
  return constraints.present && constraints.well_formed && constraints.is_ca;
}

bool PathLengthIsOfACa(const StrictSubject& subject) {
  const BasicConstraints constraints = ConstraintsOf(subject);
  if (!constraints.well_formed) return false;
  return !constraints.has_path_length ||
         (constraints.is_ca && (UsageOf(subject).bits & kKeyCertSign) != 0);
}

constexpr StrictRule kUsageRules[] = {
    {"CA without basicConstraints that say so", Rejection::kBadCertificate, CaSaysSo},
    {"path length where nothing is issued", Rejection::kBadCertificate, PathLengthIsOfACa},
    {"a CA where a client's certificate belongs", Rejection::kBadCertificate,
     [](const StrictSubject& s) { return !s.is_leaf || !ConstraintsOf(s).is_ca; }},
    {"keyUsage without a use", Rejection::kBadCertificate,
     [](const StrictSubject& s) { return !UsageOf(s).present || !UsageOf(s).empty; }},
    {"CA without keyUsage keyCertSign", Rejection::kBadPurpose,
     [](const StrictSubject& s) { return s.is_leaf || (UsageOf(s).bits & kKeyCertSign) != 0; }},
    {"keyCertSign where a client's certificate belongs", Rejection::kBadPurpose,
     [](const StrictSubject& s) { return !s.is_leaf || (UsageOf(s).bits & kKeyCertSign) == 0; }},
    // TLS clients prove their key by a signature, in either version.
    {"keyUsage without digitalSignature", Rejection::kBadPurpose,
     [](const StrictSubject& s) {
       return !s.is_leaf || !UsageOf(s).present || (UsageOf(s).bits & kDigitalSignature) != 0;
     }},
    {"extKeyUsage without clientAuth, or with anyExtendedKeyUsage", Rejection::kBadPurpose,
     PurposesFit},
    {"extKeyUsage in a root", Rejection::kBadPurpose,
     [](const StrictSubject& s) {
       return s.is_leaf || !s.is_anchor || !s.self_issued ||
              s.fields->Find(kExtendedKeyUsage) == nullptr;
     }},
};

}  // namespace

std::span<const StrictRule> UsageRules() { return kUsageRules; }

}  // namespace portcullis::tls
