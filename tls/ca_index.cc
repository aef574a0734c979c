#include "tls/ca_index.h"

#include <openssl/err.h>
#include <openssl/pool.h>

#include <utility>

#include "tls/check.h"
#include "tls/numbered_extensions.h"
#include "tls/revocation_index.h"

namespace portcullis::tls {
namespace {

// What certificates of one name and key identifier are found by. An empty identifier: of those that
// say none.
std::string KeyOf(uint32_t name_hash, std::span<const uint8_t> key_id) {
  std::string key(reinterpret_cast<const char*>(&name_hash), sizeof(name_hash));
  key.append(reinterpret_cast<const char*>(key_id.data()), key_id.size());
  return key;
}

}  // namespace

bool CaIndex::Add(KnownCa ca) {
  const uint32_t id = size();
  if (!by_digest_.emplace(ca.sha256, id).second) return false;
  by_name_[ca.name_hash].push_back(id);
  by_name_and_key_[KeyOf(ca.name_hash, ca.key_id)].push_back(id);
  cas_.push_back(std::move(ca));
  return true;
}

void CaIndex::AppendIssuers(uint32_t name_hash, std::span<const uint8_t> key_id,
                            std::vector<uint32_t>& ids) const {
  const auto append = [&ids](const std::vector<uint32_t>& found) {
    ids.insert(ids.end(), found.begin(), found.end());
  };
  if (key_id.empty()) {
    if (const auto all = by_name_.find(name_hash); all != by_name_.end()) append(all->second);
    return;
  }
  for (const std::span<const uint8_t> wanted : {key_id, std::span<const uint8_t>()}) {
    const auto found = by_name_and_key_.find(KeyOf(name_hash, wanted));
    if (found != by_name_and_key_.end()) append(found->second);
  }
}

std::optional<uint32_t> CaIndex::Find(const Sha256& sha256) const {
  const auto found = by_digest_.find(sha256);
  if (found == by_digest_.end()) return std::nullopt;
  return found->second;
}

X509* CaObjects::Get(uint32_t id) {
  bssl::UniquePtr<X509>& object = objects_[id];
  if (object == nullptr) {
    const std::vector<uint8_t>& der = index_.at(id).der;
    // The bytes are the index's, which outlives this.
    const bssl::UniquePtr<CRYPTO_BUFFER> buffer(
        CRYPTO_BUFFER_new_from_static_data_unsafe(der.data(), der.size(), nullptr));
    object.reset(X509_parse_from_buffer(buffer.get()));
    TLS_CHECK(object != nullptr);  // It parsed when it was added.
    NumberExtensions(object.get());
    ERR_clear_error();
    ++num_parsed_;
  }
  return object.get();
}

const IssuerId& CaObjects::IssuerIdOf(uint32_t id) {
  const auto [found, is_new] = issuer_ids_.try_emplace(id);
  if (is_new) found->second = MakeIssuerId(index_.at(id).der);
  return found->second;
}

}  // namespace portcullis::tls
