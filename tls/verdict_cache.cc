#include "tls/verdict_cache.h"

#include <openssl/mem.h>
#include <openssl/pool.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

#include "tls/check.h"

namespace portcullis::tls {
namespace {

constexpr uint32_t kNone = UINT32_MAX;
// Of one entry, so that the whole has a bound in bytes too: a client with a good certificate may
// append others at will, and each time it is another chain.
constexpr size_t kMaxChainBytes = size_t{16} * 1024;

void AbsorbNumber(SHA256_CTX& hash, uint64_t number) {
  std::array<uint8_t, sizeof(number)> bytes;
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(number >> (8 * i));
  SHA256_Update(&hash, bytes.data(), bytes.size());
}

template <typename Chain, typename Bytes>
Sha256 HashOf(uint64_t verifier_epoch, const Chain& chain, Bytes bytes_of) {
  SHA256_CTX hash;
  SHA256_Init(&hash);
  AbsorbNumber(hash, verifier_epoch);
  AbsorbNumber(hash, chain.size());
  for (const auto& certificate : chain) {
    const std::span<const uint8_t> bytes = bytes_of(certificate);
    AbsorbNumber(hash, bytes.size());
    SHA256_Update(&hash, bytes.data(), bytes.size());
  }
  Sha256 key;
  SHA256_Final(key.data(), &hash);
  return key;
}

size_t ChainBytes(const PeerIdentity& identity) {
  size_t bytes = 0;
  for (const SharedBytes& certificate : identity.chain_der) bytes += certificate.size();
  return bytes;
}

}  // namespace

// Entries are a queue, newest first, threaded through one array; an open-addressed index finds them
// by key. Eviction is SIEVE (Zhang et al., NSDI 2024): a hand walks from the oldest to the newest,
// spares what was found since it last came by, and takes the first that was not. Nothing moves on a
// hit, and what is used once only goes soon.
struct VerdictCache::Rep {
  struct Entry {
    Sha256 key{};
    std::shared_ptr<const PeerIdentity> identity;  // null: free
    uint32_t newer = kNone;
    uint32_t older = kNone;
    bool visited = false;
  };

  explicit Rep(size_t wanted)
      : capacity(std::min<size_t>(wanted, kNone / 4)),
        index(capacity == 0 ? 0 : std::bit_ceil(capacity * 2), kNone) {
    // Keys come from chains that clients choose: where they land must not be theirs to choose.
    RAND_bytes(reinterpret_cast<uint8_t*>(&multiplier), sizeof(multiplier));
    multiplier |= 1;
  }

  [[nodiscard]] size_t Home(const Sha256& key) const {
    uint64_t number = 0;
    std::memcpy(&number, key.data(), sizeof(number));
    return static_cast<size_t>((number * multiplier) >> 32) & (index.size() - 1);
  }
  [[nodiscard]] size_t Next(size_t at) const { return (at + 1) & (index.size() - 1); }

  // Where `key` stands in the index, or the free place where the search ended.
  [[nodiscard]] size_t Locate(const Sha256& key) const {
    size_t at = Home(key);
    while (index[at] != kNone && entries[index[at]].key != key) at = Next(at);
    return at;
  }

  void Link(uint32_t number) {
    Entry& entry = entries[number];
    entry.newer = kNone;
    entry.older = newest;
    if (newest != kNone) entries[newest].newer = number;
    newest = number;
    if (oldest == kNone) oldest = number;
  }

  void Unlink(uint32_t number) {
    const Entry& entry = entries[number];
    if (hand == number) hand = entry.newer;
    (entry.newer == kNone ? newest : entries[entry.newer].older) = entry.older;
    (entry.older == kNone ? oldest : entries[entry.older].newer) = entry.newer;
  }

