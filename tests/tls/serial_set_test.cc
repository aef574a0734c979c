#include "tls/serial_set.h"

#include <iostream>
#include <map>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace portcullis::tls {
namespace {

using Octets = std::vector<uint8_t>;

CrlEntry Entry(const Octets& serial, int reason = kReasonUnsaid) {
  CrlEntry entry;
  entry.serial = serial;
  entry.reason = reason;
  return entry;
}

std::optional<SerialSet::Found> Find(const SerialSet& set, const Octets& serial) {
  return set.Find(serial, SerialSet::HashSerial(serial));
}

TEST(SerialSet, AnEmptyOneFindsNothing) {
  EXPECT_FALSE(Find(SerialSet(), {1}).has_value());
  EXPECT_FALSE(Find(SerialSet(), {}).has_value());
}

TEST(SerialSet, HoldsWhatAMapHolds) {
  const uint32_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  std::map<Octets, CrlEntry> model;
  SerialSet set;
  for (int i = 0; i < 20'000; ++i) {
    Octets serial(1 + random() % 3);
    for (uint8_t& octet : serial) octet = static_cast<uint8_t>(random());
    serial.front() = static_cast<uint8_t>(serial.front() | 1);  // No leading zeros in the model.
    CrlEntry entry;
    entry.revoked_at = static_cast<int64_t>(random()) - (int64_t{1} << 31);
    entry.reason = static_cast<int>(random() % 8) - 1;
    model[serial] = entry;
    entry.serial = serial;
    ASSERT_TRUE(set.Insert(entry));
  }
  set.Finish();
  EXPECT_EQ(set.size(), model.size());
  for (const auto& [serial, entry] : model) {
    const auto found = Find(set, serial);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->revoked_at, entry.revoked_at);
    EXPECT_EQ(found->reason, entry.reason);
  }
  for (int i = 0; i < 20'000; ++i) {
    const Octets serial = {1, static_cast<uint8_t>(random()), static_cast<uint8_t>(random()),
                           static_cast<uint8_t>(random())};
    EXPECT_FALSE(Find(set, serial).has_value());
  }
}

TEST(SerialSet, LeadingZerosAndZeroItselfAreNumbers) {
  SerialSet set;
  const Octets zero = {0};
  ASSERT_TRUE(set.Insert(Entry(zero)));
  EXPECT_TRUE(Find(set, {0, 0}).has_value());
  EXPECT_TRUE(Find(set, {}).has_value());
  EXPECT_FALSE(Find(set, {1}).has_value());
}

TEST(SerialSet, ARemovalDoesNotReplaceARevocation) {
  SerialSet set;
  const Octets serial = {1};
  ASSERT_TRUE(set.Insert(Entry(serial, kReasonRemoveFromCrl)));
  EXPECT_EQ(Find(set, serial)->reason, kReasonRemoveFromCrl);
  ASSERT_TRUE(set.Insert(Entry(serial, 1)));
  ASSERT_TRUE(set.Insert(Entry(serial, kReasonRemoveFromCrl)));
  EXPECT_EQ(Find(set, serial)->reason, 1);
  EXPECT_EQ(set.size(), 1U);
}

}  // namespace
}  // namespace portcullis::tls
