// TrustMaterial: whom a virtual host trusts to vouch for clients: anchors, further intermediates
// known to the operator, and CRLs, parsed once off the workers. Immutable and shared by all
// workers; DER bytes and plain values only: each worker makes its own library objects, as it needs
// them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

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
  std::string origin;
  int64_t not_after = 0;
  std::string oddity;  // empty, or e.g. "expired", "not a CA", "weak key", "duplicate"
};

struct TrustSources {
  std::vector<PemSource> cas;
  std::vector<PemSource> intermediates;  // never anchors; complete what a client leaves out
  std::vector<CrlSource> crls;
};

struct TrustMaterial {
  std::string name;
  std::vector<std::vector<uint8_t>> anchors_der;
  std::vector<std::vector<uint8_t>> intermediates_der;
  std::vector<CaSummary> cas;                         // as loaded, for logs and expiry metrics
  std::shared_ptr<const RevocationIndex> revocation;  // never null
  RevocationSpec revocation_spec;
  OcspSpec ocsp_spec;
  uint64_t epoch = 0;  // hash over anchors and intermediates; CRLs have an epoch of their own

  // Parse reads CA bundles and CRLs. Sources without any usable CA are an error; oddities are
  // reported in `cas` without refusing the rest.
  static absl::StatusOr<std::shared_ptr<const TrustMaterial>> Parse(
      std::string name, const TrustSources& sources, const RevocationSpec& revocation,
      const OcspSpec& ocsp, int64_t now);
};

}  // namespace portcullis::tls
