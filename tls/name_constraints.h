// Name constraints (RFC 5280 4.2.1.10) of a path, checked by us for every form of name that a CA
// may bind: DNS names, email addresses, URIs, directory names, IP addresses. The library checks
// them too, but has no notion of addresses, and stops at the first one it meets; what it leaves
// out is refused or allowed here. Keeps nothing; any thread, one at a time for each certificate.
#pragma once

#include <openssl/x509.h>

#include "tls/path_checks.h"

namespace portcullis::tls {

// How many comparisons of a name with a constraint a path may cost.
inline constexpr size_t kMaxNameComparisons = size_t{1} << 16;

// CheckNameConstraints looks at `path`, leaf first and anchor last, whose signatures should have
// been verified: it costs more than they do where names are many. The anchor's constraints bind
// like any other's. kBadCertificate for a name outside of a permitted subtree or in an excluded
// one, for names and constraints that cannot be read or compared, and for too many of them.
[[nodiscard]] PathFault CheckNameConstraints(const STACK_OF(X509) * path);

// HasDnsConstraint tells whether a certificate of the path above the leaf constrains DNS names.
[[nodiscard]] bool HasDnsConstraint(const STACK_OF(X509) * path);

}  // namespace portcullis::tls
