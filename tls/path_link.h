// PathLinks: what is kept of a path's certificates for asking about their revocation and expiry
// later, and the asking itself. Any thread; keeps nothing.
#pragma once

#include <openssl/x509.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "tls/revocation_index.h"
#include "tls/verdict.h"
#include "tls/verifier_options.h"

namespace portcullis::tls {

// MakeLink reads `certificate`, issued by `issuer`. Distribution points that do not decode are left
// out: the certificate is then asked about in the CRLs that speak for all of its issuer's.
[[nodiscard]] PathLink MakeLink(X509* certificate, const IssuerId& issuer);

struct LinksAnswer {
  Rejection rejection = Rejection::kNone;  // kNone, kExpired, or as RevocationIndex::Ask
  size_t depth = 0;                        // of the link at fault, leaf = 0
  int64_t holds_until = INT64_MAX;         // the last second at which nothing changes by itself
};

// AskOfLinks asks about each link, leaf first: its expiry, and its revocation as far as the mode
// and scope of `spec` go. Of several faults the first counts, but a revocation before the want of a
// CRL.
[[nodiscard]] LinksAnswer AskOfLinks(std::span<const PathLink> links, const RevocationIndex& index,
                                     const RevocationSpec& spec, int64_t now);

}  // namespace portcullis::tls
