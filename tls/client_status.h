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

// Which certificate it is about. Cross-signed twins of an issuer share what is known.
struct StatusKey {
  IssuerId issuer{};
  std::vector<uint8_t> serial;  // content octets of the INTEGER

  friend bool operator==(const StatusKey&, const StatusKey&) = default;
  template <typename H>
  friend H AbslHashValue(H hash, const StatusKey& key) {
    return H::combine(std::move(hash), key.issuer, key.serial);
  }
};

enum class ClientStatus : uint8_t {
  kGood,
  kRevoked,
  kUnavailable,  // nobody says: no responder, no answer, one that is of no use, or "unknown"
};

struct StatusAnswer {
  ClientStatus status = ClientStatus::kUnavailable;
  int64_t until = 0;   // kGood, kRevoked: seconds since the epoch, no later than its nextUpdate
  std::string detail;  // kUnavailable: why, for our log
};

struct StatusQuery {
  StatusKey key;
  std::string url;  // http://...; empty: nobody to ask
  std::vector<uint8_t> issuer_der;
};

// MakeStatusQuery returns what to ask about a client that `trust` has accepted: nothing when the
// certificate is an anchor itself, for whom no issuer speaks.
[[nodiscard]] std::optional<StatusQuery> MakeStatusQuery(const PeerIdentity& identity,
                                                         const TrustMaterial& trust);

// StatusRequest returns the OCSPRequest to be sent; empty when the issuer does not parse.
[[nodiscard]] std::vector<uint8_t> StatusRequest(const StatusQuery& query);

// JudgeStatus reads a responder's answer at `now` (seconds since the epoch).
[[nodiscard]] StatusAnswer JudgeStatus(Bytes response_der, const StatusQuery& query, int64_t now);

}  // namespace portcullis::tls
