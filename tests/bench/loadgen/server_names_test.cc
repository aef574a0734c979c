#include "bench/loadgen/server_names.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace portcullis::bench {
namespace {

Options Of(NumberRange range) {
  Options options;
  options.sni = "h#.example";
  options.server_names = range;
  return options;
}

TEST(ServerNames, OneNameIsAlwaysThatOne) {
  Options options;
  options.sni = "only.example";
  ServerNames names(options, 0);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(names.Next(), "only.example");
}

TEST(ServerNames, EachOfARangeComesOnceBeforeAnyComesAgain) {
  for (const uint32_t size : {1U, 2U, 3U, 4U, 6U, 10U, 1000U, 9973U, 10'000U}) {
    ServerNames names(Of({.first = 5, .size = size}), 0);
    for (int lap = 0; lap < 2; ++lap) {
      std::set<std::string> seen;
      for (uint32_t i = 0; i < size; ++i) seen.insert(names.Next());
      EXPECT_EQ(seen.size(), size) << "lap " << lap;
      EXPECT_TRUE(seen.contains("h5.example"));
      EXPECT_TRUE(seen.contains("h" + std::to_string(size + 4) + ".example"));
    }
  }
}

TEST(ServerNames, NeighboursDoNotComeOneAfterTheOther) {
  ServerNames names(Of({.first = 0, .size = 10'000}), 0);
  int before = -10'000;
  for (int i = 0; i < 10'000; ++i) {
    const int now = std::stoi(names.Next().substr(1));
    ASSERT_GT(std::abs(now - before), 1000);
    before = now;
  }
}

TEST(ServerNames, ThreadsBeginApart) {
  Options options = Of({.first = 0, .size = 100});
  options.threads = 4;
  std::set<std::string> first;
  for (uint32_t thread = 0; thread < 4; ++thread) first.insert(ServerNames(options, thread).Next());
  EXPECT_EQ(first.size(), 4U);
}

}  // namespace
}  // namespace portcullis::bench
