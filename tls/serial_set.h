// SerialSet: the entries of one CRL, asked by serial number in O(1), a million of them in some tens
// of megabytes: one run of bytes and a table of offsets into it, nothing allocated for an entry.
// Filled by one thread, then only read, by any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "tls/crl_parser.h"
#include "tls/der.h"

namespace portcullis::tls {

class SerialSet {
 public:
  // HashSerial hashes a serial number, as the content octets of its INTEGER, under a key of the
  // process's own: whoever chooses serial numbers cannot make them collide.
  [[nodiscard]] static uint64_t HashSerial(Bytes serial);

  // Reserve makes room for about that many entries.
  void Reserve(size_t num_entries);
  // Insert takes an entry. Of several with one serial the last one stays, but for one that removes
  // the serial. False when there is no room for more (4 GiB).
  [[nodiscard]] bool Insert(const CrlEntry& entry);
  // Finish gives back what was reserved in vain.
  void Finish();

  struct Found {
    int64_t revoked_at = 0;
    int reason = kReasonUnsaid;
  };
  // Find looks up a serial by the hash that HashSerial gave of it. Allocates nothing.
  [[nodiscard]] std::optional<Found> Find(Bytes serial, uint64_t hash) const;

  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] size_t memory_bytes() const;

 private:
  [[nodiscard]] size_t SlotOf(Bytes serial, uint64_t hash) const;
  [[nodiscard]] Bytes SerialAt(uint32_t offset) const;
  void Rehash(size_t num_slots);

  // Entries, one after the other: length of the serial, the serial, then the date (5 bytes, biased)
  // and the reason.
  std::vector<uint8_t> records_;
  std::vector<uint32_t> slots_;  // offset + 1 into records_; 0: free. A power of two, or empty.
  size_t size_ = 0;
};

}  // namespace portcullis::tls
