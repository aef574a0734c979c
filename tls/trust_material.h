// TrustMaterial: whom a virtual host trusts to vouch for clients: anchors, further intermediates
// known to the operator, and CRLs, parsed once off the workers. Immutable and shared by all
// workers; bytes and plain values only: each worker makes its own library objects, as it needs
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "tls/ca_index.h"
#include "tls/revocation_index.h"
#include "tls/verifier_options.h"

namespace portcullis::tls {

// One PEM text and where it came from.
struct PemSource {
  std::string text;
  std::string origin;  // file name, for messages
};

struct CaSummary {
  std::string subject;
  std::string serial_hex;  // as PeerIdentity has it
  std::string origin;
  std::optional<int64_t> not_after;  // Unix seconds; none where it does not parse
  // Empty, or what is odd about it, separated by commas: "expired", "not yet valid", "not a CA",
  // "weak key", "weak signature", "duplicate", "does not parse".
  std::string oddity;
};

struct TrustSources {
  std::vector<PemSource> cas = {};
  std::vector<PemSource> intermediates = {};  // never anchors; complete what a client leaves out
  std::vector<CrlSource> crls = {};
};

struct TrustMaterial {
  std::string name;
  CaIndex known;                                      // the bundle's and the extra intermediates
  std::vector<CaSummary> cas;                         // as loaded, for logs and expiry metrics
  std::shared_ptr<const RevocationIndex> revocation;  // never null
  RevocationSpec revocation_spec;
  OcspSpec ocsp_spec;
  uint64_t epoch = 0;  // hash over the certificates; CRLs have an epoch of their own
  // Parsed at any time from the first of these to the other, both included, the same sources make
  // the same of it: nothing comes into force or runs out in between.
  int64_t same_from = 0;
  int64_t same_until = INT64_MAX;

  // Parse reads 1 to 10,000 CAs (more work, too), intermediates and CRLs. What is odd about a CA is
  // told in `cas` and refuses nothing else; FailedPrecondition when no CA of the bundle parses and
  // may issue (an expired one counts: it was a CA), InvalidArgument when a file is no PEM, and for
  // CRLs as RevocationIndex::Build has it. `now` is for telling oddities, and for CRLs that are not
  // valid yet.
  static absl::StatusOr<std::shared_ptr<const TrustMaterial>> Parse(
      std::string name, const TrustSources& sources, const RevocationSpec& revocation,
      const OcspSpec& ocsp, int64_t now);

  // DigestOf: SHA-256 over everything that Parse is given, but for the time.
  static Sha256 DigestOf(const std::string& name, const TrustSources& sources,
                         const RevocationSpec& revocation, const OcspSpec& ocsp);
};

}  // namespace portcullis::tls
