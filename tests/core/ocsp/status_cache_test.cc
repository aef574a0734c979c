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

StatusAnswer Good(int64_t until, int64_t said_at = kNow) {
  return {.status = ClientStatus::kGood, .until = until, .said_at = said_at, .detail = {}};
}

StatusAnswer Revoked(int64_t until, int64_t said_at = kNow) {
  return {.status = ClientStatus::kRevoked, .until = until, .said_at = said_at, .detail = {}};
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

// What is known of a certificate after both answers, the second when the first was due.
StatusAnswer After(const StatusAnswer& first, StatusAnswer second) {
  StatusCache cache(10);
  Settle(cache, 1, first);
  const int64_t later = kNow + kKeepAnswerSeconds + 1;
  EXPECT_TRUE(cache.Settle(Key(1), second, later).empty());
  const auto known = cache.Find(Key(1), later);
  EXPECT_TRUE(known.has_value());
  EXPECT_EQ(known->status, second.status) << "who waits is told the same";
  EXPECT_EQ(known->until, second.until);
  return second;
}

TEST(StatusCache, WhatIsKnownStandsAgainstFailures) {
  constexpr int64_t kLater = kNow + kKeepAnswerSeconds + 1;
  const StatusAnswer failure = {.detail = "because"};
  const StatusAnswer good = After(Good(kNow + 1'000'000), failure);
  EXPECT_EQ(good.status, ClientStatus::kGood);
  EXPECT_EQ(good.until, kLater + kKeepFailureSeconds) << "and is asked about again soon";
  EXPECT_EQ(After(Good(kLater + 2), failure).until, kLater + 2) << "but not beyond its end";
  EXPECT_EQ(After(Good(kLater - 1), failure).status, ClientStatus::kUnavailable);
  for (const int64_t until : {kNow, kNow + 1'000'000}) {
    const StatusAnswer revoked = After(Revoked(until), failure);
    EXPECT_EQ(revoked.status, ClientStatus::kRevoked) << "also beyond its end";
    EXPECT_EQ(revoked.until, kLater + kKeepFailureSeconds);
  }
}

TEST(StatusCache, WhatWasSaidBeforeDoesNotReplaceWhatIsKnown) {
  constexpr int64_t kFar = kNow + 1'000'000;
  EXPECT_EQ(After(Revoked(kFar, kNow), Good(kFar, kNow - 1)).status, ClientStatus::kRevoked);
  EXPECT_EQ(After(Revoked(kNow, kNow), Good(kFar, kNow - 1)).status, ClientStatus::kRevoked);
  EXPECT_EQ(After(Revoked(kFar, kNow), Good(kFar, kNow + 1)).status, ClientStatus::kGood);
  EXPECT_EQ(After(Good(kFar, kNow), Revoked(kFar, kNow)).status, ClientStatus::kRevoked);
  EXPECT_EQ(After(Good(kNow + 10, kNow), Good(kFar, kNow - 1)).status, ClientStatus::kGood);
}

TEST(StatusCache, KnowsTheLastWordOnTheRevoked) {
  StatusCache cache(10);
  EXPECT_FALSE(cache.KnowsRevoked(Key(1)));
  Settle(cache, 1, Revoked(kNow));
  Settle(cache, 2, Good(kNow + 60));
  EXPECT_TRUE(cache.KnowsRevoked(Key(1)));
  EXPECT_FALSE(cache.KnowsRevoked(Key(2)));
}

TEST(StatusCache, RespondersOfTheirOwnFailForThemselves) {
  StatusCache cache(10);
  Settle(cache, 1, {.detail = "because"});
  StatusKey other = Key(1);
  other.responder = "http://a/";
  EXPECT_FALSE(cache.Find(other, kNow).has_value());
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
  EXPECT_FALSE(cache.Await(Key(2), {})) << "they wait still";
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
