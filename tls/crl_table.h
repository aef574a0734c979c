// CrlTable: the CRLs of one trust by whose certificates they are about. Made by CrlBuilder;
// immutable from then on, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"

#include "tls/indexed_crl.h"
#include "tls/revocation_index.h"
#include "tls/verdict.h"

namespace portcullis::tls {

struct CrlTable {
  using Crls = std::vector<const IndexedCrl*>;

  struct OfIssuer {
    Crls own;
    // Those by which a namesake under the same key speaks for it (CrlIssuers::Signer::kin).
    Crls kin;
  };
  // All that is said of an issuer's certificates.
  struct About {
    const Crls& own;
    const Crls& kin;
    const Crls& unverified;  // by someone of its name
  };

  std::vector<std::unique_ptr<const IndexedCrl>> crls;
  absl::flat_hash_map<IssuerId, OfIssuer> by_issuer;
  // Those whose signature nobody here can verify, by the NamePart of their issuer.
  absl::flat_hash_map<uint64_t, Crls> unverified;
  std::vector<CrlSummary> summaries;
  uint64_t epoch = 0;

  // AboutIssuer returns the CRLs about the certificates of `issuer`; none where there are none.
  [[nodiscard]] About AboutIssuer(const IssuerId& issuer) const;
};

// FindIn looks a certificate up among those that a CRL lists, whether that speaks for anyone or
// not: who is listed is revoked. O(1) in the number of entries; allocates nothing.
[[nodiscard]] std::optional<SerialSet::Found> FindIn(const CrlTable::About& about, Bytes serial);

}  // namespace portcullis::tls
