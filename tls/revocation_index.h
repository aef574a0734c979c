// RevocationIndex: the CRLs of one trust, verified against their issuers and made into sets that
// answer in O(1) however many entries there are. Built off the workers, immutable from then on and
// read by all of them: nothing in it is written after Build, reference counts included (a worker
// holds it through its snapshot).
//
// Memory: about 23 octets for an entry with a serial number of 16, and 6 to 12 for its place in a
// table: 32 MB for a million.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "tls/crl_issuers.h"
#include "tls/issuer_id.h"
#include "tls/rejection.h"
#include "tls/verdict.h"
#include "tls/verifier_options.h"

namespace portcullis::tls {

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
  bool is_in_use = false;  // it is its verified issuer's word, be it stale
  std::string oddity;  // empty, or why it is not (fully) used: "issuer unknown", "superseded", ...
};

struct CrlTable;  // tls/crl_table.h

class RevocationIndex {
 public:
  // Build reads, verifies and indexes `sources`. A CRL that does not parse, or whose issuer is
  // known and whose signature does not verify (or is by SHA-1 or MD5), is an error that names it:
  // leaving it out would let revoked clients in.
  //
  // Of several for one issuer and scope (issuingDistributionPoint) the newest counts, with the
  // newest delta that fits it. One whose issuer is not among `issuers`, or may not sign CRLs,
  // cannot be verified: it refuses whom it lists by the issuer's name, and under kSoft its age
  // counts, but it never stands for the CRL which kRequire demands. The same holds for one that
  // says something critical which is not understood; for indirect ones; for one whose signer's own
  // certificate is revoked; and, until its thisUpdate, for one that is not valid yet. Each has its
  // oddity.
  static absl::StatusOr<std::shared_ptr<const RevocationIndex>> Build(
      std::span<const CrlSource> sources, std::span<const CrlIssuer> issuers, int64_t now);

  struct Answer {
    Rejection rejection = Rejection::kNone;  // kNone, kRevoked, kCrlStale or kCrlMissing
    int64_t holds_until = INT64_MAX;         // nextUpdate plus grace of what was asked
    int64_t revoked_at = 0;                  // kRevoked: seconds since the epoch
    int reason = -1;                         // kRevoked: CRLReason, -1 not said
  };

  // Ask tells whether the certificate behind `link` stands at `now` under `spec` (whose scope is
  // the caller's business). Whom a CRL lists is revoked, also for certificateHold, and also when
  // the CRL is stale. kOff is always kNone; never kCrlMissing under kSoft. O(1) in the number of
  // entries and issuers, proportional to that of the scopes of this issuer; allocates nothing.
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
  explicit RevocationIndex(std::unique_ptr<const CrlTable> table);

  std::unique_ptr<const CrlTable> table_;
};

}  // namespace portcullis::tls
