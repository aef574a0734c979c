#include "io/open_files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace portcullis::io {
namespace {

// Puts the process's limit back, for the tests that follow.
class OpenFilesTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0); }
  void TearDown() override { EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before_), 0); }

  void SetSoft(rlim_t soft) const {
    const rlimit limit{.rlim_cur = soft, .rlim_max = before_.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  }

  rlimit before_{};
};

TEST_F(OpenFilesTest, TheSoftLimitIsRaisedToWhatIsWanted) {
  SetSoft(100);
  const OpenFileLimit raised = RaiseOpenFileLimit(200);
  EXPECT_EQ(raised.soft, 200U);
  EXPECT_EQ(ReadOpenFileLimit().soft, 200U);
  EXPECT_EQ(ReadOpenFileLimit().hard, raised.hard);
}

TEST_F(OpenFilesTest, ItIsNeverLowered) {
  SetSoft(200);
  EXPECT_EQ(RaiseOpenFileLimit(100).soft, 200U);
  EXPECT_EQ(ReadOpenFileLimit().soft, 200U);
}

TEST_F(OpenFilesTest, TheHardLimitIsAsFarAsItGoes) {
  SetSoft(100);
  const OpenFileLimit raised = RaiseOpenFileLimit(UINT64_MAX);
  EXPECT_EQ(raised.soft, raised.hard);
}

}  // namespace
}  // namespace portcullis::io
