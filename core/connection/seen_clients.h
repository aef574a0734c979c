// SeenClients: whom a worker has let in lately, whether by a full handshake or by resumption: the
// clients that a reload is tried out on. Each certificate once, so that nobody takes more than one
// place; bounded by count and by bytes. A client that is known costs no memory: what is kept is
// what its connection has. Owned by a worker; that worker's thread only.
#pragma once

#include <cstddef>
#include <list>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"

#include "tls/verdict.h"
#include "tls/verifier_options.h"

namespace portcullis::connection {

// A client as it was let in.
struct SeenClient {
  std::shared_ptr<const tls::PeerIdentity> identity;  // not null
  tls::VerifierOptions judged_by;                     // the rules that its path was found under
  bool resumed = false;  // the identity is a ticket's: of the chain it knows the leaf at most
};

class SeenClients {
 public:
  // Holds at most `capacity` clients, with at most `max_bytes` of certificates.
  SeenClients(size_t capacity, size_t max_bytes) : capacity_(capacity), max_bytes_(max_bytes) {}

  // Note takes in a client that was let in just now; whoever was seen longest ago goes for it. What
  // was known of it gives way, unless that is the chain of the path that a resumed one stands on.
  void Note(SeenClient client);

  // ForEach visits them, the one seen last first.
  void ForEach(absl::FunctionRef<void(const SeenClient&)> visit) const;

  [[nodiscard]] size_t size() const { return clients_.size(); }
  [[nodiscard]] size_t bytes() const { return bytes_; }

 private:
  void Replace(SeenClient& known, SeenClient client);
  void ForgetOldest();

  size_t capacity_;
  size_t max_bytes_;
  size_t bytes_ = 0;               // of the certificates of all
  std::list<SeenClient> clients_;  // seen last first
  absl::flat_hash_map<tls::Sha256, std::list<SeenClient>::iterator> by_certificate_;
};

}  // namespace portcullis::connection
