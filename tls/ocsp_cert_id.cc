#include "tls/ocsp_cert_id.h"

#include <openssl/err.h>
#include <openssl/sha.h>

namespace portcullis::tls {
namespace {

constexpr uint8_t kSha256[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};

Bytes KeyBits(const X509* certificate) {
  const ASN1_BIT_STRING* const bits = X509_get0_pubkey_bitstr(certificate);
  if (bits == nullptr) return {};
  return {ASN1_STRING_get0_data(bits), static_cast<size_t>(ASN1_STRING_length(bits))};
}

Bytes NameDer(const X509* certificate) {
  const uint8_t* der = nullptr;
  size_t size = 0;
  // The older library takes the name as non-const.
  if (X509_NAME_get0_der(const_cast<X509_NAME*>(X509_get_subject_name(certificate)), &der, &size) !=
      1) {
    ERR_clear_error();
    return {};
  }
  return {der, size};
}

Bytes Trimmed(Bytes serial) {
  while (serial.size() > 1 && serial[0] == 0 && serial[1] < 0x80) serial = serial.subspan(1);
  return serial;
}

}  // namespace

OcspCertId::OcspCertId(const X509* issuer, Bytes serial) {
  const Bytes name = NameDer(issuer);
  const Bytes key = KeyBits(issuer);
  SHA1(name.data(), name.size(), name_sha1_.data());
  SHA1(key.data(), key.size(), key_sha1_.data());
  SHA256(name.data(), name.size(), name_sha256_.data());
  SHA256(key.data(), key.size(), key_sha256_.data());
  const Bytes trimmed = Trimmed(serial);
  serial_.assign(trimmed.begin(), trimmed.end());
}

bool OcspCertId::Matches(Bytes cert_id) const {
  CBS in = ToCbs(cert_id);
  CBS algorithm;
  CBS oid;
  CBS name;
  CBS key;
  CBS serial;
  if (CBS_get_asn1(&in, &algorithm, CBS_ASN1_SEQUENCE) != 1 ||
      CBS_get_asn1(&algorithm, &oid, CBS_ASN1_OBJECT) != 1 ||
      CBS_get_asn1(&in, &name, CBS_ASN1_OCTETSTRING) != 1 ||
      CBS_get_asn1(&in, &key, CBS_ASN1_OCTETSTRING) != 1 ||
      CBS_get_asn1(&in, &serial, CBS_ASN1_INTEGER) != 1 || CBS_len(&in) != 0) {
    return false;
  }
  if (!Equal(Trimmed(ToBytes(serial)), serial_)) return false;
  if (Equal(ToBytes(oid), kSha1Oid)) {
    return Equal(ToBytes(name), name_sha1_) && Equal(ToBytes(key), key_sha1_);
  }
  return Equal(ToBytes(oid), kSha256) && Equal(ToBytes(name), name_sha256_) &&
         Equal(ToBytes(key), key_sha256_);
}

Sha1 KeySha1(const X509* certificate) {
  const Bytes key = KeyBits(certificate);
  Sha1 digest;
  SHA1(key.data(), key.size(), digest.data());
  return digest;
}

}  // namespace portcullis::tls
