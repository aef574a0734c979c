#include "bench/loadgen/run.h"

#include <gtest/gtest.h>

#include <thread>

namespace portcullis::bench {
namespace {

using Shared = Run;  // within a test, Run is GoogleTest's

// A run that has begun, with one thread that is this one's.
void Begin(Shared& run) {
  std::thread thread([&run] { EXPECT_TRUE(run.ReadyAndWait()); });
  while (!run.Ready(1, 1)) {
  }
  run.Go();
  thread.join();
}

TEST(Run, TheWindowFollowsTheWarmUp) {
  Options options;
  options.warmup_s = 2;
  options.duration_s = 3;
  Shared run(options);
  Begin(run);
  EXPECT_EQ(run.begin_ns() - run.origin_ns(), 2'000'000'000);
  EXPECT_EQ(run.end_ns() - run.begin_ns(), 3'000'000'000);
  EXPECT_FALSE(run.InWindow(run.begin_ns() - 1));
  EXPECT_TRUE(run.InWindow(run.begin_ns()));
  EXPECT_FALSE(run.InWindow(run.end_ns()));
}

TEST(Run, TheBudgetEndsTheWindowExactly) {
  Options options;
  options.total = 3;
  Shared run(options);
  Begin(run);
  const int64_t now = run.begin_ns() + 5;
  EXPECT_TRUE(run.Take(now));
  EXPECT_TRUE(run.Take(now));
  EXPECT_GT(run.end_ns(), now + 1);
  EXPECT_TRUE(run.Take(now));
  EXPECT_EQ(run.end_ns(), now + 1);
  EXPECT_FALSE(run.Take(now));
}

TEST(Run, TheEndMayOnlyComeForward) {
  const Options options;
  Shared run(options);
  Begin(run);
  const int64_t end = run.end_ns();
  run.EndAt(end + 1);
  EXPECT_EQ(run.end_ns(), end);
  run.EndAt(end - 1);
  EXPECT_EQ(run.end_ns(), end - 1);
}

TEST(Run, AnInterruptEndsTheWindowAndALaterOneTheGrace) {
  const Options options;
  Shared run(options);
  Begin(run);
  const int64_t now = run.begin_ns() + 5;
  EXPECT_EQ(run.give_up_ns(), INT64_MAX);
  run.Interrupt(now, now + 100);
  EXPECT_EQ(run.end_ns(), now);
  EXPECT_EQ(run.give_up_ns(), now + 100);
  run.Interrupt(now + 10, now + 10);
  run.Interrupt(now + 20, now + 20);
  EXPECT_EQ(run.end_ns(), now);
  EXPECT_EQ(run.give_up_ns(), now + 10);
  EXPECT_FALSE(run.checking()) << "nothing is held";
}

TEST(Run, IdleModesWindowHoldsWhatComesOfTheLastThatStart) {
  Options options;
  options.idle = 2;
  options.total = 2;
  Shared run(options);
  Begin(run);
  const int64_t now = run.begin_ns() + 5;
  EXPECT_TRUE(run.Take(now));
  EXPECT_TRUE(run.Take(now));
  EXPECT_EQ(run.end_ns(), now + 1);
  EXPECT_TRUE(run.InWindow(now + 1000));
  run.Opened(now + 20);
  run.Opened(now + 10);
  EXPECT_EQ(run.opened(), 2U);
  EXPECT_EQ(run.opened_ns(), now + 20);
}

TEST(Run, AnAbortedRunLetsNobodyWait) {
  const Options options;
  Shared run(options);
  std::thread thread([&run] { EXPECT_FALSE(run.ReadyAndWait()); });
  EXPECT_FALSE(run.off());
  run.Abort();
  EXPECT_TRUE(run.off());
  EXPECT_TRUE(run.Ready(2, 0)) << "nobody else need be";
  thread.join();
}

TEST(Run, SecondsOfAllThreadsAddUp) {
  const Options options;
  Shared run(options);
  Second second;
  second.done = 2;
  second.latency.Record(1000);
  run.Publish(1, second);
  run.Publish(1, second);
  run.Publish(0, Second{});
  const std::vector<Second> timeline = run.Timeline();
  ASSERT_EQ(timeline.size(), 2U);
  EXPECT_EQ(timeline[0].done, 0U);
  EXPECT_EQ(timeline[1].done, 4U);
  EXPECT_EQ(timeline[1].latency.count(), 2U);
}

}  // namespace
}  // namespace portcullis::bench
