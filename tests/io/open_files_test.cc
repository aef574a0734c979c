#include "io/open_files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <string>

namespace portcullis::io {
namespace {

// Slots of this process's descriptor table, as the kernel has allocated them.
uint64_t TableSize() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    uint64_t size = 0;
    if (word == "FDSize:" && status >> size) return size;
  }
  return 0;
}

// The lowest that is free.
int NextDescriptor() {
  const int fd = ::dup(STDERR_FILENO);
  ::close(fd);
  return fd;
}

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

TEST_F(OpenFilesTest, RoomIsMadeForDescriptorsAndNoneIsTaken) {
  const int next = NextDescriptor();
  const uint64_t wanted = TableSize() + 1000;
  ASSERT_GE(RaiseOpenFileLimit(wanted).soft, wanted);
  ReserveOpenFiles(wanted);
  EXPECT_GE(TableSize(), wanted);
  EXPECT_EQ(NextDescriptor(), next);
  EXPECT_EQ(::close(static_cast<int>(wanted - 1)), -1);
}

TEST_F(OpenFilesTest, RoomIsMadeForAsManyAsTheLimitAllows) {
  const uint64_t wanted = TableSize() + 1000;
  SetSoft(wanted);
  ReserveOpenFiles(UINT64_MAX);
  EXPECT_GE(TableSize(), wanted);
  ReserveOpenFiles(0);
}

}  // namespace
}  // namespace portcullis::io
