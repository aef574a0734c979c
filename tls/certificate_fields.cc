#include "tls/certificate_fields.h"

#include <openssl/err.h>
#include <openssl/mem.h>

#include <algorithm>

namespace portcullis::tls {
namespace {

constexpr CBS_ASN1_TAG kVersionTag = CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0;
constexpr CBS_ASN1_TAG kIssuerUidTag = CBS_ASN1_CONTEXT_SPECIFIC | 1;
constexpr CBS_ASN1_TAG kSubjectUidTag = CBS_ASN1_CONTEXT_SPECIFIC | 2;
constexpr CBS_ASN1_TAG kExtensionsTag = CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 3;

bool ReadTime(CBS* in, TimeField& out) {
  CBS text;
  if (CBS_get_any_asn1(in, &text, &out.tag) != 1) return false;
  out.text = ToBytes(text);
  return true;
}

// An element with its tag.
bool ReadElement(CBS* in, CBS_ASN1_TAG tag, Bytes& out) {
  CBS element;
  if (CBS_get_asn1_element(in, &element, tag) != 1) return false;
  out = ToBytes(element);
  return true;
}

bool ReadContent(CBS* in, CBS_ASN1_TAG tag, Bytes& out) {
  CBS content;
  if (CBS_get_asn1(in, &content, tag) != 1) return false;
  out = ToBytes(content);
  return true;
}

bool ReadExtension(CBS* in, ExtensionField& out) {
  CBS extension;
  CBS oid;
  CBS value;
  bool critical = false;
  if (CBS_get_asn1(in, &extension, CBS_ASN1_SEQUENCE) != 1 ||
      CBS_get_asn1(&extension, &oid, CBS_ASN1_OBJECT) != 1 || !ReadFlag(&extension, critical) ||
      CBS_get_asn1(&extension, &value, CBS_ASN1_OCTETSTRING) != 1 || CBS_len(&extension) != 0) {
    return false;
  }
  out = {.oid = ToBytes(oid), .critical = critical, .value = ToBytes(value)};
  return true;
}

bool ReadExtensions(CBS* in, std::vector<ExtensionField>& out) {
  CBS wrapper;
  CBS list;
  int present = 0;
  if (CBS_get_optional_asn1(in, &wrapper, &present, kExtensionsTag) != 1) return false;
  if (present == 0) return true;
  if (CBS_get_asn1(&wrapper, &list, CBS_ASN1_SEQUENCE) != 1 || CBS_len(&wrapper) != 0) return false;
  while (CBS_len(&list) != 0) {
    if (!ReadExtension(&list, out.emplace_back())) return false;
  }
  return !out.empty();
}

bool ReadTbs(CBS* in, CertificateFields& out) {
  CBS tbs;
  CBS version;
  CBS validity;
  CBS key_info;
  CBS unique_id;
  int present = 0;
  if (CBS_get_asn1(in, &tbs, CBS_ASN1_SEQUENCE) != 1 ||
      CBS_get_optional_asn1(&tbs, &version, &present, kVersionTag) != 1 ||
      (present != 0 && CBS_get_asn1_uint64(&version, &out.version) != 1) ||
      !ReadContent(&tbs, CBS_ASN1_INTEGER, out.serial) ||
      !ReadElement(&tbs, CBS_ASN1_SEQUENCE, out.inner_algorithm) ||
      !ReadContent(&tbs, CBS_ASN1_SEQUENCE, out.issuer) ||
      CBS_get_asn1(&tbs, &validity, CBS_ASN1_SEQUENCE) != 1 ||
      !ReadTime(&validity, out.not_before) || !ReadTime(&validity, out.not_after) ||
      CBS_len(&validity) != 0 || !ReadContent(&tbs, CBS_ASN1_SEQUENCE, out.subject) ||
      CBS_get_asn1(&tbs, &key_info, CBS_ASN1_SEQUENCE) != 1 ||
      !ReadElement(&key_info, CBS_ASN1_SEQUENCE, out.key_algorithm)) {
    return false;
  }
  for (const CBS_ASN1_TAG tag : {kIssuerUidTag, kSubjectUidTag}) {
    if (CBS_get_optional_asn1(&tbs, &unique_id, &present, tag) != 1) return false;
    out.has_unique_id |= present != 0;
  }
  return ReadExtensions(&tbs, out.extensions) && CBS_len(&tbs) == 0;
}

}  // namespace

bool ReadFlag(CBS* in, bool& out) {
  CBS value;
  int present = 0;
  uint8_t octet = 0;
  out = false;
  if (CBS_get_optional_asn1(in, &value, &present, CBS_ASN1_BOOLEAN) != 1) return false;
  if (present == 0) return true;
  out = true;
  return CBS_get_u8(&value, &octet) == 1 && octet == 0xff && CBS_len(&value) == 0;
}

const ExtensionField* CertificateFields::Find(Bytes oid) const {
  const auto found = std::find_if(
      extensions.begin(), extensions.end(),
      [oid](const ExtensionField& extension) { return std::ranges::equal(extension.oid, oid); });
  return found == extensions.end() ? nullptr : &*found;
}

std::optional<CertificateFields> ReadCertificateFields(const X509* certificate) {
  uint8_t* encoded = nullptr;
  const int size = i2d_X509(const_cast<X509*>(certificate), &encoded);
  if (size <= 0) {
    ERR_clear_error();
    return std::nullopt;
  }
  CertificateFields fields;
  fields.der.assign(encoded, encoded + size);
  OPENSSL_free(encoded);
  CBS in = ToCbs(fields.der);
  CBS whole;
  const bool read = CBS_get_asn1(&in, &whole, CBS_ASN1_SEQUENCE) == 1 && ReadTbs(&whole, fields) &&
                    ReadElement(&whole, CBS_ASN1_SEQUENCE, fields.outer_algorithm);
  ERR_clear_error();
  if (!read) return std::nullopt;
  return fields;
}

}  // namespace portcullis::tls
