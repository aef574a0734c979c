#include "bench/loadgen/tally.h"

#include <gtest/gtest.h>

namespace portcullis::bench {
namespace {

TEST(Tally, MergesThreads) {
  Tally first;
  first.done = 2;
  first.ended = 9;
  first.failures = {{"timeout in the handshake", 1}};
  first.refused[1] = {{"alert: certificate_expired", 4}};
  first.latency.Record(30);
  first.negotiated = {{"A x", 1}};
  first.steps.resize(2);
  first.steps[1].done = 5;
  Tally second;
  second.done = 1;
  second.ended = 6;
  second.failures = {{"timeout in the handshake", 2}, {"status: 503", 3}};
  second.refused[1] = {{"alert: certificate_expired", 1}, {"reset in the handshake", 1}};
  second.latency.Record(20);
  second.negotiated = {{"A x", 2}, {"B", 1}};
  second.steps.resize(2);
  second.steps[1].done = 6;
  first.Merge(second);
  EXPECT_EQ(first.done, 3U);
  EXPECT_EQ(first.failures.at("timeout in the handshake"), 3U);
  EXPECT_EQ(first.failed(), 6U);
  EXPECT_EQ(first.refused[1].at("alert: certificate_expired"), 5U);
  EXPECT_EQ(first.num_refused(), 6U);
  EXPECT_EQ(first.negotiated, (Counts{{"A x", 3}, {"B", 1}}));
  EXPECT_EQ(first.ended, 15U);
  EXPECT_EQ(first.latency.count(), 2U);
  EXPECT_EQ(first.steps[1].done, 11U);
}

}  // namespace
}  // namespace portcullis::bench
