// Which extensions a certificate has and in what form: RFC 5280 4.2, CA/Browser Forum 7.1.2.
#include <openssl/err.h>
#include <openssl/obj.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "tls/boringssl_compat.h"
#include "tls/strict_rules.h"

namespace portcullis::tls {
namespace {

constexpr Bytes kNeverCritical[] = {
    Bytes(kSubjectKeyId),      Bytes(kAuthorityKeyId), Bytes(kAuthorityInfoAccess),
    Bytes(kSubjectInfoAccess), Bytes(kFreshestCrl),    Bytes(kSubjectDirectoryAttributes),
    Bytes(kExtendedKeyUsage),  Bytes(kIssuerAltName),  Bytes(kCrlDistributionPoints)};
constexpr Bytes kAlwaysCritical[] = {Bytes(kNameConstraints), Bytes(kPolicyConstraints),
                                     Bytes(kInhibitAnyPolicy)};
// Not keyUsage: RFC 5280 4.2.1.3 has it critical by a SHOULD, and its bits bind us either way.
constexpr Bytes kCriticalInCas[] = {Bytes(kBasicConstraints)};

constexpr CBS_ASN1_TAG kKeyIdTag = CBS_ASN1_CONTEXT_SPECIFIC | 0;

// Tells whether each of those extensions, where it is there, is critical or not as `critical` says.
bool AllAre(bool critical, std::span<const Bytes> oids, const StrictSubject& subject) {
  return std::ranges::all_of(oids, [&](Bytes oid) {
    const ExtensionField* const extension = subject.fields->Find(oid);
    return extension == nullptr || extension->critical == critical;
  });
}

bool NoneTwice(const StrictSubject& subject) {
  const std::vector<ExtensionField>& all = subject.fields->extensions;
  for (size_t i = 0; i < all.size(); ++i) {
    for (size_t j = i + 1; j < all.size(); ++j) {
      if (std::ranges::equal(all[i].oid, all[j].oid)) return false;
    }
  }
  return true;
}

// Whatever the library knows how to read it must be able to read.
bool AllDecode(const StrictSubject& subject) {
  const STACK_OF(X509_EXTENSION)* const all = X509_get0_extensions(subject.certificate);
  for (size_t i = 0; all != nullptr && i < sk_X509_EXTENSION_num(all); ++i) {
    const X509_EXTENSION* const extension = sk_X509_EXTENSION_value(all, i);
    if (X509V3_EXT_get(extension) == nullptr) continue;
    void* const decoded = X509V3_EXT_d2i(extension);
    if (decoded == nullptr) return false;
    X509V3_EXT_free(OBJ_obj2nid(X509_EXTENSION_get_object(extension)), decoded);
  }
  return true;
}

// An extension that is a list says at least one thing.
bool IsFilledList(const StrictSubject& subject, Bytes oid) {
  const ExtensionField* const extension = subject.fields->Find(oid);
  if (extension == nullptr) return true;
  CBS in = ToCbs(extension->value);
  CBS list;
  return CBS_get_asn1(&in, &list, CBS_ASN1_SEQUENCE) == 1 && CBS_len(&in) == 0 &&
         CBS_len(&list) != 0;
}

Bytes SubjectKeyIdOf(const StrictSubject& subject) {
  const ExtensionField* const extension = subject.fields->Find(kSubjectKeyId);
  if (extension == nullptr) return {};
  CBS in = ToCbs(extension->value);
  CBS id;
  if (CBS_get_asn1(&in, &id, CBS_ASN1_OCTETSTRING) != 1) return {};
  return ToBytes(id);
}

bool IsSelfSigned(const StrictSubject& subject) {
  if (!subject.self_issued) return false;
  const bssl::UniquePtr<EVP_PKEY> key = compat::PublicKey(subject.certificate);
  return key != nullptr && X509_verify(subject.certificate, key.get()) == 1;
}

// RFC 5280 4.2.1.1: only what its own key signed may go without. Of an anchor that a foreign key
// signed, the path that the identifier helps to find goes on.
bool AuthorityKeyIdIsThere(const StrictSubject& subject) {
  return subject.fields->Find(kAuthorityKeyId) != nullptr || IsSelfSigned(subject);
}

// The key's identifier and nothing else (CA/Browser Forum 7.1.2.11.1); one's own where one signed
// oneself (7.1.2.1.3).
bool AuthorityKeyIdIsPlain(const StrictSubject& subject) {
  const ExtensionField* const extension = subject.fields->Find(kAuthorityKeyId);
  if (extension == nullptr) return true;
  CBS in = ToCbs(extension->value);
  CBS sequence;
  CBS id;
  if (CBS_get_asn1(&in, &sequence, CBS_ASN1_SEQUENCE) != 1 ||
      CBS_get_asn1(&sequence, &id, kKeyIdTag) != 1 || CBS_len(&sequence) != 0) {
    return false;
  }
  return !subject.self_issued || !subject.is_anchor ||
         std::ranges::equal(ToBytes(id), SubjectKeyIdOf(subject)) || !IsSelfSigned(subject);
}

// RFC 5280 4.2.1.6 and CA/Browser Forum 7.1.2.7.12: critical where it is the only name, and only
// there.
bool AltNameIsCriticalWhenAlone(const StrictSubject& subject) {
  const ExtensionField* const extension = subject.fields->Find(kSubjectAltName);
  return extension == nullptr || extension->critical == subject.fields->subject.empty();
}

constexpr StrictRule kExtensionRules[] = {
    {"an extension twice", Rejection::kBadCertificate, NoneTwice},
    {"an extension that does not decode", Rejection::kBadCertificate, AllDecode},
    {"critical extension that must not be", Rejection::kBadCertificate,
     [](const StrictSubject& s) { return AllAre(false, kNeverCritical, s); }},
    {"critical extension that nobody here knows", Rejection::kBadCertificate,
     [](const StrictSubject& s) {
       return (X509_get_extension_flags(s.certificate) & EXFLAG_CRITICAL) == 0;
     }},
    {"extension that must be critical is not", Rejection::kBadCertificate,
     [](const StrictSubject& s) {
       return AllAre(true, kAlwaysCritical, s) && (s.is_leaf || AllAre(true, kCriticalInCas, s));
     }},
    {"subjectAltName critical beside a subject, or not without one", Rejection::kBadCertificate,
     AltNameIsCriticalWhenAlone},
    {"no authorityKeyIdentifier", Rejection::kBadCertificate, AuthorityKeyIdIsThere},
    {"authorityKeyIdentifier not the plain key identifier", Rejection::kBadCertificate,
     AuthorityKeyIdIsPlain},
    {"CA without subjectKeyIdentifier", Rejection::kBadCertificate,
     [](const StrictSubject& s) { return s.is_leaf || !SubjectKeyIdOf(s).empty(); }},
    {"information access without content", Rejection::kBadCertificate,
     [](const StrictSubject& s) {
       return IsFilledList(s, kAuthorityInfoAccess) && IsFilledList(s, kSubjectInfoAccess);
     }},
    {"policyConstraints without content", Rejection::kBadCertificate,
     [](const StrictSubject& s) { return IsFilledList(s, kPolicyConstraints); }},
};

}  // namespace

std::span<const StrictRule> ExtensionRules() { return kExtensionRules; }

}  // namespace portcullis::tls
