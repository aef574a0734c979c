#include "bench/loadgen/tally.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace portcullis::bench {
namespace {

using ::testing::HasSubstr;

TEST(Percentile, IsTheSmallestValueThatCoversTheShare) {
  const std::vector<uint32_t> ten = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  EXPECT_EQ(Percentile(ten, 0.5), 5U);
  EXPECT_EQ(Percentile(ten, 0.51), 6U);
  EXPECT_EQ(Percentile(ten, 0.9), 9U);
  EXPECT_EQ(Percentile(ten, 0.99), 10U);
  EXPECT_EQ(Percentile(ten, 1.0), 10U);
  EXPECT_EQ(Percentile(ten, 0.0), 1U);
  EXPECT_EQ(Percentile({}, 0.5), 0U);
}

Result TwoThreads() {
  Tally first{
      .done = 2, .total_us = {30, 10}, .handshake_us = {20, 5}, .failures = {{"timeout", 1}}};
  Tally second{.done = 1,
               .total_us = {20},
               .handshake_us = {10},
               .failures = {{"timeout", 2}, {"status: 400", 3}}};
  first.Merge(std::move(second));
  return {.tally = std::move(first), .seconds = 1.5, .cpu_seconds = 0.003};
}

TEST(Tally, MergesThreads) {
  const Result result = TwoThreads();
  EXPECT_EQ(result.tally.done, 3U);
  EXPECT_EQ(result.tally.total_us.size(), 3U);
  EXPECT_EQ(result.tally.failures.at("timeout"), 3U);
  EXPECT_EQ(result.tally.failed(), 6U);
}

TEST(Tally, JsonHoldsWhatTextSays) {
  Result result = TwoThreads();
  const nlohmann::json json = nlohmann::json::parse(Json(result));
  EXPECT_EQ(json["handshakes"], 3);
  EXPECT_EQ(json["per_second"], 2.0);
  EXPECT_EQ(json["own_cpu_us"], 1000.0);
  EXPECT_EQ(json["failures"]["status: 400"], 3);
  EXPECT_EQ(json["total_us"]["p50"], 20);
  EXPECT_EQ(json["total_us"]["max"], 30);
  EXPECT_THAT(Text(result), HasSubstr("3 handshakes in 1.50 s: 2/s, 6 failed"));
  EXPECT_THAT(Text(result), HasSubstr("failed: status: 400: 3"));
}

}  // namespace
}  // namespace portcullis::bench
