#include "tls/identity.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <string_view>

namespace portcullis::tls {
namespace {

std::string_view StringView(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<size_t>(ASN1_STRING_length(string))};
}

std::string AddressText(const ASN1_OCTET_STRING* address) {
  char text[INET6_ADDRSTRLEN] = "";
  const uint8_t* const bytes = ASN1_STRING_get0_data(address);
  switch (ASN1_STRING_length(address)) {
    case 4:
      inet_ntop(AF_INET, bytes, text, sizeof(text));
      break;
    case 16:
      inet_ntop(AF_INET6, bytes, text, sizeof(text));
      break;
    default:
      break;  // Not an address: stays empty.
  }
  return text;
}

void ReadAlternativeNames(const X509* leaf, PeerIdentity& identity) {
  const bssl::UniquePtr<GENERAL_NAMES> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr)));
  if (names == nullptr) return;
  for (size_t i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    switch (name->type) {
      case GEN_DNS:
        identity.dns_names.emplace_back(StringView(name->d.dNSName));
        break;
      case GEN_URI:
        identity.uris.emplace_back(StringView(name->d.uniformResourceIdentifier));
        break;
      case GEN_EMAIL:
        identity.emails.emplace_back(StringView(name->d.rfc822Name));
        break;
      case GEN_IPADD:
        identity.ips.push_back(AddressText(name->d.iPAddress));
        break;
      default:
        break;
    }
  }
}

// The values of an attribute of the subject as UTF-8, in order; a NUL for one that does not decode.
std::vector<std::string> AttributeValues(const X509_NAME* name, int nid) {
  std::vector<std::string> values;
  int index = -1;
  while ((index = X509_NAME_get_index_by_NID(name, nid, index)) >= 0) {
    uint8_t* utf8 = nullptr;
    const int size =
        ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)));
    if (size < 0) {
      values.emplace_back(1, '\0');
      continue;
    }
    values.emplace_back(reinterpret_cast<const char*>(utf8), static_cast<size_t>(size));
    OPENSSL_free(utf8);
  }
  return values;
}

std::vector<std::string> PolicyOids(const X509* leaf) {
  std::vector<std::string> oids;
  const bssl::UniquePtr<CERTIFICATEPOLICIES> policies(static_cast<CERTIFICATEPOLICIES*>(
      X509_get_ext_d2i(leaf, NID_certificate_policies, nullptr, nullptr)));
  for (size_t i = 0; policies != nullptr && i < sk_POLICYINFO_num(policies.get()); ++i) {
    const ASN1_OBJECT* const oid = sk_POLICYINFO_value(policies.get(), i)->policyid;
    char text[256];
    const int size = OBJ_obj2txt(text, sizeof(text), oid, /*always_return_oid=*/1);
    // Cut short, it could be another's.
    if (size <= 0 || static_cast<size_t>(size) >= sizeof(text)) {
      oids.emplace_back();
      continue;
    }
    oids.emplace_back(text, static_cast<size_t>(size));
  }
  return oids;
}

Sha256 PublicKeyDigest(const X509* leaf) {
  Sha256 digest{};
  uint8_t* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &der);
  if (size <= 0) return digest;
  SHA256(der, static_cast<size_t>(size), digest.data());
  OPENSSL_free(der);
  return digest;
}

}  // namespace

std::string NameText(const X509_NAME* name) {
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  const uint8_t* text = nullptr;
  size_t size = 0;
  // The older library takes the name as non-const.
  if (bio == nullptr || name == nullptr ||
      X509_NAME_print_ex(bio.get(), const_cast<X509_NAME*>(name), 0, XN_FLAG_RFC2253) < 0 ||
      BIO_mem_contents(bio.get(), &text, &size) != 1) {
    return {};
  }
  return {reinterpret_cast<const char*>(text), size};
}

std::string SerialText(const ASN1_INTEGER* serial) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  if (ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER) text.push_back('-');
  for (const char c : StringView(serial)) {
    const auto byte = static_cast<uint8_t>(c);
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text.empty() ? "00" : text;
}

int64_t TimeValue(const ASN1_TIME* time, int64_t otherwise) {
  int64_t value = 0;
  return time != nullptr && ASN1_TIME_to_posix(time, &value) == 1 ? value : otherwise;
}

std::unique_ptr<PeerIdentity> MakeIdentity(const X509* leaf, std::span<const uint8_t> der) {
  auto identity = std::make_unique<PeerIdentity>();
  identity->subject = NameText(X509_get_subject_name(leaf));
  identity->issuer = NameText(X509_get_issuer_name(leaf));
  identity->serial_hex = SerialText(X509_get0_serialNumber(leaf));
  SHA256(der.data(), der.size(), identity->sha256.data());
  identity->not_before = TimeValue(X509_get0_notBefore(leaf), 0);
  identity->not_after = TimeValue(X509_get0_notAfter(leaf), 0);
  identity->spki_sha256 = PublicKeyDigest(leaf);
  const X509_NAME* const subject = X509_get_subject_name(leaf);
  identity->common_names = AttributeValues(subject, NID_commonName);
  identity->organizations = AttributeValues(subject, NID_organizationName);
  identity->organizational_units = AttributeValues(subject, NID_organizationalUnitName);
  ReadAlternativeNames(leaf, *identity);
  identity->policy_oids = PolicyOids(leaf);
  identity->chain_der.emplace_back(der);
  ERR_clear_error();  // Of fields that did not decode.
  return identity;
}

}  // namespace portcullis::tls
