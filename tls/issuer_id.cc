#include "tls/issuer_id.h"

#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/sha.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tls/der.h"
#include "tls/name_canonical.h"

namespace portcullis::tls {
namespace {

constexpr size_t kNameBytes = sizeof(uint64_t);

Sha256 Digest(std::string_view bytes) {
  Sha256 digest;
  SHA256(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), digest.data());
  return digest;
}

uint64_t First64(const Sha256& digest) {
  uint64_t value = 0;
  for (size_t i = 0; i < kNameBytes; ++i) value = value << 8 | digest[i];
  return value;
}

uint64_t HashDirectoryName(Bytes name_der, Bytes otherwise) {
  const bssl::UniquePtr<X509_NAME> name = ParseName(name_der);
  if (name != nullptr) return First64(Digest("directoryName " + CanonicalName(*name)));
  return First64(Digest({reinterpret_cast<const char*>(otherwise.data()), otherwise.size()}));
}

}  // namespace

IssuerId MakeIssuerId(const X509* certificate) {
  uint8_t* spki = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
  const bssl::UniquePtr<uint8_t> owner(spki);
  if (size <= 0) return {};
  const std::string name = CanonicalName(*X509_get_subject_name(certificate));
  const Sha256 of_name = Digest(name);
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, of_name.data(), of_name.size());
  SHA256_Update(&context, spki, static_cast<size_t>(size));
  IssuerId id;
  SHA256_Final(id.data(), &context);
  std::copy_n(of_name.begin(), kNameBytes, id.begin());
  return id;
}

IssuerId MakeIssuerId(std::span<const uint8_t> certificate_der) {
  const uint8_t* in = certificate_der.data();
  const bssl::UniquePtr<X509> certificate(d2i_X509(
      nullptr, &in, static_cast<long>(certificate_der.size())));  // NOLINT(google-runtime-int)
  if (certificate == nullptr) {
    ERR_clear_error();
    return {};
  }
  return MakeIssuerId(certificate.get());
}

uint64_t NamePart(const IssuerId& id) { return First64(id); }

uint64_t NamePartOf(std::string_view canonical_name) { return First64(Digest(canonical_name)); }

uint64_t NameHash64(std::span<const uint8_t> general_name_der) {
  CBS in = ToCbs(general_name_der);
  CBS name;
  if (CBS_get_asn1(&in, &name, kDirectoryName) == 1 && CBS_len(&in) == 0) {
    return HashDirectoryName(ToBytes(name), general_name_der);
  }
  return First64(
      Digest({reinterpret_cast<const char*>(general_name_der.data()), general_name_der.size()}));
}

uint64_t RelativeNameHash64(std::span<const uint8_t> relative_name,
                            std::span<const uint8_t> issuer_der) {
  CBS in = ToCbs(issuer_der);
  CBS issuer;
  bssl::ScopedCBB out;
  CBB name;
  CBB relative;
  uint8_t* der = nullptr;
  size_t size = 0;
  if (CBS_get_asn1(&in, &issuer, CBS_ASN1_SEQUENCE) != 1 || CBB_init(out.get(), 256) != 1 ||
      CBB_add_asn1(out.get(), &name, CBS_ASN1_SEQUENCE) != 1 ||
      CBB_add_bytes(&name, CBS_data(&issuer), CBS_len(&issuer)) != 1 ||
      CBB_add_asn1(&name, &relative, CBS_ASN1_SET) != 1 ||
      CBB_add_bytes(&relative, relative_name.data(), relative_name.size()) != 1 ||
      CBB_finish(out.get(), &der, &size) != 1) {
    ERR_clear_error();
    return 0;
  }
  const bssl::UniquePtr<uint8_t> owner(der);
  return HashDirectoryName({der, size}, relative_name);
}

}  // namespace portcullis::tls
