#include "tls/ticket_keys.h"

#include <openssl/err.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace portcullis::tls {
namespace {

constexpr int64_t kSlot = 3600;
constexpr int64_t kStart = 500'000 * kSlot;  // the first second of a slot

std::span<const uint8_t> TicketBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::vector<uint8_t> Seal(TicketKeys& keys, std::string_view plain, std::string_view context,
                          int64_t now) {
  std::vector<uint8_t> out(plain.size() + TicketKeys::kOverhead);
  out.resize(keys.Seal(out, TicketBytes(plain), TicketBytes(context), now));
  return out;
}

// What `ticket` opens to; empty when it does not.
std::string Open(TicketKeys& keys, const std::vector<uint8_t>& ticket, std::string_view context,
                 int64_t now) {
  std::vector<uint8_t> out(ticket.size());
  const size_t size = keys.Open(out, ticket, TicketBytes(context), now);
  return {reinterpret_cast<const char*>(out.data()), size};
}

class TicketKeysTest : public ::testing::Test {
 protected:
  std::shared_ptr<const TicketSecret> secret_ = TicketSecret::Random(kSlot);
  TicketKeys keys_{secret_};
};

TEST_F(TicketKeysTest, WhatIsSealedOpensWithinItsSlot) {
  const std::vector<uint8_t> ticket = Seal(keys_, "session", "host", kStart);
  EXPECT_EQ(ticket.size(), 7 + TicketKeys::kOverhead);
  EXPECT_EQ(Open(keys_, ticket, "host", kStart), "session");
  EXPECT_EQ(Open(keys_, ticket, "host", kStart + kSlot - 1), "session");
}

TEST_F(TicketKeysTest, PreviousAndNextSlotOpenAndNoOthers) {
  const std::vector<uint8_t> ticket = Seal(keys_, "session", "host", kStart);
  EXPECT_EQ(Open(keys_, ticket, "host", kStart + 2 * kSlot - 1), "session");
  EXPECT_EQ(Open(keys_, ticket, "host", kStart + 2 * kSlot), "");
  EXPECT_EQ(Open(keys_, ticket, "host", kStart - 1),
            "session");  // our clock is behind the sealer's
  EXPECT_EQ(Open(keys_, ticket, "host", kStart - kSlot - 1), "");
}

TEST(TicketSecretFromBytes, IsTheSameEverywhereAndOneForEachText) {
  const std::string bytes = "0123456789abcdef0123456789ABCDEF";
  const auto one = TicketSecret::FromBytes(bytes, kSlot);
  const auto same = TicketSecret::FromBytes(bytes, kSlot);
  const auto other = TicketSecret::FromBytes(bytes + "\n", kSlot);
  ASSERT_TRUE(one.ok() && same.ok() && other.ok());
  EXPECT_EQ((*one)->bytes, (*same)->bytes);
  EXPECT_NE((*one)->bytes, (*other)->bytes);
  EXPECT_EQ((*one)->slot_seconds, kSlot);
  EXPECT_NE(std::string((*one)->bytes.begin(), (*one)->bytes.end()), bytes);
  TicketKeys sealer(*one), opener(*same), stranger(*other);
  const std::vector<uint8_t> ticket = Seal(sealer, "session", "host", kStart);
  EXPECT_EQ(Open(opener, ticket, "host", kStart), "session");
  EXPECT_EQ(Open(stranger, ticket, "host", kStart), "");
}

TEST(TicketSecretFromBytes, RefusesWhatIsTooShortOrNoSecretAtAll) {
  EXPECT_FALSE(TicketSecret::FromBytes("", kSlot).ok());
  EXPECT_FALSE(TicketSecret::FromBytes("0123456789abcdef0123456789ABCDE", kSlot).ok());
  EXPECT_FALSE(TicketSecret::FromBytes(std::string(64, '\0'), kSlot).ok());
  const auto error = TicketSecret::FromBytes("short", kSlot).status();
  EXPECT_EQ(std::string(error.message()).find("short"), std::string::npos) << "never the secret";
}

TEST_F(TicketKeysTest, AnotherWorkerWithTheSecretOpensIt) {
  TicketKeys other(secret_);
  EXPECT_EQ(Open(other, Seal(keys_, "session", "host", kStart), "host", kStart + kSlot), "session");
}

TEST_F(TicketKeysTest, AnotherSecretDoesNot) {
  TicketKeys other(TicketSecret::Random(kSlot));
  EXPECT_EQ(Open(other, Seal(keys_, "session", "host", kStart), "host", kStart), "");
}

TEST_F(TicketKeysTest, AnotherContextDoesNot) {
  const std::vector<uint8_t> ticket = Seal(keys_, "session", "host", kStart);
  EXPECT_EQ(Open(keys_, ticket, "hose", kStart), "");
  EXPECT_EQ(Open(keys_, ticket, "", kStart), "");
}

TEST_F(TicketKeysTest, EveryFlippedBitIsNoticed) {
  const std::vector<uint8_t> ticket = Seal(keys_, "session", "host", kStart);
  for (size_t bit = 0; bit < ticket.size() * 8; ++bit) {
    std::vector<uint8_t> tampered = ticket;
    tampered[bit / 8] = static_cast<uint8_t>(tampered[bit / 8] ^ (1U << (bit % 8)));
    EXPECT_EQ(Open(keys_, tampered, "host", kStart), "") << "bit " << bit;
  }
}

TEST_F(TicketKeysTest, EveryTruncationIsNoticedAndLeavesNoErrorBehind) {
  const std::vector<uint8_t> ticket = Seal(keys_, "session", "host", kStart);
  for (size_t size = 0; size < ticket.size(); ++size) {
    const std::vector<uint8_t> cut(ticket.begin(), ticket.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_EQ(Open(keys_, cut, "host", kStart), "") << size;
    EXPECT_EQ(ERR_peek_error(), 0U) << size;
  }
}

TEST_F(TicketKeysTest, SlotNumbersAtTheEndsOfTheirRangeAreNotOurs) {
  std::vector<uint8_t> ticket = Seal(keys_, "session", "host", 0);
  EXPECT_EQ(Open(keys_, ticket, "host", 0), "session");
  std::fill(ticket.begin(), ticket.begin() + 8, uint8_t{0xff});
  EXPECT_EQ(Open(keys_, ticket, "host", 0), "");
  EXPECT_EQ(Open(keys_, ticket, "host", INT64_MAX), "");
}

TEST_F(TicketKeysTest, EqualSessionsSealDifferently) {
  EXPECT_NE(Seal(keys_, "session", "host", kStart), Seal(keys_, "session", "host", kStart));
}

TEST_F(TicketKeysTest, SealRefusesASpaceTooSmall) {
  std::vector<uint8_t> out(7 + TicketKeys::kOverhead - 1);
  EXPECT_EQ(keys_.Seal(out, TicketBytes("session"), TicketBytes("host"), kStart), 0U);
  EXPECT_EQ(keys_.Seal({}, TicketBytes("session"), TicketBytes("host"), kStart), 0U);
}

TEST_F(TicketKeysTest, SlotsFarApartReuseTheCacheCorrectly) {
  // Slots 0 and 3 share a place in the cache.
  const std::vector<uint8_t> early = Seal(keys_, "early", "host", kStart);
  const std::vector<uint8_t> late = Seal(keys_, "late", "host", kStart + 3 * kSlot);
  EXPECT_EQ(Open(keys_, late, "host", kStart + 3 * kSlot), "late");
  EXPECT_EQ(Open(keys_, early, "host", kStart), "early");
}

TEST(TicketSecretTest, RandomSecretsDiffer) {
  EXPECT_NE(TicketSecret::Random(60)->bytes, TicketSecret::Random(60)->bytes);
  EXPECT_EQ(TicketSecret::Random(60)->slot_seconds, 60U);
}

}  // namespace
}  // namespace portcullis::tls
