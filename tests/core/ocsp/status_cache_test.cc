#include "core/ocsp/status_cache.h"

#include "gtest/gtest.h"

namespace portcullis::ocsp {
namespace {

using tls::ClientStatus;
using tls::StatusAnswer;
using tls::StatusKey;

constexpr int64_t kNow = 1'800'000'000;

StatusKey Key(uint8_t serial) {
  StatusKey key;
  key.serial = {serial};
  return key;
}

StatusAnswer Good(int64_t until) {
  return {.status = ClientStatus::kGood, .until = until, .detail = {}};
}

void Settle(StatusCache& cache, uint8_t serial, StatusAnswer answer) {
  EXPECT_TRUE(cache.Settle(Key(serial), answer, kNow).empty());
}

TEST(StatusCache, KeepsAnAnswerUntilItsEndButNotTooLong) {
  StatusCache cache(10);
  EXPECT_FALSE(cache.Find(Key(1), kNow).has_value());
  Settle(cache, 1, Good(kNow + 60));
  Settle(cache, 2, Good(kNow + 1'000'000));
  ASSERT_TRUE(cache.Find(Key(1), kNow + 60).has_value());
  EXPECT_EQ(cache.Find(Key(1), kNow)->status, ClientStatus::kGood);
  EXPECT_FALSE(cache.Find(Key(1), kNow + 61).has_value());
  EXPECT_TRUE(cache.Find(Key(2), kNow + kKeepAnswerSeconds).has_value());
  EXPECT_FALSE(cache.Find(Key(2), kNow + kKeepAnswerSeconds + 1).has_value());
}

TEST(StatusCache, KeepsAFailureForSeconds) {
  StatusCache cache(10);
  Settle(cache, 1, {.detail = "because"});
  ASSERT_TRUE(cache.Find(Key(1), kNow + kKeepFailureSeconds).has_value());
  EXPECT_EQ(cache.Find(Key(1), kNow)->detail, "because");
  EXPECT_FALSE(cache.Find(Key(1), kNow + kKeepFailureSeconds + 1).has_value());
}

TEST(StatusCache, AnIssuersSerialIsNotAnothers) {
  StatusCache cache(10);
  Settle(cache, 1, Good(kNow + 60));
  StatusKey other = Key(1);
  other.issuer[0] = 1;
  EXPECT_FALSE(cache.Find(other, kNow).has_value());
}

TEST(StatusCache, TheFirstAsksAndAllAreAnswered) {
  StatusCache cache(10);
  EXPECT_TRUE(cache.Await(Key(1), {.slot = 1, .generation = 7}));
  EXPECT_FALSE(cache.Await(Key(1), {.slot = 2, .generation = 8}));
  EXPECT_TRUE(cache.Await(Key(2), {.slot = 3, .generation = 9}));
  StatusAnswer answer = Good(kNow + 1'000'000);
  const std::vector<Waiter> waiters = cache.Settle(Key(1), answer, kNow);
  ASSERT_EQ(waiters.size(), 2U);
  EXPECT_EQ(waiters[0].slot, 1U);
  EXPECT_EQ(waiters[1].generation, 8U);
  EXPECT_EQ(answer.until, kNow + kKeepAnswerSeconds) << "what they are told is bounded, too";
  EXPECT_TRUE(cache.Await(Key(1), {})) << "nobody waits any more";
  cache.Forget(Key(2));
  EXPECT_TRUE(cache.Await(Key(2), {}));
}

TEST(StatusCache, IsBoundedAndTheOldestGoes) {
  StatusCache cache(4);
  for (uint8_t serial = 0; serial < 4; ++serial) Settle(cache, serial, Good(kNow + 60));
  Settle(cache, 0, Good(kNow + 60));  // Asked anew: it is young again.
  Settle(cache, 4, Good(kNow + 60));
  EXPECT_EQ(cache.size(), 4U);
  EXPECT_TRUE(cache.Find(Key(0), kNow).has_value());
  EXPECT_FALSE(cache.Find(Key(1), kNow).has_value());
  for (int i = 0; i < 1000; ++i) Settle(cache, static_cast<uint8_t>(i % 3), Good(kNow + 60));
  EXPECT_LE(cache.size(), 4U);
  for (uint8_t serial = 0; serial < 3; ++serial) EXPECT_TRUE(cache.Find(Key(serial), kNow));
}

}  // namespace
}  // namespace portcullis::ocsp
