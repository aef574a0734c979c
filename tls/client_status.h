// What an OCSP responder is asked about a client, and what its answer means for that client. Plain
// values and pure functions: who asks and how is core/ocsp's business. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tls/der.h"
#include "tls/trust_material.h"
#include "tls/verdict.h"

namespace portcullis::tls {

// Which certificate it is about, and whom the trust says to ask. Cross-signed twins of an issuer
// share what is known; trusts with responders of their own do not, lest the one's failure be the
// other's.
struct StatusKey {
  IssuerId issuer{};
  std::vector<uint8_t> serial;  // content octets of the INTEGER
  std::string responder{};      // the trust's; empty: the one that the certificate names

  friend bool operator==(const StatusKey&, const StatusKey&) = default;
  template <typename H>
  friend H AbslHashValue(H hash, const StatusKey& key) {
    return H::combine(std::move(hash), key.issuer, key.serial, key.responder);
  }
};

enum class ClientStatus : uint8_t {
  kGood,
  kRevoked,
  kUnavailable,  // nobody says: no responder, no answer, one that is of no use, or "unknown"
};

struct StatusAnswer {
  ClientStatus status = ClientStatus::kUnavailable;
  int64_t until = 0;    // kGood, kRevoked: seconds since the epoch, no later than its nextUpdate
  int64_t said_at = 0;  // kGood, kRevoked: its thisUpdate
  std::string detail;   // kUnavailable: why, for our log
};

// KnownStatuses: a worker's memory of what responders have said, for those who only look it up.
class KnownStatuses {
 public:
  // KnowsRevoked tells whether the last word on a certificate is that it is revoked.
  [[nodiscard]] virtual bool KnowsRevoked(const StatusKey& key) const = 0;

 protected:
  ~KnownStatuses() = default;
};

struct StatusQuery {
  StatusKey key;
  std::string url;  // http://...; empty: nobody to ask
  std::vector<uint8_t> issuer_der;
};

// StatusKeyOf returns what is known about a client under; its path must not be empty.
[[nodiscard]] StatusKey StatusKeyOf(const PeerIdentity& identity, const TrustMaterial& trust);

// MakeStatusQuery returns what to ask about a client that `trust` has accepted: nothing when the
// certificate is an anchor itself, for whom no issuer speaks.
[[nodiscard]] std::optional<StatusQuery> MakeStatusQuery(const PeerIdentity& identity,
                                                         const TrustMaterial& trust);

// StatusRequest returns the OCSPRequest to be sent; empty when the issuer does not parse.
[[nodiscard]] std::vector<uint8_t> StatusRequest(const StatusQuery& query);

// JudgeStatus reads a responder's answer at `now` (seconds since the epoch).
[[nodiscard]] StatusAnswer JudgeStatus(Bytes response_der, const StatusQuery& query, int64_t now);

}  // namespace portcullis::tls
