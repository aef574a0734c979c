#include "tls/signature_check.h"

#include <openssl/digest.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <optional>
#include <span>

namespace portcullis::tls {
namespace {

// How an algorithm is carried out. A null digest: the algorithm has its own (Ed25519).
struct Scheme {
  int key_type = EVP_PKEY_NONE;
  const EVP_MD* digest = nullptr;
  bool pss = false;
};

// Content octets of the identifiers.
constexpr uint8_t kPkcs1[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01};  // and one more
constexpr uint8_t kMd5Rsa = 4;
constexpr uint8_t kSha1Rsa = 5;
constexpr uint8_t kMgf1 = 8;
constexpr uint8_t kRsaPss = 10;
constexpr uint8_t kSha256Rsa = 11;
constexpr uint8_t kSha384Rsa = 12;
constexpr uint8_t kSha512Rsa = 13;
constexpr uint8_t kEcdsaSha1[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01};
constexpr uint8_t kEcdsaSha2[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03};  // and one more
constexpr uint8_t kEd25519[] = {0x2b, 0x65, 0x70};

// The last octet of an identifier that is `prefix` and one octet; 0 for others.
uint8_t LastOf(Bytes oid, Bytes prefix) {
  const bool is_one = oid.size() == prefix.size() + 1 && Equal(oid.first(prefix.size()), prefix);
  return is_one ? oid.back() : uint8_t{0};
}

bool IsNullOrAbsent(CBS parameters) {
  if (CBS_len(&parameters) == 0) return true;
  CBS null;
  return CBS_get_asn1(&parameters, &null, CBS_ASN1_NULL) == 1 && CBS_len(&null) == 0 &&
         CBS_len(&parameters) == 0;
}

bool IsStrong(const EVP_MD* digest) {
  return digest == EVP_sha256() || digest == EVP_sha384() || digest == EVP_sha512();
}

constexpr CBS_ASN1_TAG Explicit(unsigned number) {
  return CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | number;
}

// The digest of a maskGenAlgorithm, which must be MGF1; null for another.
const EVP_MD* ReadMgf1(CBS in) {
  CBS sequence;
  CBS oid;
  if (CBS_get_asn1(&in, &sequence, CBS_ASN1_SEQUENCE) != 1 || CBS_len(&in) != 0 ||
      CBS_get_asn1(&sequence, &oid, CBS_ASN1_OBJECT) != 1 ||
      LastOf(ToBytes(oid), kPkcs1) != kMgf1) {
    return nullptr;
  }
  const EVP_MD* const digest = EVP_parse_digest_algorithm(&sequence);
  return CBS_len(&sequence) == 0 ? digest : nullptr;
}

// RSASSA-PSS-params (RFC 4055 3.1). The defaults are SHA-1, so everything must be said; salts are
// as long as the digest, as everywhere.
SignatureResult ReadPss(CBS parameters, Scheme& scheme) {
  CBS sequence;
  CBS hash;
  CBS mask;
  CBS salt;
  int has_hash = 0;
  int has_mask = 0;
  if (CBS_get_asn1(&parameters, &sequence, CBS_ASN1_SEQUENCE) != 1 || CBS_len(&parameters) != 0 ||
      CBS_get_optional_asn1(&sequence, &hash, &has_hash, Explicit(0)) != 1 ||
      CBS_get_optional_asn1(&sequence, &mask, &has_mask, Explicit(1)) != 1) {
    return SignatureResult::kUnknownAlgorithm;
  }
  if (has_hash == 0 || has_mask == 0) return SignatureResult::kWeakAlgorithm;
  const EVP_MD* const digest = EVP_parse_digest_algorithm(&hash);
  if (digest == EVP_sha1() || digest == EVP_md5()) return SignatureResult::kWeakAlgorithm;
  uint64_t salt_bytes = 0;
  uint64_t trailer = 1;
  if (digest == nullptr || !IsStrong(digest) || CBS_len(&hash) != 0 || ReadMgf1(mask) != digest ||
      CBS_get_asn1(&sequence, &salt, Explicit(2)) != 1 ||
      CBS_get_asn1_uint64(&salt, &salt_bytes) != 1 || CBS_len(&salt) != 0 ||
      salt_bytes != EVP_MD_size(digest) ||
      CBS_get_optional_asn1_uint64(&sequence, &trailer, Explicit(3), 1) != 1 || trailer != 1 ||
      CBS_len(&sequence) != 0) {
    return SignatureResult::kUnknownAlgorithm;
  }
  scheme = {.key_type = EVP_PKEY_RSA, .digest = digest, .pss = true};
  return SignatureResult::kGood;
}

const EVP_MD* Sha2Of(uint8_t octet, uint8_t sha256) {
  switch (octet - sha256) {
    case 0:
      return EVP_sha256();
    case 1:
      return EVP_sha384();
    case 2:
      return EVP_sha512();
    default:
      return nullptr;
  }
}

SignatureResult ReadScheme(Bytes algorithm, Scheme& scheme) {
  CBS in = ToCbs(algorithm);
  CBS sequence;
  CBS oid_content;
  if (CBS_get_asn1(&in, &sequence, CBS_ASN1_SEQUENCE) != 1 || CBS_len(&in) != 0 ||
      CBS_get_asn1(&sequence, &oid_content, CBS_ASN1_OBJECT) != 1) {
    return SignatureResult::kUnknownAlgorithm;
  }
  const Bytes oid = ToBytes(oid_content);
  const uint8_t rsa = LastOf(oid, kPkcs1);
  if (rsa == kRsaPss) return ReadPss(sequence, scheme);
  if (rsa == kMd5Rsa || rsa == kSha1Rsa || Equal(oid, kEcdsaSha1)) {
    return SignatureResult::kWeakAlgorithm;
  }
  if (Equal(oid, kEd25519)) {
    scheme = {.key_type = EVP_PKEY_ED25519};
    return CBS_len(&sequence) == 0 ? SignatureResult::kGood : SignatureResult::kUnknownAlgorithm;
  }
  if (rsa == kSha256Rsa || rsa == kSha384Rsa || rsa == kSha512Rsa) {
    scheme = {.key_type = EVP_PKEY_RSA, .digest = Sha2Of(rsa, kSha256Rsa)};
  } else {
    // ecdsa-with-SHA256, -SHA384 and -SHA512 are 2, 3 and 4.
    scheme = {.key_type = EVP_PKEY_EC, .digest = Sha2Of(LastOf(oid, kEcdsaSha2), 2)};
  }
  return scheme.digest != nullptr && IsNullOrAbsent(sequence) ? SignatureResult::kGood
                                                              : SignatureResult::kUnknownAlgorithm;
}

bool Verify(const Scheme& scheme, Bytes message, Bytes signature, EVP_PKEY& key) {
  bssl::ScopedEVP_MD_CTX context;
  EVP_PKEY_CTX* key_context = nullptr;  // Owned by `context`.
  EVP_MD_CTX* const out = context.get();
  if (EVP_DigestVerifyInit(out, &key_context, scheme.digest, nullptr, &key) != 1) return false;
  if (scheme.pss &&
      (EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_mgf1_md(key_context, scheme.digest) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, -1 /* as long as the digest */) != 1)) {
    return false;
  }
  return EVP_DigestVerify(out, signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

}  // namespace

SignatureResult CheckSignature(Bytes algorithm, Bytes message, Bytes signature, EVP_PKEY& key) {
  Scheme scheme;
  const SignatureResult readable = ReadScheme(algorithm, scheme);
  if (readable != SignatureResult::kGood) {
    ERR_clear_error();
    return readable;
  }
  const bool good = EVP_PKEY_id(&key) == scheme.key_type && Verify(scheme, message, signature, key);
  ERR_clear_error();
  return good ? SignatureResult::kGood : SignatureResult::kBad;
}

std::string_view SignatureText(SignatureResult result) {
  switch (result) {
    case SignatureResult::kGood:
      return "its signature verifies";
    case SignatureResult::kBad:
      return "its signature does not verify";
    case SignatureResult::kWeakAlgorithm:
      return "its signature is by SHA-1 or MD5, which prove nothing";
    case SignatureResult::kUnknownAlgorithm:
      return "its signature algorithm is not known here";
  }
  return {};
}

}  // namespace portcullis::tls
