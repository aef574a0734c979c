// The names in a certificate, those it limits others to, and what else it must have by its name:
// RFC 5280 4.1.2.6, 4.2.1.6 and 4.2.1.10, CA/Browser Forum 7.1.2.7 and 7.1.4.3.
#include <arpa/inet.h>

#include <algorithm>
#include <string>

#include "tls/identity.h"
#include "tls/name_syntax.h"
#include "tls/strict_rules.h"

namespace portcullis::tls {
namespace {

// GeneralName (RFC 5280 4.2.1.6). directoryName is explicit, for it is a choice itself.
constexpr CBS_ASN1_TAG kEmail = CBS_ASN1_CONTEXT_SPECIFIC | 1;
constexpr CBS_ASN1_TAG kDns = CBS_ASN1_CONTEXT_SPECIFIC | 2;
constexpr CBS_ASN1_TAG kDirectory = CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 4;
constexpr CBS_ASN1_TAG kUri = CBS_ASN1_CONTEXT_SPECIFIC | 6;
constexpr CBS_ASN1_TAG kIp = CBS_ASN1_CONTEXT_SPECIFIC | 7;
// NameConstraints (RFC 5280 4.2.1.10).
constexpr CBS_ASN1_TAG kPermitted = CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0;
constexpr CBS_ASN1_TAG kExcluded = CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 1;

std::string_view TextOf(const CBS& cbs) {
  return {reinterpret_cast<const char*>(CBS_data(&cbs)), CBS_len(&cbs)};
}

bool IsName(CBS_ASN1_TAG tag, CBS value) {
  switch (tag) {
    case kEmail:
      return IsMailbox(TextOf(value));
    case kDns:
      return IsHostPattern(TextOf(value));
    case kUri:
      return IsAbsoluteUri(TextOf(value));
    case kIp:
      return CBS_len(&value) == 4 || CBS_len(&value) == 16;
    default:
      return true;  // The library has read it; nothing here depends on it.
  }
}

// A domain as a constraint on mail and URIs has it: ".example.com" means all below it.
bool IsDomain(std::string_view text) {
  return IsHostName(text.starts_with('.') ? text.substr(1) : text);
}

bool IsConstraint(CBS_ASN1_TAG tag, CBS value) {
  const std::string_view text = TextOf(value);
  switch (tag) {
    case kEmail:
      return IsMailbox(text) || IsDomain(text);
    case kDns:
      // The empty one is every name.
      return text.empty() || IsHostName(text);
    case kUri:
      return IsDomain(text);
    case kIp:
      return IsAddressAndMask(ToBytes(value));
    case kDirectory:
      return !text.empty();
    default:
      return true;
  }
}

// Calls `visit(tag, value)` with each name until it says false; false then, and when the list is no
// list or is empty.
template <typename Visit>
bool VisitNames(const ExtensionField& extension, Visit visit) {
  CBS in = ToCbs(extension.value);
  CBS list;
  CBS value;
  CBS_ASN1_TAG tag = 0;
  if (CBS_get_asn1(&in, &list, CBS_ASN1_SEQUENCE) != 1 || CBS_len(&list) == 0) return false;
  while (CBS_len(&list) != 0) {
    if (CBS_get_any_asn1(&list, &value, &tag) != 1 || !visit(tag, value)) return false;
  }
  return true;
}

bool AltNamesAreNames(const StrictSubject& subject) {
  const ExtensionField* const extension = subject.fields->Find(kSubjectAltName);
  return extension == nullptr || VisitNames(*extension, IsName);
}

// Subtrees: base, no minimum but the default, no maximum.
bool SubtreesAreWellFormed(CBS list) {
  if (CBS_len(&list) == 0) return false;
  while (CBS_len(&list) != 0) {
    CBS subtree;
    CBS base;
    CBS_ASN1_TAG tag = 0;
    if (CBS_get_asn1(&list, &subtree, CBS_ASN1_SEQUENCE) != 1 ||
        CBS_get_any_asn1(&subtree, &base, &tag) != 1 || CBS_len(&subtree) != 0 ||
        !IsConstraint(tag, base)) {
      return false;
    }
  }
  return true;
}

bool ConstraintsAreWellFormed(const StrictSubject& subject) {
  const ExtensionField* const extension = subject.fields->Find(kNameConstraints);
  if (extension == nullptr) return true;
  CBS in = ToCbs(extension->value);
  CBS sequence;
  if (CBS_get_asn1(&in, &sequence, CBS_ASN1_SEQUENCE) != 1) return false;
  int num_lists = 0;
  for (const CBS_ASN1_TAG tag : {kPermitted, kExcluded}) {
    CBS list;
    int present = 0;
    if (CBS_get_optional_asn1(&sequence, &list, &present, tag) != 1) return false;
    if (present != 0 && !SubtreesAreWellFormed(list)) return false;
    num_lists += present;
  }
  return num_lists > 0 && CBS_len(&sequence) == 0;
}

std::string IpText(const CBS& value) {
  char text[INET6_ADDRSTRLEN] = {};
  const int family = CBS_len(&value) == 4 ? AF_INET : AF_INET6;
  inet_ntop(family, CBS_data(&value), text, sizeof(text));
  return text;
}

bool IsAmong(const std::string& name, const std::vector<std::string>& names) {
  return names.empty() || std::ranges::find(names, name) != names.end();
}

// A common name that reads as a host's is one of the alternative names of its kind, letter for
// letter, where there are any. Names of people and things are free.
bool CommonNameIsAltName(const StrictSubject& subject) {
  const ExtensionField* const extension = subject.fields->Find(kSubjectAltName);
  if (!subject.is_leaf || extension == nullptr) return true;
  std::vector<std::string> domains;
  std::vector<std::string> addresses;
  if (!VisitNames(*extension, [&](CBS_ASN1_TAG tag, const CBS& value) {
        if (tag == kDns) domains.emplace_back(TextOf(value));
        if (tag == kIp) addresses.push_back(IpText(value));
        return true;
      })) {
    return false;
  }
  const std::unique_ptr<PeerIdentity> identity =
      MakeIdentity(subject.certificate, subject.fields->der);
  return std::ranges::all_of(identity->common_names, [&](const std::string& name) {
    return (!ReadsAsDomain(name) || IsAmong(name, domains)) &&
           (!ReadsAsAddress(name) || IsAmong(name, addresses));
  });
}

// Whether it is a host's by any of its names: the baseline requirements are about certificates of
// hosts. What people and programs have is RFC 5280's alone.
bool NamesAHost(const StrictSubject& subject) {
  bool names_a_host = false;
  if (const ExtensionField* const extension = subject.fields->Find(kSubjectAltName)) {
    (void)VisitNames(*extension, [&](CBS_ASN1_TAG tag, const CBS& /*value*/) {
      names_a_host |= tag == kDns || tag == kIp;
      return true;
    });
  }
  if (names_a_host) return true;
  const std::unique_ptr<PeerIdentity> identity =
      MakeIdentity(subject.certificate, subject.fields->der);
  return std::ranges::any_of(identity->common_names, [](const std::string& name) {
    return ReadsAsDomain(name) || ReadsAsAddress(name);
  });
}

constexpr StrictRule kNameRules[] = {
    {"subjectAltName with no name or a malformed one", Rejection::kBadCertificate,
     AltNamesAreNames},
    {"common name of a host that is not among its subjectAltNames", Rejection::kBadCertificate,
     CommonNameIsAltName},
    {"nameConstraints outside a CA", Rejection::kBadCertificate,
     [](const StrictSubject& s) {
       return !s.is_leaf || s.fields->Find(kNameConstraints) == nullptr;
     }},
    {"nameConstraints empty or malformed", Rejection::kBadCertificate, ConstraintsAreWellFormed},
};

constexpr StrictRule kClientRules[] = {
    {"neither subject nor subjectAltName", Rejection::kBadCertificate,
     [](const StrictSubject& s) {
       return !s.fields->subject.empty() || s.fields->Find(kSubjectAltName) != nullptr;
     }},
    {"a host's name, and no subjectAltName", Rejection::kBadCertificate,
     [](const StrictSubject& s) {
       return s.fields->Find(kSubjectAltName) != nullptr || !NamesAHost(s);
     }},
    {"a host's name, and no extKeyUsage", Rejection::kBadPurpose,
     [](const StrictSubject& s) {
       return s.fields->Find(kExtendedKeyUsage) != nullptr || !NamesAHost(s);
     }},
};

}  // namespace

std::span<const StrictRule> NameRules() { return kNameRules; }
std::span<const StrictRule> ClientRules() { return kClientRules; }

}  // namespace portcullis::tls
