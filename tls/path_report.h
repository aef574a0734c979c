// PathReport: what the verifier did with a chain, for those who ask why (`portcullis verify`).
// Plain values, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tls/path_search.h"

namespace portcullis::tls {

struct PathCertificate {
  std::string subject;     // RFC 2253
  std::string issuer;      // RFC 2253
  std::string serial_hex;  // as PeerIdentity's
  int64_t not_before = 0;  // seconds since the epoch
  int64_t not_after = 0;
  PathSource source = PathSource::kPresented;
  std::vector<uint8_t> der;
};

struct PathReport {
  // Leaf first. Accepted: the path that the verdict stands on, its anchor last. Rejected: the
  // attempt that got furthest, whose certificate Verdict::failed_depth is the one at fault; of one
  // that found no anchor, as far as it went. Empty when the leaf does not parse.
  std::vector<PathCertificate> path;
  bool ends_in_anchor = false;
  size_t num_nodes = 0;             // certificates taken into paths
  size_t num_signature_checks = 0;  // signatures verified
};

}  // namespace portcullis::tls
