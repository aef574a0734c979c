#include "core/server/commands/stop_signals.h"

#include <csignal>

#include "gtest/gtest.h"

namespace portcullis::server {
namespace {

bool Blocked(int signal) {
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return sigismember(&mask, signal) == 1;
}

TEST(StopSignals, TurnsEitherSignalIntoAValue) {
  StopSignals signals;
  for (const int signal : {SIGTERM, SIGINT}) {
    raise(signal);
    EXPECT_EQ(signals.Wait(), signal);
  }
}

TEST(StopSignals, BlocksThemAsLongAsItLives) {
  {
    StopSignals signals;
    EXPECT_TRUE(Blocked(SIGINT));
    EXPECT_TRUE(Blocked(SIGTERM));
    EXPECT_FALSE(Blocked(SIGHUP));
  }
  EXPECT_FALSE(Blocked(SIGINT));
  EXPECT_FALSE(Blocked(SIGTERM));
}

TEST(StopSignals, DropsWhatCameAndWasNotWaitedFor) {
  StopSignals signals;
  raise(SIGINT);
  raise(SIGTERM);
  // Its end must not deliver them: the test program would die of it.
}

}  // namespace
}  // namespace portcullis::server