  // Takes the entry at `at` of the index out and closes the gap, so that no search ends too early.
  void Remove(size_t at) {
    const uint32_t number = index[at];
    Unlink(number);
    entries[number].identity = nullptr;
    free.push_back(number);
    size_t hole = at;
    for (size_t probe = Next(at); index[probe] != kNone; probe = Next(probe)) {
      const size_t home = Home(entries[index[probe]].key);
      const size_t mask = index.size() - 1;
      // What lies between its home and here without passing the hole may stay.
      if (((probe - home) & mask) < ((probe - hole) & mask)) continue;
      index[hole] = index[probe];
      hole = probe;
    }
    index[hole] = kNone;
  }

  void Evict() {
    uint32_t victim = hand == kNone ? oldest : hand;
    while (entries[victim].visited) {
      entries[victim].visited = false;
      victim = entries[victim].newer == kNone ? oldest : entries[victim].newer;
    }
    hand = entries[victim].newer;
    Remove(Locate(entries[victim].key));
    ++stats.evictions;
  }

  size_t capacity;
  std::vector<uint32_t> index;  // a power of two, at most half full; numbers of entries
  std::vector<Entry> entries;   // grows up to `capacity`
  std::vector<uint32_t> free;   // of the entries
  uint32_t newest = kNone;
  uint32_t oldest = kNone;
  uint32_t hand = kNone;  // next to be looked at; kNone: the oldest
  uint64_t multiplier = 0;
  VerdictCacheStats stats;
};

VerdictCache::VerdictCache(size_t capacity) : rep_(std::make_unique<Rep>(capacity)) {}

VerdictCache::~VerdictCache() = default;

Sha256 VerdictCache::KeyOf(uint64_t verifier_epoch, std::span<CRYPTO_BUFFER* const> chain) {
  return HashOf(verifier_epoch, chain, [](const CRYPTO_BUFFER* certificate) {
    return std::span(CRYPTO_BUFFER_data(certificate), CRYPTO_BUFFER_len(certificate));
  });
}

Sha256 VerdictCache::KeyOf(uint64_t verifier_epoch, std::span<const SharedBytes> chain_der) {
  return HashOf(verifier_epoch, chain_der,
                [](const SharedBytes& certificate) { return std::span(certificate); });
}

std::shared_ptr<const PeerIdentity> VerdictCache::Find(const Sha256& key) {
  if (rep_->capacity != 0) {
    const uint32_t number = rep_->index[rep_->Locate(key)];
    if (number != kNone) {
      ++rep_->stats.hits;
      rep_->entries[number].visited = true;
      return rep_->entries[number].identity;
    }
  }
  ++rep_->stats.misses;
  return nullptr;
}

void VerdictCache::Insert(const Sha256& key, std::shared_ptr<const PeerIdentity> identity) {
  TLS_CHECK(identity != nullptr);
  if (rep_->capacity == 0 || ChainBytes(*identity) > kMaxChainBytes) return;
  if (const uint32_t known = rep_->index[rep_->Locate(key)]; known != kNone) {
    rep_->entries[known].identity = std::move(identity);
    rep_->entries[known].visited = true;
    return;
  }
  if (rep_->free.empty() && rep_->entries.size() == rep_->capacity) rep_->Evict();
  uint32_t number = 0;
  if (rep_->free.empty()) {
    number = static_cast<uint32_t>(rep_->entries.size());
    rep_->entries.emplace_back();
  } else {
    number = rep_->free.back();
    rep_->free.pop_back();
  }
  Rep::Entry& entry = rep_->entries[number];
  entry.key = key;
  entry.identity = std::move(identity);
  entry.visited = false;
  rep_->Link(number);
  rep_->index[rep_->Locate(key)] = number;
}

void VerdictCache::Erase(const Sha256& key) {
  if (rep_->capacity == 0) return;
  const size_t at = rep_->Locate(key);
  if (rep_->index[at] != kNone) rep_->Remove(at);
}

size_t VerdictCache::size() const { return rep_->entries.size() - rep_->free.size(); }

size_t VerdictCache::capacity() const { return rep_->capacity; }

const VerdictCacheStats& VerdictCache::stats() const { return rep_->stats; }

}  // namespace portcullis::tls
