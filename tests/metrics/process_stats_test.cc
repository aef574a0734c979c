#include "metrics/process_stats.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <vector>

namespace portcullis::metrics {
namespace {

TEST(ProcessStats, CountsOpenDescriptorsAndKnowsTheLimit) {
  const uint64_t before = ReadProcessStats().open_fds;
  EXPECT_GE(before, 3u);
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(ReadProcessStats().open_fds, before + 1);
  close(fd);
  EXPECT_EQ(ReadProcessStats().open_fds, before) << "reading must not leak";
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(ReadProcessStats().max_fds, limit.rlim_cur);
}

TEST(ProcessStats, ResidentMemoryGrowsWithUse) {
  const ProcessStats before = ReadProcessStats();
  constexpr size_t kBytes = 64 << 20;
  std::vector<char> memory(kBytes, 1);
  const volatile char* touched = memory.data();
  EXPECT_EQ(touched[kBytes - 1], 1);
  EXPECT_GE(ReadProcessStats().resident_bytes, before.resident_bytes + kBytes / 2);
}

TEST(ProcessStats, CpuTimeGrowsWithWork) {
  const double before = ReadProcessStats().cpu_seconds;
  volatile uint64_t work = 0;
  // Ends by the test's time limit if the number does not move.
  while (ReadProcessStats().cpu_seconds < before + 0.02) {
    for (int i = 0; i < 100'000; ++i) work = work + 1;
  }
  EXPECT_GT(work, 0u);
}

TEST(ProcessStats, StartTimeIsShortlyBeforeNow) {
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  const double start = ReadProcessStats().start_time_seconds;
  // The kernel rounds the boot time to a second, and derives it anew when the clock is set.
  EXPECT_LE(start, now + 2);
  EXPECT_GE(start, now - 3'600);
}

}  // namespace
}  // namespace portcullis::metrics
