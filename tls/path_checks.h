// What the verifier asks of a path beyond what the library asks: strength of keys and signatures,
// and the anchors' own bounds. Keeps nothing; any thread, one at a time for each certificate.
#pragma once

#include <openssl/x509.h>

#include <cstddef>

#include "tls/rejection.h"

namespace portcullis::tls {

struct PathFault {
  Rejection reason = Rejection::kNone;
  int x509_error = 0;
  size_t depth = 0;  // index in the path, leaf = 0
};

// CheckPath looks at a verified path, leaf first and anchor last. kWeakKey: an RSA key below 2048
// bits or an elliptic one below 224 anywhere, or a signature by SHA-1, MD5 or older on anything but
// the anchor, which is trusted as it stands. kBadCertificate: more intermediates than the anchor's
// path length allows (the library looks at the other ones' only).
[[nodiscard]] PathFault CheckPath(const STACK_OF(X509) * path);

// IsWeakSignature tells whether the certificate is signed by an algorithm that proves nothing.
[[nodiscard]] bool IsWeakSignature(const X509* certificate);

// MayIssue tells whether an anchor may sign certificates: what says that it is no CA may not. A v3
// root of old that says nothing may, as OpenSSL has it.
[[nodiscard]] bool MayIssue(X509* anchor);

}  // namespace portcullis::tls
