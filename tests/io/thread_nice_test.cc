#include "io/thread_nice.h"

#include <sys/resource.h>

#include <thread>

#include "gtest/gtest.h"

namespace portcullis::io {
namespace {

TEST(BeNice, LowersTheCallingThreadAndNoOther) {
  const int before = ::getpriority(PRIO_PROCESS, 0);
  if (before >= kHelperNice) GTEST_SKIP() << "the whole process runs at nice " << before;
  int inside = 0;
  std::thread([&inside] {
    BeNice(kHelperNice);
    inside = ::getpriority(PRIO_PROCESS, 0);
  }).join();
  EXPECT_EQ(inside, kHelperNice);
  EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), before);
}

}  // namespace
}  // namespace portcullis::io
