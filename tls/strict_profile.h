// The strict profile: what RFC 5280 and the CA/Browser Forum's baseline requirements ask of the
// certificates of a path to the letter, beyond what the library and tls/path_checks.h check. Keeps
// nothing; any thread, one at a time for each certificate.
//
// The baseline requirements are written for servers. Taken over are key and signature floors, the
// shape of CA certificates, and, for leafs that name a host, names and purposes; left out is what
// speaks of web sites alone: validated domains, public suffixes, policy identifiers, lifetimes.
#pragma once

#include <openssl/x509.h>

#include "tls/path_checks.h"

namespace portcullis::tls {

// CheckStrict looks at a verified path, leaf first and anchor last, and returns the first fault,
// nearest to the leaf. What merely is missing from the leaf (ClientRules) comes after all else: a
// path refused for that is in order otherwise.
[[nodiscard]] PathFault CheckStrict(const STACK_OF(X509) * path);

}  // namespace portcullis::tls
