// What a ClientHello says about the signatures the client can verify, and the choice of a
// credential by it. Looks only at bytes that the library has split into extensions already; keeps
// nothing. Any thread.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "tls/credentials.h"

namespace portcullis::tls {

// A set of signature schemes, groups or the like, one bit a member that we care about.
using Bits = uint32_t;

struct ClientOffer {
  bool has_tls13 = false;     // supported_versions names TLS 1.3
  Bits signatures = 0;        // kSign* bits
  Bits curves = 0;            // kCurve* bits; all, when the client did not say
  bool ecdsa_cipher = false;  // TLS 1.2: an ECDHE-ECDSA suite of AEAD kind is offered
  bool rsa_cipher = false;    // ... an ECDHE-RSA one
};

inline constexpr Bits kSignEcdsaP256 = 1 << 0;
inline constexpr Bits kSignEcdsaP384 = 1 << 1;
inline constexpr Bits kSignEcdsaP521 = 1 << 2;
inline constexpr Bits kSignEd25519 = 1 << 3;
inline constexpr Bits kSignRsaPss = 1 << 4;
inline constexpr Bits kSignRsaPkcs1 = 1 << 5;
inline constexpr Bits kCurveP256 = 1 << 0;
inline constexpr Bits kCurveP384 = 1 << 1;
inline constexpr Bits kCurveP521 = 1 << 2;

// ReadOffer never fails: what does not parse is not offered, and the library will find the fault
// itself.
[[nodiscard]] ClientOffer ReadOffer(const SSL_CLIENT_HELLO& hello);

// CanVerify tells whether the client can verify a signature by a key of `kind` (RFC 8446 4.2.3; RFC
// 5246 7.4.1.4.1 and RFC 8422 5.1 for TLS 1.2) under the version that `max_version` of ours leads
// to.
[[nodiscard]] bool CanVerify(const ClientOffer& offer, KeyKind kind, uint16_t max_version);

// ChooseCredential returns the index of the credential to serve: the first elliptic one that the
// client can verify, else the first RSA one that it can, else 0, with which the handshake fails for
// want of a shared algorithm.
[[nodiscard]] size_t ChooseCredential(const ClientOffer& offer, std::span<const KeyKind> kinds,
                                      uint16_t max_version);

}  // namespace portcullis::tls
