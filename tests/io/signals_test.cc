#include "io/signals.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <thread>

namespace portcullis::io {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongest{10000};

TEST(SignalSource, ReportsEachOfItsSignalsInsteadOfLettingItAct) {
  const auto source = SignalSource::Create({SIGUSR1, SIGTERM});
  ASSERT_TRUE(source.ok()) << source.status();
  ASSERT_EQ(::kill(::getpid(), SIGTERM), 0);  // would end the process
  EXPECT_EQ((*source)->Wait(kLongest), SIGTERM);
  ASSERT_EQ(::kill(::getpid(), SIGUSR1), 0);
  EXPECT_EQ((*source)->Wait(kLongest), SIGUSR1);
  EXPECT_EQ((*source)->Wait(milliseconds(0)), 0) << "none is left";
}

TEST(SignalSource, GivesUpAtTheTimeout) {
  const auto source = SignalSource::Create({SIGUSR1});
  ASSERT_TRUE(source.ok()) << source.status();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ((*source)->Wait(milliseconds(30)), 0);
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(25));
}

TEST(SignalSource, ThreadsStartedLaterLeaveTheSignalsToIt) {
  const auto source = SignalSource::Create({SIGUSR2});
  ASSERT_TRUE(source.ok()) << source.status();
  bool blocked = false;
  std::thread later([&] {
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    blocked = sigismember(&mask, SIGUSR2) == 1;
  });
  later.join();
  EXPECT_TRUE(blocked);
}

}  // namespace
}  // namespace portcullis::io
