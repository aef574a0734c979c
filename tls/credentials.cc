#include "tls/credentials.h"

#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/err.h>
#include <openssl/nid.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

#include "tls/boringssl_compat.h"
#include "tls/identity.h"
#include "tls/ocsp_staple.h"
#include "tls/pem.h"

namespace portcullis::tls {
namespace {

bssl::UniquePtr<X509> ParseCertificate(const Der& der) {
  const uint8_t* in = der.data();
  bssl::UniquePtr<X509> certificate(d2i_X509(nullptr, &in, static_cast<long>(der.size())));
  if (certificate != nullptr && in != der.data() + der.size()) certificate = nullptr;
  return certificate;
}

std::optional<KeyKind> KindOf(const EVP_PKEY* key) {
  switch (EVP_PKEY_id(key)) {
    case EVP_PKEY_RSA:
      return KeyKind::kRsa;
    case EVP_PKEY_ED25519:
      return KeyKind::kEd25519;
    case EVP_PKEY_EC:
      break;
    default:
      return std::nullopt;
  }
  switch (EC_GROUP_get_curve_name(EC_KEY_get0_group(EVP_PKEY_get0_EC_KEY(key)))) {
    case NID_X9_62_prime256v1:
      return KeyKind::kEcdsaP256;
    case NID_secp384r1:
      return KeyKind::kEcdsaP384;
    case NID_secp521r1:
      return KeyKind::kEcdsaP521;
    default:
      return std::nullopt;
  }
}

std::string KeyTypeText(const EVP_PKEY* key) {
  const std::optional<KeyKind> kind = key == nullptr ? std::nullopt : KindOf(key);
  if (!kind.has_value()) return "unknown";
  if (*kind == KeyKind::kRsa) return absl::StrCat("RSA ", EVP_PKEY_bits(key));
  return std::string(KeyKindName(*kind));
}

}  // namespace

std::string_view KeyKindName(KeyKind kind) {
  switch (kind) {
    case KeyKind::kRsa:
      return "RSA";
    case KeyKind::kEcdsaP256:
      return "ECDSA P-256";
    case KeyKind::kEcdsaP384:
      return "ECDSA P-384";
    case KeyKind::kEcdsaP521:
      return "ECDSA P-521";
    case KeyKind::kEd25519:
      return "Ed25519";
  }
  return "unknown";
}

absl::StatusOr<CertificateInfo> InspectCertificatePem(std::string_view pem,
                                                      std::string_view origin) {
  absl::StatusOr<std::vector<Der>> blocks = ReadPem(pem, PemKind::kCertificate, origin);
  if (!blocks.ok()) return blocks.status();
  const bssl::UniquePtr<X509> leaf = ParseCertificate(blocks->front());
  if (leaf == nullptr) return LibraryError(origin, "the certificate does not parse");
  const std::unique_ptr<PeerIdentity> identity = MakeIdentity(leaf.get(), blocks->front());
  CertificateInfo info;
  info.subject = identity->subject;
  info.issuer = identity->issuer;
  info.serial_hex = identity->serial_hex;
  info.sha256_hex = absl::BytesToHexString(
      {reinterpret_cast<const char*>(identity->sha256.data()), identity->sha256.size()});
  info.key_type = KeyTypeText(compat::PublicKey(leaf.get()).get());
  info.dns_names = identity->dns_names;
  info.not_before = identity->not_before;
  info.not_after = identity->not_after;
  ERR_clear_error();
  return info;
}

absl::StatusOr<Credential> LoadCredential(const CredentialSpec& spec) {
  absl::StatusOr<std::vector<Der>> blocks =
      ReadPem(spec.chain_pem, PemKind::kCertificate, spec.origin);
  if (!blocks.ok()) return blocks.status();
  absl::StatusOr<bssl::UniquePtr<EVP_PKEY>> key = ReadPrivateKey(spec.key_pem, spec.origin);
  if (!key.ok()) return key.status();

  Credential credential;
  for (const Der& der : *blocks) {
    if (ParseCertificate(der) == nullptr) {
      return LibraryError(spec.origin, absl::StrCat("certificate ", credential.chain.size() + 1,
                                                    " of the chain does not parse"));
    }
    credential.chain.emplace_back(CRYPTO_BUFFER_new(der.data(), der.size(), nullptr));
  }
  const bssl::UniquePtr<X509> leaf = ParseCertificate(blocks->front());
  const bssl::UniquePtr<EVP_PKEY> leaf_key = compat::PublicKey(leaf.get());
  if (leaf_key == nullptr) return LibraryError(spec.origin, "the certificate's key is unusable");
  if (!compat::SameKey(leaf_key.get(), key->get())) {
    ERR_clear_error();
    return absl::InvalidArgumentError(absl::StrCat(
        spec.origin, ": the private key does not belong to the first certificate (",
        NameText(X509_get_subject_name(leaf.get())), ", ", KeyTypeText(leaf_key.get()), ")"));
  }
  const std::optional<KeyKind> kind = KindOf(key->get());
  if (!kind.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(
        spec.origin,
        ": keys of this type cannot serve TLS (RSA, ECDSA P-256, P-384, P-521 and Ed25519 can)"));
  }
  credential.key = std::move(*key);
  credential.kind = *kind;
  if (!spec.ocsp_response.empty()) {
    absl::StatusOr<OcspAnswer> answer =
        CheckStaple(spec.ocsp_response, credential.chain, spec.ocsp_origin);
    if (!answer.ok()) return answer.status();
    credential.staple = *answer;
  }
  return credential;
}

}  // namespace portcullis::tls
