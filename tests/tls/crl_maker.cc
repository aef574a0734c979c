#include "tests/tls/crl_maker.h"

#include <openssl/bio.h>
#include <openssl/bytestring.h>
#include <openssl/digest.h>
#include <openssl/mem.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace portcullis::tls::testing {
namespace {

void Must(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "test CRL: %s failed\n", what);
  std::abort();
}

constexpr uint8_t kSequence = 0x30;
constexpr uint8_t kInteger = 0x02;
constexpr uint8_t kOctetString = 0x04;

Octets Oid(const Octets& content) { return Tlv(0x06, content); }
const Octets& Null() {
  static const Octets* const kNull = new Octets{0x05, 0x00};
  return *kNull;
}

Octets Pkcs1(uint8_t last) { return Oid({0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, last}); }

// SHA-256 is 1, SHA-384 2, SHA-512 3.
Octets Sha2(uint8_t last) {
  return Tlv(kSequence,
             Join({Oid({0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last}), Null()}));
}

Octets Pss(uint8_t hash, uint8_t salt) {
  const Octets mgf1 = Tlv(kSequence, Join({Pkcs1(8), Sha2(hash)}));
  const Octets parameters = Tlv(
      kSequence, Join({Tlv(0xa0, Sha2(hash)), Tlv(0xa1, mgf1), Tlv(0xa2, Tlv(kInteger, {salt}))}));
  return Tlv(kSequence, Join({Pkcs1(10), parameters}));
}

Octets Rsa(uint8_t last) { return Tlv(kSequence, Join({Pkcs1(last), Null()})); }

struct Scheme {
  Octets algorithm;
  const EVP_MD* digest = nullptr;
  bool pss = false;
};

Scheme SchemeOf(EVP_PKEY* key, CrlSignature kind) {
  if (EVP_PKEY_id(key) == EVP_PKEY_ED25519) {
    return {.algorithm = Tlv(kSequence, Oid({0x2b, 0x65, 0x70}))};
  }
  const bool rsa = EVP_PKEY_id(key) == EVP_PKEY_RSA;
  switch (kind) {
    case CrlSignature::kSha1:
      return {.algorithm =
                  rsa ? Rsa(5) : Tlv(kSequence, Oid({0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01})),
              .digest = EVP_sha1()};
    case CrlSignature::kSha384:
      return {
          .algorithm =
              rsa ? Rsa(12) : Tlv(kSequence, Oid({0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03})),
          .digest = EVP_sha384()};
    case CrlSignature::kPss256:
      return {.algorithm = Pss(1, 32), .digest = EVP_sha256(), .pss = true};
    case CrlSignature::kPss512:
      return {.algorithm = Pss(3, 64), .digest = EVP_sha512(), .pss = true};
    case CrlSignature::kUsual:
    case CrlSignature::kDamaged:
      break;
  }
  return {.algorithm =
              rsa ? Rsa(11) : Tlv(kSequence, Oid({0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02})),
          .digest = EVP_sha256()};
}

Octets Sign(EVP_PKEY* key, const Scheme& scheme, const Octets& message) {
  bssl::ScopedEVP_MD_CTX context;
  EVP_PKEY_CTX* key_context = nullptr;
  Must(EVP_DigestSignInit(context.get(), &key_context, scheme.digest, nullptr, key) == 1, "sign");
  if (scheme.pss) {
    Must(EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, -1) == 1,
         "PSS");
  }
  size_t size = 0;
  Must(EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) == 1, "sign");
  Octets signature(size);
  Must(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) == 1,
       "sign");
  signature.resize(size);
  return signature;
}

Octets NameOfIssuer(const TestCertificate& issuer) {
  const uint8_t* der = nullptr;
  size_t size = 0;
  Must(X509_NAME_get0_der(X509_get_subject_name(issuer.x509()), &der, &size) == 1, "name");
  return {der, der + size};
}

Octets Number(int value) {
  return Tlv(kInteger, value < 128
                           ? Octets{static_cast<uint8_t>(value)}
                           : Octets{static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)});
}

Octets KeyId(const TestCertificate& issuer) {
  const ASN1_OCTET_STRING* const id = X509_get0_subject_key_id(issuer.x509());
  Must(id != nullptr, "key id");
  const uint8_t* const data = ASN1_STRING_get0_data(id);
  return {data, data + ASN1_STRING_length(id)};
}

Octets Extensions(const TestCertificate& issuer, const CrlSpec& spec) {
  Octets all = spec.extensions;
  const auto add = [&all](const Octets& extension) {
    all.insert(all.end(), extension.begin(), extension.end());
  };
  if (spec.key_id) add(ExtensionOf(35, false, Tlv(kSequence, Tlv(0x80, KeyId(issuer)))));
  if (spec.number >= 0) add(ExtensionOf(20, false, Number(spec.number)));
  if (spec.base_number >= 0) add(ExtensionOf(27, true, Number(spec.base_number)));
  if (spec.has_scope || !spec.scope.empty()) {
    add(ExtensionOf(28, true, Tlv(kSequence, spec.scope)));
  }
  return all;
}

