// CaIndex: the certificates that an operator has named, and how the issuers of a certificate are
// found among them: by subject name and key identifier, in the same time for one CA as for ten
// thousand. Plain bytes and values: made once, off the workers, and then only read, by all of them.
#pragma once

#include <openssl/x509.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"

#include "tls/verdict.h"

namespace portcullis::tls {

// A certificate of a trust, with what the choice among several needs to know.
struct KnownCa {
  std::vector<uint8_t> der;
  std::vector<uint8_t> subject;  // DER of the Name
  std::vector<uint8_t> key_id;   // subjectKeyIdentifier; empty without
  Sha256 sha256{};               // of `der`
  uint32_t name_hash = 0;        // compat::NameHash of the subject
  int64_t not_before = 0;        // seconds since the epoch
  int64_t not_after = 0;
  bool is_self_signed = false;  // its own key has signed it, by its own word or as verified
  bool may_issue = false;       // false for a pinned leaf, which vouches for nobody but itself
  bool in_bundle = false;       // of the CA bundle; else an extra intermediate, never an anchor
};

class CaIndex {
 public:
  // Add takes a certificate unless it is there already; tells whether it took it.
  bool Add(KnownCa ca);

  [[nodiscard]] const KnownCa& at(uint32_t id) const { return cas_[id]; }
  [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(cas_.size()); }

  // AppendIssuers appends the ids of those that may have issued a certificate: of the issuer's name
  // (by its hash), and with the key identifier asked for or none. Without one, all of the name.
  void AppendIssuers(uint32_t name_hash, std::span<const uint8_t> key_id,
                     std::vector<uint32_t>& ids) const;

  // Find returns the id of the certificate with this digest.
  [[nodiscard]] std::optional<uint32_t> Find(const Sha256& sha256) const;

 private:
  std::vector<KnownCa> cas_;
  absl::flat_hash_map<uint32_t, std::vector<uint32_t>> by_name_;
  absl::flat_hash_map<std::string, std::vector<uint32_t>> by_name_and_key_;
  absl::flat_hash_map<Sha256, uint32_t> by_digest_;
};

// CaObjects: one worker's library objects for the certificates of an index, each parsed when it is
// first met: ten thousand CAs cost a worker nothing until their clients come. That worker's thread
// only; `index` must outlive it.
class CaObjects {
 public:
  explicit CaObjects(const CaIndex& index) : index_(index), objects_(index.size()) {}

  [[nodiscard]] X509* Get(uint32_t id);
  // IssuerIdOf returns MakeIssuerId of the certificate.
  [[nodiscard]] const IssuerId& IssuerIdOf(uint32_t id);
  [[nodiscard]] const CaIndex& index() const { return index_; }
  [[nodiscard]] size_t num_parsed() const { return num_parsed_; }

 private:
  const CaIndex& index_;
  std::vector<bssl::UniquePtr<X509>> objects_;
  absl::flat_hash_map<uint32_t, IssuerId> issuer_ids_;
  size_t num_parsed_ = 0;
};

}  // namespace portcullis::tls
