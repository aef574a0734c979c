// Signatures over bytes as they lie in a CRL or an OCSP response, by the algorithms that still
// prove something: RSA (PKCS #1 v1.5 and PSS) and ECDSA with SHA-256, -384 or -512, and Ed25519.
// Any thread; keeps nothing.
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <string_view>

#include "tls/der.h"

namespace portcullis::tls {

enum class [[nodiscard]] SignatureResult : uint8_t {
  kGood,
  kBad,               // does not verify, or the key is of another kind
  kWeakAlgorithm,     // SHA-1 or MD5: not even tried
  kUnknownAlgorithm,  // none of the above, or parameters that are not as their RFC has them
};

// CheckSignature verifies `signature` over `message` with `key`. `algorithm` is an
// AlgorithmIdentifier with its tag (RFC 4055, 5758, 8410). The library's error queue is left clean.
SignatureResult CheckSignature(Bytes algorithm, Bytes message, Bytes signature, EVP_PKEY& key);

// SignatureText says what is wrong, for operators, e.g. "its signature does not verify".
[[nodiscard]] std::string_view SignatureText(SignatureResult result);

}  // namespace portcullis::tls
