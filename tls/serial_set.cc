#include "tls/serial_set.h"

#include <openssl/rand.h>
#include <openssl/siphash.h>

#include <algorithm>
#include <array>
#include <bit>

#include "tls/check.h"

namespace portcullis::tls {
namespace {

constexpr size_t kDateBytes = 5;
// Dates start at the year 0, so that every one is positive and fits in five bytes.
constexpr int64_t kYearZero = -62'167'219'200;
constexpr uint8_t kUnsaid = 0xff;

using HashKey = std::array<uint64_t, 2>;

HashKey MakeKey() {
  HashKey key;
  TLS_CHECK(RAND_bytes(reinterpret_cast<uint8_t*>(key.data()), sizeof(key)) == 1);
  return key;
}

// Leading zeros say nothing about a number, and not everybody writes the one that DER wants.
Bytes Trimmed(Bytes serial) {
  while (!serial.empty() && serial.front() == 0) serial = serial.subspan(1);
  return serial;
}

}  // namespace

uint64_t SerialSet::HashSerial(Bytes serial) {
  static const HashKey kKey = MakeKey();
  const Bytes trimmed = Trimmed(serial);
  return SIPHASH_24(kKey.data(), trimmed.data(), trimmed.size());
}

void SerialSet::Reserve(size_t num_entries) {
  // At most two thirds full.
  const size_t wanted = std::bit_ceil(num_entries + num_entries / 2 + 1);
  if (wanted > slots_.size()) Rehash(wanted);
}

bool SerialSet::Insert(const CrlEntry& entry) {
  const Bytes serial = Trimmed(entry.serial);
  if (serial.size() > UINT8_MAX || records_.size() > UINT32_MAX - 512U) return false;
  Reserve(size_ + 1);
  uint32_t& slot = slots_[SlotOf(serial, HashSerial(serial))];
  if (slot != 0 && entry.reason == kReasonRemoveFromCrl) return true;
  if (slot == 0) ++size_;
  slot = static_cast<uint32_t>(records_.size()) + 1;
  records_.push_back(static_cast<uint8_t>(serial.size()));
  records_.insert(records_.end(), serial.begin(), serial.end());
  const auto date = static_cast<uint64_t>(std::max<int64_t>(entry.revoked_at - kYearZero, 0));
  for (size_t i = 0; i < kDateBytes; ++i) {
    records_.push_back(static_cast<uint8_t>(date >> 8 * (kDateBytes - 1 - i)));
  }
  records_.push_back(
      entry.reason >= 0 && entry.reason < kUnsaid ? static_cast<uint8_t>(entry.reason) : kUnsaid);
  return true;
}

void SerialSet::Finish() { records_.shrink_to_fit(); }

std::optional<SerialSet::Found> SerialSet::Find(Bytes serial, uint64_t hash) const {
  if (size_ == 0) return std::nullopt;
  const Bytes trimmed = Trimmed(serial);
  const uint32_t slot = slots_[SlotOf(trimmed, hash)];
  if (slot == 0) return std::nullopt;
  const size_t tail = slot - 1 + 1 + trimmed.size();
  uint64_t date = 0;
  for (size_t i = 0; i < kDateBytes; ++i) date = date << 8 | records_[tail + i];
  const uint8_t reason = records_[tail + kDateBytes];
  return Found{.revoked_at = static_cast<int64_t>(date) + kYearZero,
               .reason = reason == kUnsaid ? kReasonUnsaid : reason};
}

size_t SerialSet::memory_bytes() const {
  return records_.capacity() + slots_.capacity() * sizeof(slots_[0]);
}

// Where a trimmed serial is, or the free slot where it would be. There always is one: the table is
// never full.
size_t SerialSet::SlotOf(Bytes serial, uint64_t hash) const {
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  while (slots_[at] != 0 && !Equal(SerialAt(slots_[at] - 1), serial)) at = (at + 1) & mask;
  return at;
}

Bytes SerialSet::SerialAt(uint32_t offset) const {
  return {records_.data() + offset + 1, records_[offset]};
}

void SerialSet::Rehash(size_t num_slots) {
  std::vector<uint32_t> old(num_slots);
  old.swap(slots_);
  for (const uint32_t slot : old) {
    if (slot == 0) continue;
    const Bytes serial = SerialAt(slot - 1);
    slots_[SlotOf(serial, HashSerial(serial))] = slot;
  }
}

}  // namespace portcullis::tls
