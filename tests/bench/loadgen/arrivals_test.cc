#include "bench/loadgen/arrivals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace portcullis::bench {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

TEST(ParseRate, TakesARateOrSteps) {
  const auto one = ParseRate("500");
  ASSERT_TRUE(one.ok());
  ASSERT_EQ(one->size(), 1U);
  EXPECT_EQ((*one)[0].per_second, 500);
  EXPECT_EQ((*one)[0].seconds, 0);
  const auto steps = ParseRate("0.5:2s,1000:10");
  ASSERT_TRUE(steps.ok());
  ASSERT_EQ(steps->size(), 2U);
  EXPECT_EQ((*steps)[0].per_second, 0.5);
  EXPECT_EQ((*steps)[1].seconds, 10);
}

TEST(ParseRate, RefusesTheRest) {
  for (const char* text :
       {"", "x", "-5", "0", "500,600", "500:0", "500:s", "500:1s,", "1e9", "nan", "500:1s,600"}) {
    EXPECT_FALSE(ParseRate(text).ok()) << text;
  }
}

std::vector<int64_t> All(const std::vector<RateStep>& steps, uint64_t first, uint64_t stride) {
  std::vector<int64_t> times;
  for (Arrivals arrivals(steps, 5 * kSecond, first, stride); !arrivals.over(); arrivals.Next())
    times.push_back(arrivals.intended_ns() - 5 * kSecond);
  return times;
}

TEST(Arrivals, AreEvenlySpacedThroughTheSteps) {
  const std::vector<int64_t> times = All({{2, 1}, {4, 1}}, 0, 1);
  EXPECT_EQ(times, (std::vector<int64_t>{0, kSecond / 2, kSecond, kSecond + kSecond / 4,
                                         kSecond + kSecond / 2, kSecond + kSecond * 3 / 4}));
}

TEST(Arrivals, ThreadsTogetherStartEachOnce) {
  const std::vector<RateStep> steps = {{100, 0.5}, {333, 1.5}, {1, 3}};
  std::vector<int64_t> together;
  for (uint64_t thread = 0; thread < 3; ++thread) {
    const std::vector<int64_t> share = All(steps, thread, 3);
    together.insert(together.end(), share.begin(), share.end());
  }
  std::sort(together.begin(), together.end());
  EXPECT_EQ(together, All(steps, 0, 1));
  EXPECT_EQ(together.size(), 50U + 500U + 3U);
}

TEST(Arrivals, KnowTheirStep) {
  const std::vector<RateStep> steps = {{2, 1}, {1, 2}};
  Arrivals arrivals(steps, 0, 0, 1);
  EXPECT_EQ(arrivals.step(), 0U);
  arrivals.Next();
  arrivals.Next();
  EXPECT_EQ(arrivals.step(), 1U);
  arrivals.Next();
  arrivals.Next();
  EXPECT_TRUE(arrivals.over());
}

TEST(Arrivals, AStepWithoutAnyIsPassedOver) {
  const std::vector<int64_t> times = All({{0.1, 1}, {1, 1}}, 0, 1);
  EXPECT_EQ(times, (std::vector<int64_t>{kSecond}));
}

}  // namespace
}  // namespace portcullis::bench
