#include "tls/name_canonical.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/obj.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"

namespace portcullis::tls {
namespace {

// The kinds of string which are texts to compare, whatever they are encoded in.
constexpr unsigned kTexts = B_ASN1_UTF8STRING | B_ASN1_BMPSTRING | B_ASN1_UNIVERSALSTRING |
                            B_ASN1_PRINTABLESTRING | B_ASN1_T61STRING | B_ASN1_IA5STRING |
                            B_ASN1_VISIBLESTRING;

bool IsText(int type) {
  return type >= 0 && type <= 30 && (static_cast<unsigned>(ASN1_tag2bit(type)) & kTexts) != 0;
}

// Lower case, runs of spaces made one, none at either end.
std::string Folded(std::string_view text) {
  std::string folded;
  bool gap = false;
  for (const char c : text) {
    if (absl::ascii_isspace(static_cast<unsigned char>(c))) {
      gap = !folded.empty();
      continue;
    }
    if (gap) folded.push_back(' ');
    gap = false;
    folded.push_back(absl::ascii_tolower(static_cast<unsigned char>(c)));
  }
  return folded;
}

// Length and bytes, so that what is joined can be told apart.
void Append(std::string_view part, std::string& out) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(part.size() >> shift & 0xff));
  }
  out.append(part);
}

std::string CanonicalEntry(const X509_NAME_ENTRY& entry) {
  const ASN1_OBJECT* const object = X509_NAME_ENTRY_get_object(&entry);
  const ASN1_STRING* const value = X509_NAME_ENTRY_get_data(&entry);
  std::string canonical;
  Append({reinterpret_cast<const char*>(OBJ_get0_data(object)), OBJ_length(object)}, canonical);
  uint8_t* utf8 = nullptr;
  const int size = IsText(ASN1_STRING_type(value)) ? ASN1_STRING_to_UTF8(&utf8, value) : -1;
  if (size < 0) {
    canonical.push_back(static_cast<char>(ASN1_STRING_type(value)));
    Append({reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
            static_cast<size_t>(ASN1_STRING_length(value))},
           canonical);
    return canonical;
  }
  const bssl::UniquePtr<uint8_t> owner(utf8);
  canonical.push_back(static_cast<char>(V_ASN1_UTF8STRING));
  Append(Folded({reinterpret_cast<const char*>(utf8), static_cast<size_t>(size)}), canonical);
  return canonical;
}

}  // namespace

std::string CanonicalName(const X509_NAME& name) {
  std::string canonical;
  const int count = X509_NAME_entry_count(&name);
  for (int i = 0; i < count;) {
    // The attributes of one RDN are a set: their order says nothing.
    std::vector<std::string> attributes;
    const int set = X509_NAME_ENTRY_set(X509_NAME_get_entry(&name, i));
    for (; i < count && X509_NAME_ENTRY_set(X509_NAME_get_entry(&name, i)) == set; ++i) {
      attributes.push_back(CanonicalEntry(*X509_NAME_get_entry(&name, i)));
    }
    std::ranges::sort(attributes);
    std::string relative_name;
    for (const std::string& attribute : attributes) Append(attribute, relative_name);
    Append(relative_name, canonical);
  }
  ERR_clear_error();  // Of values that did not decode.
  return canonical;
}

bssl::UniquePtr<X509_NAME> ParseName(Bytes der) {
  const uint8_t* in = der.data();
  bssl::UniquePtr<X509_NAME> name(
      d2i_X509_NAME(nullptr, &in, static_cast<long>(der.size())));  // NOLINT(google-runtime-int)
  if (name == nullptr || in != der.data() + der.size()) {
    ERR_clear_error();
    return nullptr;
  }
  return name;
}

}  // namespace portcullis::tls
