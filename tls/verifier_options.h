// How client chains are judged: what an operator may choose. Plain values, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace portcullis::tls {

enum class Profile : uint8_t {
  kCompatible,  // v1 leafs, leafs without EKU or SAN and other habits of private CAs are acceptable
  kStrict,      // RFC 5280 (and the CA/Browser Forum's key and signature floors) to the letter
};

enum class RevocationMode : uint8_t {
  kOff,      // CRLs are not asked
  kSoft,     // a CRL that is there counts until nextUpdate and grace; a missing one is forgiven
  kRequire,  // no certificate passes without a CRL that covers it, fresh but for the grace
};

enum class RevocationScope : uint8_t { kLeaf, kChain };  // the anchor is never asked about

struct RevocationSpec {
  RevocationMode mode = RevocationMode::kSoft;
  RevocationScope scope = RevocationScope::kChain;
  int64_t grace_s = 0;  // a CRL counts this long beyond its nextUpdate
};

enum class OcspMode : uint8_t { kOff, kSoft, kRequire };

// Asking the CA's responder about client certificates (RFC 6960).
struct OcspSpec {
  OcspMode mode = OcspMode::kOff;
  std::string responder_url;   // http://...; empty: the certificate's own (authorityInfoAccess)
  uint32_t timeout_ms = 2000;  // for all of it: name, connection, request, answer
};

// How paths are judged. Revocation and OCSP go with the trust (TrustMaterial).
struct VerifierOptions {
  uint32_t max_depth = 8;  // intermediates between leaf and anchor, both excluded
  size_t max_chain_bytes = SIZE_MAX;
  Profile profile = Profile::kCompatible;
  bool intermediates_as_anchors = true;  // a CA of the bundle that is not self-signed is an anchor

  bool operator==(const VerifierOptions&) const = default;
};

}  // namespace portcullis::tls
