#include "tls/name_match.h"

#include <openssl/asn1.h>
#include <openssl/x509.h>

#include <algorithm>
#include <span>
#include <string_view>

namespace portcullis::tls {
namespace {

std::string_view Text(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<size_t>(ASN1_STRING_length(string))};
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool EqualsCaseless(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return Lower(x) == Lower(y); });
}

bool EndsCaseless(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() &&
         EqualsCaseless(text.substr(text.size() - suffix.size()), suffix);
}

NameMatch Whether(bool within) { return within ? NameMatch::kWithin : NameMatch::kOutside; }

// `name` is `base` or below it.
bool IsAtOrBelow(std::string_view name, std::string_view base) {
  if (!EndsCaseless(name, base)) return false;
  return name.size() == base.size() || name[name.size() - base.size() - 1] == '.';
}

NameMatch MatchDns(std::string_view name, std::string_view base, Subtree side) {
  if (base.empty()) return NameMatch::kWithin;
  // Not RFC 5280's syntax, but everybody's: ".example" leaves "example" itself out.
  if (base.front() == '.') {
    if (EndsCaseless(name, base)) return NameMatch::kWithin;
    base.remove_prefix(1);
  } else if (IsAtOrBelow(name, base)) {
    return NameMatch::kWithin;
  }
  // "*.example" may stand for "a.example", where that is excluded.
  return Whether(side == Subtree::kExcluded && name.starts_with("*.") &&
                 EndsCaseless(base, name.substr(1)));
}

NameMatch MatchEmail(std::string_view name, std::string_view base) {
  const size_t at = name.rfind('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == name.size()) return NameMatch::kBadName;
  const std::string_view host = name.substr(at + 1);
  if (base.starts_with('.')) return Whether(EndsCaseless(host, base));
  const size_t base_at = base.rfind('@');
  if (base_at == std::string_view::npos) return Whether(base.empty() || EqualsCaseless(host, base));
  if (base_at + 1 == base.size()) return NameMatch::kBadConstraint;
  // The local part's case is its host's business.
  return Whether((base_at == 0 || name.substr(0, at) == base.substr(0, base_at)) &&
                 EqualsCaseless(host, base.substr(base_at + 1)));
}

NameMatch MatchUri(std::string_view name, std::string_view base) {
  const size_t colon = name.find(':');
  if (colon == std::string_view::npos || !name.substr(colon + 1).starts_with("//")) {
    return NameMatch::kBadName;
  }
  std::string_view host = name.substr(colon + 3);
  host = host.substr(0, host.find_first_of("/?#"));
  if (const size_t at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
  // RFC 5280: only a host given as a name can be compared.
  if (host.starts_with('[')) return NameMatch::kBadName;
  host = host.substr(0, host.find(':'));
  const bool is_address =
      !host.empty() && host.find_first_not_of("0123456789.") == std::string_view::npos;
  if (host.empty() || is_address) return NameMatch::kBadName;
  if (base.starts_with('.')) return Whether(EndsCaseless(host, base));
  return Whether(EqualsCaseless(host, base));
}

bool IsPrefixMask(std::span<const uint8_t> mask) {
  bool ended = false;
  for (const uint8_t byte : mask) {
    if (ended && byte != 0) return false;
    const auto inverse = static_cast<uint8_t>(~byte);
    if ((inverse & (inverse + 1)) != 0) return false;  // ones after a zero
    ended = ended || byte != 0xff;
  }
  return true;
}

NameMatch MatchAddress(const ASN1_OCTET_STRING* name, const ASN1_OCTET_STRING* base) {
  const std::span<const uint8_t> address(ASN1_STRING_get0_data(name),
                                         static_cast<size_t>(ASN1_STRING_length(name)));
  const std::span<const uint8_t> range(ASN1_STRING_get0_data(base),
                                       static_cast<size_t>(ASN1_STRING_length(base)));
  if (address.size() != 4 && address.size() != 16) return NameMatch::kBadName;
  if (range.size() != 8 && range.size() != 32) return NameMatch::kBadConstraint;
  const std::span<const uint8_t> mask = range.subspan(range.size() / 2);
  if (!IsPrefixMask(mask)) return NameMatch::kBadConstraint;
  if (mask.size() != address.size()) return NameMatch::kOutside;
  for (size_t i = 0; i < mask.size(); ++i) {
    if (((address[i] ^ range[i]) & mask[i]) != 0) return NameMatch::kOutside;
  }
  return NameMatch::kWithin;
}

// Number of RDNs.
int NumRdns(const X509_NAME* name) {
  const int count = X509_NAME_entry_count(name);
  return count == 0 ? 0 : X509_NAME_ENTRY_set(X509_NAME_get_entry(name, count - 1)) + 1;
}

// The subtree's RDNs must be the name's first ones. Names compare in canonical form, which the
// library keeps to itself: so the name is cut to the subtree's length, and compared whole.
NameMatch MatchDirectory(X509_NAME* name, X509_NAME* base) {
  const int wanted = NumRdns(base);
  if (NumRdns(name) < wanted) return NameMatch::kOutside;
  const bssl::UniquePtr<X509_NAME> cut(X509_NAME_dup(name));
  if (cut == nullptr) return NameMatch::kBadName;
  while (NumRdns(cut.get()) > wanted) {
    X509_NAME_ENTRY_free(X509_NAME_delete_entry(cut.get(), X509_NAME_entry_count(cut.get()) - 1));
  }
  return Whether(X509_NAME_cmp(cut.get(), base) == 0);
}

}  // namespace

NameMatch MatchName(const GENERAL_NAME& name, const GENERAL_NAME& base, Subtree side) {
  switch (base.type) {
    case GEN_DNS:
      return MatchDns(Text(name.d.dNSName), Text(base.d.dNSName), side);
    case GEN_EMAIL:
      return MatchEmail(Text(name.d.rfc822Name), Text(base.d.rfc822Name));
    case GEN_URI:
      return MatchUri(Text(name.d.uniformResourceIdentifier),
                      Text(base.d.uniformResourceIdentifier));
    case GEN_IPADD:
      return MatchAddress(name.d.iPAddress, base.d.iPAddress);
    case GEN_DIRNAME:
      return MatchDirectory(name.d.directoryName, base.d.directoryName);
    default:
      return NameMatch::kUnsupported;
  }
}

}  // namespace portcullis::tls
