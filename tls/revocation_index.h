// RevocationIndex: the CRLs of one trust, verified against their issuers and made into sets that
// answer in O(1) however many entries there are. Built off the workers, immutable from then on and
// read by all of them: nothing in it is written after Build, reference counts included (a worker
// holds it through its snapshot).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "tls/rejection.h"
#include "tls/verdict.h"
#include "tls/verifier_options.h"

namespace portcullis::tls {

// The certificates which may have signed a CRL: the trust's anchors and known intermediates, DER.
struct CrlIssuer {
  std::span<const uint8_t> certificate_der;
};

// A CRL as it was given: PEM (any number) or DER (one), and where it came from.
struct CrlSource {
  std::string bytes;
  std::string origin;
};

// What operators are told of a CRL: log at load, and the gauge of seconds to nextUpdate.
struct CrlSummary {
  std::string issuer;  // RFC 2253
  std::string origin;
  std::string number;  // cRLNumber in hex; empty without
  int64_t this_update = 0;
  int64_t next_update = 0;  // 0: none said
  size_t num_entries = 0;
  bool is_delta = false;
  std::string oddity;  // empty, or why it is not (fully) used: "issuer unknown", "superseded", ...
};

class RevocationIndex {
 public:
  // Build reads, verifies and indexes `sources`. A CRL that does not parse, or whose issuer is
  // known and whose signature does not verify, is an error that names it: leaving it out would let
  // revoked clients in. One whose issuer is not among `issuers` is kept unused, with an oddity.
  static absl::StatusOr<std::shared_ptr<const RevocationIndex>> Build(
      std::span<const CrlSource> sources, std::span<const CrlIssuer> issuers, int64_t now);

  struct Answer {
    Rejection rejection = Rejection::kNone;  // kNone, kRevoked, kCrlStale or kCrlMissing
    int64_t holds_until = INT64_MAX;         // nextUpdate plus grace of what was asked
    int64_t revoked_at = 0;                  // kRevoked: seconds since the epoch
    int reason = -1;                         // kRevoked: CRLReason, -1 not said
  };

  // Ask tells whether the certificate behind `link` stands at `now` under `spec` (whose scope is
  // the caller's business). O(1), allocates nothing. Never kCrlMissing under kSoft.
  [[nodiscard]] Answer Ask(const PathLink& link, const RevocationSpec& spec, int64_t now) const;

  [[nodiscard]] bool empty() const;
  [[nodiscard]] const std::vector<CrlSummary>& summaries() const;
  // epoch: hash of the CRLs in use, equal in every process given the same ones.
  [[nodiscard]] uint64_t epoch() const;
  [[nodiscard]] size_t memory_bytes() const;

  ~RevocationIndex();
  RevocationIndex(const RevocationIndex&) = delete;
  RevocationIndex& operator=(const RevocationIndex&) = delete;

 private:
  struct Rep;
  explicit RevocationIndex(std::unique_ptr<Rep> rep);
  std::unique_ptr<Rep> rep_;
};

// NameHash64 hashes the DER of a distribution point's fullName, for PathLink.
[[nodiscard]] uint64_t NameHash64(std::span<const uint8_t> general_name_der);

// MakeIssuerId computes the identity of an issuer from its certificate's DER; all zero if the
// certificate does not parse.
[[nodiscard]] IssuerId MakeIssuerId(std::span<const uint8_t> certificate_der);

}  // namespace portcullis::tls
