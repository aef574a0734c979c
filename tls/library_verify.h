// The library's verdict on one path that our search proposes: signatures and what else RFC 5280
// asks of it. Keeps nothing but what it is given; one thread at a time.
#pragma once

#include <openssl/x509.h>

#include <cstdint>

#include "tls/path_checks.h"

namespace portcullis::tls {

// VerifyPath has the library verify exactly `path`, leaf first and anchor last (a path of one: the
// leaf is the anchor), at `now` for TLS client authentication. `empty_store` is any store without
// certificates. kBadSignature at depth d: certificate d is not signed by d + 1; whatever is above
// has been verified.
//
// What the library says counts, but for four errors:
// - a constraint on IP addresses, which it does not know: CheckNameConstraints is to be asked too;
// - expiry in the second of notAfter itself, which RFC 5280 includes;
// - a pinned, self-signed leaf whose key usage does not let it sign certificates: nobody asks it
// to;
// - a leaf without alternative names whose common name looks like a host name, below constraints
//   none of which is on DNS names.
//
// Beyond a CA that the library takes for self-signed, and that another has signed all the same (a
// key rollover without key identifiers), signatures are verified here and the library sees what is
// below. kBadCertificate where a certificate of such a path restricts policies.
[[nodiscard]] PathFault VerifyPath(X509_STORE* empty_store, STACK_OF(X509) * path, int64_t now);

}  // namespace portcullis::tls
