#include "core/connection/seen_clients.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "io/check.h"

namespace portcullis::connection {
namespace {

size_t BytesOf(const SeenClient& client) {
  size_t bytes = 0;
  for (const tls::SharedBytes& der : client.identity->chain_der) bytes += der.size();
  return bytes;
}

// Whether `known` tells all that `again` does, and the chain besides.
bool KnowsMore(const SeenClient& known, const SeenClient& again) {
  return again.resumed && !known.resumed && known.judged_by == again.judged_by &&
         known.identity->anchor_sha256 == again.identity->anchor_sha256 &&
         known.identity->lent == again.identity->lent;
}

}  // namespace

void SeenClients::Note(SeenClient client) {
  CHECK(client.identity != nullptr, "a client without an identity");
  if (capacity_ == 0) return;
  if (const auto found = by_certificate_.find(client.identity->sha256);
      found != by_certificate_.end()) {
    clients_.splice(clients_.begin(), clients_, found->second);
    if (!KnowsMore(*found->second, client)) Replace(*found->second, std::move(client));
  } else {
    if (clients_.size() == capacity_) ForgetOldest();
    const tls::Sha256 certificate = client.identity->sha256;
    bytes_ += BytesOf(client);
    clients_.push_front(std::move(client));
    by_certificate_.emplace(certificate, clients_.begin());
  }
  while (bytes_ > max_bytes_) ForgetOldest();
}

void SeenClients::Replace(SeenClient& known, SeenClient client) {
  bytes_ = bytes_ - BytesOf(known) + BytesOf(client);
  known = std::move(client);
}

void SeenClients::ForgetOldest() {
  bytes_ -= BytesOf(clients_.back());
  by_certificate_.erase(clients_.back().identity->sha256);
  clients_.pop_back();
}

void SeenClients::ForEach(absl::FunctionRef<void(const SeenClient&)> visit) const {
  for (const SeenClient& client : clients_) visit(client);
}

}  // namespace portcullis::connection
