// The system's libcrypto (OpenSSL 3), loaded at run time where there is one, for the one thing that
// it does faster than BoringSSL on some machines: RSA's private-key operation with AVX512-IFMA.
// Hashing, padding and verifying stay BoringSSL's. That there is no such library is no error to
// anybody but who insists on it.
//
// Kept apart from BoringSSL, whose names it shares: it is opened RTLD_LOCAL, so that nothing of
// ours is ever bound to it; and since our own copies of these names are hidden, nothing of it is
// bound to us, which is checked before it is used. (dlmopen would give it a libc of its own, which
// the sanitizers' runtimes do not survive and whose thread-local state threads of ours would lack;
// RTLD_DEEPBIND is refused by them outright. Both would be isolation that no test could run under.)
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "tls/signing_key.h"

namespace portcullis::tls {

// SystemLibcryptoVersion returns e.g. "OpenSSL 3.0.2 15 Mar 2022". Unavailable, with the reason,
// when the library cannot be loaded. The first call loads it for good, reading no openssl.cnf.
absl::StatusOr<std::string> SystemLibcryptoVersion();

// MakeSystemKey copies an RSA key into the system's libcrypto: Unavailable when there is none,
// InvalidArgument when the key is of another kind or not taken. Control plane only.
//
// Signing with one key takes that key's own locks, for moments: free unless a helper thread and its
// worker sign with it at once.
absl::StatusOr<std::shared_ptr<const SigningKey>> MakeSystemKey(const EVP_PKEY* key);

}  // namespace portcullis::tls
