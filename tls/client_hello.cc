#include "tls/client_hello.h"

#include <openssl/bytestring.h>
#include <openssl/nid.h>

namespace portcullis::tls {
namespace {

// Extension opens extension `type` into `contents`; false when the client did not send it.
bool Extension(const SSL_CLIENT_HELLO& hello, uint16_t type, CBS& contents) {
  const uint8_t* bytes = nullptr;
  size_t size = 0;
  if (SSL_early_callback_ctx_extension_get(&hello, type, &bytes, &size) != 1) return false;
  CBS_init(&contents, bytes, size);
  return true;
}

Bits SignatureBit(uint16_t scheme) {
  switch (scheme) {
    case SSL_SIGN_ECDSA_SECP256R1_SHA256:
      return kSignEcdsaP256;
    case SSL_SIGN_ECDSA_SECP384R1_SHA384:
      return kSignEcdsaP384;
    case SSL_SIGN_ECDSA_SECP521R1_SHA512:
      return kSignEcdsaP521;
    case SSL_SIGN_ED25519:
      return kSignEd25519;
    case SSL_SIGN_RSA_PSS_RSAE_SHA256:
    case SSL_SIGN_RSA_PSS_RSAE_SHA384:
    case SSL_SIGN_RSA_PSS_RSAE_SHA512:
      return kSignRsaPss;
    case SSL_SIGN_RSA_PKCS1_SHA256:
    case SSL_SIGN_RSA_PKCS1_SHA384:
    case SSL_SIGN_RSA_PKCS1_SHA512:
      return kSignRsaPkcs1;
    default:
      return 0;
  }
}

// IANA's numbers (RFC 8422 5.1.1), whatever a library calls them.
Bits CurveBit(uint16_t group) {
  switch (group) {
    case 23:
      return kCurveP256;
    case 24:
      return kCurveP384;
    case 25:
      return kCurveP521;
    default:
      return 0;
  }
}

template <typename Function>
Bits ReadList(CBS contents, Function bit_of) {
  CBS list;
  Bits bits = 0;
  uint16_t value = 0;
  if (CBS_get_u16_length_prefixed(&contents, &list) != 1) return 0;
  while (CBS_get_u16(&list, &value) == 1) bits |= bit_of(value);
  return bits;
}

bool NamesTls13(CBS contents) {
  CBS list;
  uint16_t version = 0;
  if (CBS_get_u8_length_prefixed(&contents, &list) != 1) return false;
  while (CBS_get_u16(&list, &version) == 1) {
    if (version == TLS1_3_VERSION) return true;
  }
  return false;
}

void ReadCiphers(const SSL_CLIENT_HELLO& hello, ClientOffer& offer) {
  CBS suites;
  CBS_init(&suites, hello.cipher_suites, hello.cipher_suites_len);
  uint16_t id = 0;
  while (CBS_get_u16(&suites, &id) == 1) {
    const SSL_CIPHER* const cipher = SSL_get_cipher_by_value(id);
    if (cipher == nullptr || SSL_CIPHER_is_aead(cipher) != 1) continue;
    if (SSL_CIPHER_get_kx_nid(cipher) != NID_kx_ecdhe) continue;
    offer.ecdsa_cipher |= SSL_CIPHER_get_auth_nid(cipher) == NID_auth_ecdsa;
    offer.rsa_cipher |= SSL_CIPHER_get_auth_nid(cipher) == NID_auth_rsa;
  }
}

struct Needs {
  Bits tls13;  // one of these signatures
  Bits tls12;  // one of these, and
  Bits curve;  // this curve (0: none)
  bool rsa;
};

// TLS 1.3 ties a scheme to its curve; in TLS 1.2 the scheme names the hash alone and the curve is
// bound by the groups.
Needs NeedsOf(KeyKind kind) {
  constexpr Bits kAnyEcdsa = kSignEcdsaP256 | kSignEcdsaP384 | kSignEcdsaP521;
  switch (kind) {
    case KeyKind::kRsa:
      return {kSignRsaPss, kSignRsaPss | kSignRsaPkcs1, 0, true};
    case KeyKind::kEcdsaP256:
      return {kSignEcdsaP256, kAnyEcdsa, kCurveP256, false};
    case KeyKind::kEcdsaP384:
      return {kSignEcdsaP384, kAnyEcdsa, kCurveP384, false};
    case KeyKind::kEcdsaP521:
      return {kSignEcdsaP521, kAnyEcdsa, kCurveP521, false};
    case KeyKind::kEd25519:
      return {kSignEd25519, kSignEd25519, 0, false};
  }
  return {};
}

}  // namespace

ClientOffer ReadOffer(const SSL_CLIENT_HELLO& hello) {
  ClientOffer offer;
  CBS contents;
  if (Extension(hello, TLSEXT_TYPE_supported_versions, contents)) {
    offer.has_tls13 = NamesTls13(contents);
  }
  if (Extension(hello, TLSEXT_TYPE_signature_algorithms, contents)) {
    offer.signatures = ReadList(contents, SignatureBit);
  }
  offer.curves = Extension(hello, TLSEXT_TYPE_supported_groups, contents)
                     ? ReadList(contents, CurveBit)
                     : kCurveP256 | kCurveP384 | kCurveP521;
  ReadCiphers(hello, offer);
  return offer;
}

bool CanVerify(const ClientOffer& offer, KeyKind kind, uint16_t max_version) {
  const Needs needs = NeedsOf(kind);
  if (offer.has_tls13 && max_version >= TLS1_3_VERSION)
    return (offer.signatures & needs.tls13) != 0;
  if ((offer.signatures & needs.tls12) == 0) return false;
  if (needs.curve != 0 && (offer.curves & needs.curve) == 0) return false;
  return needs.rsa ? offer.rsa_cipher : offer.ecdsa_cipher;
}

size_t ChooseCredential(const ClientOffer& offer, std::span<const KeyKind> kinds,
                        uint16_t max_version) {
  size_t first_rsa = kinds.size();
  for (size_t i = 0; i < kinds.size(); ++i) {
    if (!CanVerify(offer, kinds[i], max_version)) continue;
    if (kinds[i] != KeyKind::kRsa) return i;
    if (first_rsa == kinds.size()) first_rsa = i;
  }
  return first_rsa == kinds.size() ? 0 : first_rsa;
}

}  // namespace portcullis::tls
