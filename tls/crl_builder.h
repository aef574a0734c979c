// CrlBuilder: from CRLs as they were given to those in use, verified and indexed. Used off the
// workers, by one thread; the table it makes is immutable from then on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

#include "tls/crl_issuers.h"
#include "tls/crl_selection.h"
#include "tls/crl_table.h"
#include "tls/indexed_crl.h"
#include "tls/pem.h"
#include "tls/revocation_index.h"

namespace portcullis::tls {

class CrlBuilder {
 public:
  CrlBuilder(std::span<const CrlIssuer> issuers, int64_t now) : issuers_(issuers), now_(now) {}

  // Load parses and verifies the CRLs of a source; one that was there before is passed over.
  absl::Status Load(const CrlSource& source);
  // Index chooses those that count and reads their entries into `table`. Once, at the end.
  absl::Status Index(CrlTable& table);

 private:
  struct Loaded {
    Der der;
    Sha256 digest{};
    CrlIssuers::Signer signer;
    std::string issuer;  // canonical
    std::string place;   // origin and number, for messages
  };

  absl::Status Add(Loaded loaded, const CrlSource& source);
  [[nodiscard]] static std::string SignerKey(const Loaded& loaded, const Crl& crl);
  struct Indexed {
    size_t loaded;  // its place in `loaded_`
    std::unique_ptr<IndexedCrl> crl;
  };
  [[nodiscard]] CrlFault IndexChoice(const CrlChoice& choice, CrlTable& table);
  void DistrustRevokedSigners(const CrlTable& table);
  static void File(const Loaded& loaded, const IndexedCrl* crl, CrlTable& table);

  CrlIssuers issuers_;
  int64_t now_;
  std::set<Sha256> seen_;
  // In step with one another. The candidates borrow from the bytes that `loaded_` holds, which stay
  // where they are when it grows.
  std::vector<Loaded> loaded_;
  std::vector<CrlCandidate> candidates_;
  std::vector<CrlSummary> summaries_;
  std::vector<Indexed> indexed_;  // in the table, and its own at the end
  std::set<Sha256> in_use_;       // digests
};

}  // namespace portcullis::tls
