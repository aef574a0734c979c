#include "io/thread_nice.h"

#include <sys/resource.h>

#include <thread>

#include "gtest/gtest.h"

namespace portcullis::io {
namespace {

TEST(BeNice, LowersTheCallingThreadAndNoOther) {
  constexpr int kNicest = 19;  // however nice the whole process is
  const int before = ::getpriority(PRIO_PROCESS, 0);
  int inside = 0;
  std::thread([&inside] {
    BeNice(kNicest);
    inside = ::getpriority(PRIO_PROCESS, 0);
  }).join();
  EXPECT_EQ(inside, kNicest);
  EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), before);
}

}  // namespace
}  // namespace portcullis::io
