// What can be said of a path without verifying a signature: validity, purpose, certification
// authority, path length, strength of keys and signatures. Cheap, and so done before the library is
// asked to verify; it repeats what RFC 5280 asks of these, so that both must be content. Keeps
// nothing; any thread, one at a time for each certificate.
#pragma once

#include <openssl/x509.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tls/rejection.h"

namespace portcullis::tls {

struct PathFault {
  Rejection reason = Rejection::kNone;
  int x509_error = 0;
  size_t depth = 0;              // index in the path, leaf = 0
  std::string_view detail = {};  // constant text: which rule, where the error does not say it
};

enum class PathRole : uint8_t {
  kLeaf,
  kIntermediate,
  kAnchor,  // trusted as it stands, its own signature included; but its bounds are heeded
  kPinned,  // leaf and anchor in one
};

// CheckCertificate looks at one certificate at `now` (seconds since the epoch) in the role it has.
// kBadCertificate: extensions that do not decode, or critical and unknown ones, or an intermediate
// that is no CA. kExpired and kNotYetValid: notBefore and notAfter are within the validity (RFC
// 5280 4.1.2.5). kBadPurpose: key usage or extended key usage exclude authenticating clients.
// kWeakKey: an RSA key below 2048 bits or an elliptic one below 224, or a signature by SHA-1, MD5
// or older on anything but an anchor. Its depth is 0.
[[nodiscard]] PathFault CheckCertificate(X509* certificate, PathRole role, int64_t now);

// CheckPath looks at each certificate of a path, leaf first and anchor last, and at path lengths,
// the anchor's included. A path of one is a pinned leaf.
[[nodiscard]] PathFault CheckPath(const STACK_OF(X509) * path, int64_t now);

// IsWeakSignature tells whether the certificate is signed by an algorithm that proves nothing.
[[nodiscard]] bool IsWeakSignature(const X509* certificate);

// IsWeakKey tells whether the certificate's key is below the floor. One that does not decode is
// not: that is for the verification to say.
[[nodiscard]] bool IsWeakKey(X509* certificate);

// SaysSelfSigned tells whether a certificate claims that its own key has signed it: its names are
// one, and so are its key identifiers. The library's EXFLAG_SS also stands where there are no key
// identifiers, and the key of a CA may be new there, and signed by the one before it.
[[nodiscard]] bool SaysSelfSigned(X509* certificate);

// MayIssue tells whether an anchor may sign certificates: what says that it is no CA may not. A v3
// root of old that says nothing may, as OpenSSL has it.
[[nodiscard]] bool MayIssue(X509* anchor);

}  // namespace portcullis::tls
