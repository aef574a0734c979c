// IndexedCrl: a CRL in use, a delta merged onto it where there is one: for whom it speaks, until
// when, and whom it lists. Filled while an index is built, then only read, by any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "tls/crl_parser.h"
#include "tls/serial_set.h"
#include "tls/verdict.h"

namespace portcullis::tls {

// Every reason for which a certificate may be revoked, as a mask of CrlScope::reasons.
inline constexpr uint16_t kAllReasons = 0x1fe;

class IndexedCrl {
 public:
  // Fill reads the entries of `crl`, which is complete, or a delta by itself: that speaks for
  // nobody, and what it would remove is passed over. In an indirect CRL, so are entries for other
  // issuers. Returns the fault of an entry that does not parse.
  [[nodiscard]] CrlFault Fill(const Crl& crl);
  // Overlay lays a delta over what was filled: what it adds and what it removes.
  [[nodiscard]] CrlFault Overlay(const Crl& delta);
  // Disqualify makes it speak for nobody; what it lists remains revoked.
  void Disqualify() { speaks_ = false; }

  // Covers tells whether it would list the certificate behind `link` if that were revoked; for
  // which reasons is for reasons() to say.
  [[nodiscard]] bool Covers(const PathLink& link, int64_t now) const;
  [[nodiscard]] uint16_t reasons() const { return reasons_; }
  [[nodiscard]] int64_t next_update() const { return next_update_; }  // 0: none said
  [[nodiscard]] bool speaks() const { return speaks_; }

  // Find looks up a serial number by its hash (SerialSet::HashSerial). O(1), allocates nothing.
  [[nodiscard]] std::optional<SerialSet::Found> Find(Bytes serial, uint64_t hash) const;

  [[nodiscard]] size_t num_entries() const { return base_.size() + delta_.size(); }
  [[nodiscard]] size_t memory_bytes() const {
    return sizeof(*this) + base_.memory_bytes() + delta_.memory_bytes();
  }

 private:
  [[nodiscard]] CrlFault Read(const Crl& crl, bool removals, SerialSet& set);

  SerialSet base_;
  SerialSet delta_;
  int64_t this_update_ = 0;
  int64_t next_update_ = 0;
  bool speaks_ = true;
  bool only_user_ = false;
  bool only_ca_ = false;
  bool is_partition_ = false;
  uint16_t reasons_ = kAllReasons;
  std::vector<uint64_t> points_;  // is_partition_: NameHash64 of its names
};

}  // namespace portcullis::tls