Octets Entry(const EntrySpec& entry) {
  Octets extensions = entry.extensions;
  if (entry.reason >= 0) {
    const Octets reason = ExtensionOf(21, false, Tlv(0x0a, {static_cast<uint8_t>(entry.reason)}));
    extensions.insert(extensions.end(), reason.begin(), reason.end());
  }
  return Tlv(kSequence, Join({Tlv(kInteger, entry.serial), TimeOf(entry.revoked_at),
                              extensions.empty() ? Octets{} : Tlv(kSequence, extensions)}));
}

}  // namespace

Octets Tlv(uint8_t tag, const Octets& content) {
  Octets out = {tag};
  size_t size = content.size();
  if (size < 128) {
    out.push_back(static_cast<uint8_t>(size));
  } else {
    Octets length;
    for (; size != 0; size >>= 8) length.insert(length.begin(), static_cast<uint8_t>(size));
    out.push_back(static_cast<uint8_t>(0x80 | length.size()));
    out.insert(out.end(), length.begin(), length.end());
  }
  out.insert(out.end(), content.begin(), content.end());
  return out;
}

Octets Join(const std::vector<Octets>& parts) {
  Octets out;
  for (const Octets& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

Octets ExtensionOf(uint8_t id, bool critical, const Octets& value) {
  return Tlv(kSequence, Join({Oid({0x55, 0x1d, id}), critical ? Octets{0x01, 0x01, 0xff} : Octets{},
                              Tlv(kOctetString, value)}));
}

Octets UriName(const std::string& uri) { return Tlv(0x86, Octets(uri.begin(), uri.end())); }

Octets TimeOf(int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts = {};
  Must(gmtime_r(&time, &parts) != nullptr, "time");
  const bool generalized = parts.tm_year >= 150;
  char text[32];
  const size_t size =
      std::strftime(text, sizeof(text), generalized ? "%Y%m%d%H%M%SZ" : "%y%m%d%H%M%SZ", &parts);
  return Tlv(generalized ? 0x18 : 0x17, Octets(text, text + size));
}

Octets AlgorithmOf(const TestCertificate& signer, CrlSignature kind) {
  return SchemeOf(signer.key(), kind).algorithm;
}

Octets SignatureOf(const TestCertificate& signer, CrlSignature kind, const Octets& message) {
  Octets signature = Sign(signer.key(), SchemeOf(signer.key(), kind), message);
  if (kind == CrlSignature::kDamaged) signature.back() ^= 1;
  return Tlv(0x03, Join({Octets{0}, signature}));
}

std::string MakeCrl(const TestCertificate& issuer, const CrlSpec& spec) {
  const Scheme scheme = SchemeOf(issuer.key(), spec.signature);
  Octets entries;
  for (const EntrySpec& entry : spec.entries) {
    const Octets one = Entry(entry);
    entries.insert(entries.end(), one.begin(), one.end());
  }
  const Octets extensions = Extensions(issuer, spec);
  const Octets tbs = Tlv(
      kSequence,
      Join({spec.v1 ? Octets{} : Number(1) /* v2 */,
            spec.other_inner_algorithm ? Tlv(kSequence, Oid({0x2b, 0x65, 0x71})) : scheme.algorithm,
            NameOfIssuer(issuer), TimeOf(spec.this_update),
            spec.next_update == 0 ? Octets{} : TimeOf(spec.next_update),
            entries.empty() ? Octets{} : Tlv(kSequence, entries),
            extensions.empty() ? Octets{} : Tlv(0xa0, Tlv(kSequence, extensions))}));
  const Octets der =
      Tlv(kSequence, Join({tbs, scheme.algorithm, SignatureOf(issuer, spec.signature, tbs)}));
  return {der.begin(), der.end()};
}

std::vector<EntrySpec> Entries(std::initializer_list<uint8_t> serials) {
  std::vector<EntrySpec> entries;
  for (const uint8_t serial : serials) entries.push_back({.serial = {serial}});
  return entries;
}

std::string AsPem(const std::string& der) {
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  const uint8_t* text = nullptr;
  size_t size = 0;
  Must(PEM_write_bio(bio.get(), PEM_STRING_X509_CRL, "",
                     reinterpret_cast<const uint8_t*>(der.data()),
                     static_cast<long>(der.size())) > 0 &&
           BIO_mem_contents(bio.get(), &text, &size) == 1,
       "PEM");
  return {reinterpret_cast<const char*>(text), size};
}

}  // namespace portcullis::tls::testing
