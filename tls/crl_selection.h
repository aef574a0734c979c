// Which CRLs count, of all that were given: the newest of each issuer and scope, and the delta that
// fits it. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tls/crl_parser.h"

namespace portcullis::tls {

struct CrlCandidate {
  Crl crl;
  std::string signer;      // equal for CRLs that may supersede one another
  bool is_future = false;  // thisUpdate is yet to come: supersedes nothing
};

// A CRL to index: complete, or a delta without a base; indices into the candidates.
struct CrlChoice {
  size_t base = 0;
  std::optional<size_t> delta;  // to be laid over it
};

// ChooseCrls returns what counts, in the order of the candidates; who is in no choice is
// superseded. "Newest" is by cRLNumber where all of a scope have one, then by thisUpdate. A delta
// fits a base of the same scope whose number is not below its BaseCRLNumber and below its own (RFC
// 5280 5.2.4). A delta for which there is no base stands alone.
[[nodiscard]] std::vector<CrlChoice> ChooseCrls(std::span<const CrlCandidate> candidates);

}  // namespace portcullis::tls
