// VerdictCache: what a worker remembers of chains it has accepted, so that a client seen before
// costs no signature checks but its own proof. It remembers who is trusted, never that this peer
// holds the key: CertificateVerify is checked in every full handshake.
//
// A key binds the chain exactly as presented (every certificate, in order) to the verifier's epoch
// (anchors, intermediates, profile, depth): another virtual host's trust, a changed bundle or other
// intermediates miss. Revocation, expiry and policy are no part of what is remembered: they are
// asked again at each hit. Rejections are not remembered, nor clients that have not proved
// possession of their key, nor chains with more in them than their path: nobody without a good
// certificate can displace anything, and with one only as much as there are ways to present it.
//
// Owned by a worker, over all its listeners and runtimes; that worker's thread only.
#pragma once

#include <openssl/base.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tls/verdict.h"

namespace portcullis::tls {

struct VerdictCacheStats {
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t evictions = 0;
};

class VerdictCache {
 public:
  // Holds at most `capacity` chains; 0: remembers nothing.
  explicit VerdictCache(size_t capacity);
  ~VerdictCache();
  VerdictCache(const VerdictCache&) = delete;
  VerdictCache& operator=(const VerdictCache&) = delete;

  [[nodiscard]] static Sha256 KeyOf(uint64_t verifier_epoch, std::span<CRYPTO_BUFFER* const> chain);
  [[nodiscard]] static Sha256 KeyOf(uint64_t verifier_epoch,
                                    std::span<const SharedBytes> chain_der);

  // Find returns the identity accepted under `key`, null if there is none. Counts.
  [[nodiscard]] std::shared_ptr<const PeerIdentity> Find(const Sha256& key);
  // Insert remembers; displaces what was not asked for in the longest while (approximately).
  void Insert(const Sha256& key, std::shared_ptr<const PeerIdentity> identity);
  void Erase(const Sha256& key);

  [[nodiscard]] size_t size() const;
  [[nodiscard]] size_t capacity() const;
  [[nodiscard]] const VerdictCacheStats& stats() const;

 private:
  struct Rep;
  std::unique_ptr<Rep> rep_;
};

}  // namespace portcullis::tls
