// The one place that knows which BoringSSL this is: Debian's packaged source (API of late 2023) or
// a later upstream. Everything else in tls/ is written against the names below and against what
// both have in common. Constant data and inline functions, any thread.
#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstdint>

namespace portcullis::tls::compat {

// Upstream renamed curves to groups when it got its post-quantum ones; the new constant tells both
// apart.
#if defined(SSL_GROUP_X25519_MLKEM768)
inline constexpr bool kHasMlKem = true;
inline constexpr const char* kDefaultGroups = "X25519MLKEM768:X25519:P-256:P-384";
inline uint16_t GroupId(const SSL* ssl) { return SSL_get_group_id(ssl); }
inline const char* GroupName(uint16_t id) { return SSL_get_group_name(id); }
#else
inline constexpr bool kHasMlKem = false;
inline constexpr const char* kDefaultGroups = "X25519:P-256:P-384";
inline uint16_t GroupId(const SSL* ssl) { return SSL_get_curve_id(ssl); }
inline const char* GroupName(uint16_t id) { return SSL_get_curve_name(id); }
#endif

// SameKey tells whether two keys have the same public half.
inline bool SameKey(const EVP_PKEY* a, const EVP_PKEY* b) { return EVP_PKEY_cmp(a, b) == 1; }

// PublicKey returns the certificate's key, or null when it does not decode. The older API hands out
// a reference where the newer one lends; this always owns.
inline bssl::UniquePtr<EVP_PKEY> PublicKey(X509* certificate) {
  return bssl::UniquePtr<EVP_PKEY>(X509_get_pubkey(certificate));
}

// NameHash hashes a name's canonical form, so that names which X509_NAME_cmp holds equal hash
// alike. The older API takes a pointer to non-const, for it may cache the encoding.
inline uint32_t NameHash(const X509_NAME* name) {
  return static_cast<uint32_t>(X509_NAME_hash(const_cast<X509_NAME*>(name)));
}

}  // namespace portcullis::tls::compat
