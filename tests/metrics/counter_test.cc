#include "metrics/counter.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <thread>

namespace portcullis::metrics {
namespace {

TEST(Counter, StartsAtZeroAndAddsUp) {
  Counter counter;
  EXPECT_EQ(counter.value(), 0u);
  counter.Add();
  counter.Add(41);
  EXPECT_EQ(counter.value(), 42u);
}

TEST(Counter, MirrorsATotalCountedElsewhere) {
  Counter counter;
  counter.MirrorTotal(7);
  counter.MirrorTotal(9);
  EXPECT_EQ(counter.value(), 9u);
}

TEST(Counter, ReaderSeesItRiseOnlyWhileOneThreadWrites) {
  constexpr uint64_t kTotal = 200'000;
  Counter counter;
  std::atomic<bool> falling{false};
  std::thread reader([&] {
    for (uint64_t last = 0; last < kTotal;) {
      const uint64_t now = counter.value();
      if (now < last) falling = true;
      last = now;
    }
  });
  for (uint64_t i = 0; i < kTotal; ++i) counter.Add();
  reader.join();
  EXPECT_FALSE(falling);
  EXPECT_EQ(counter.value(), kTotal);
}

TEST(Gauge, GoesUpAndDownAndBelowZero) {
  Gauge gauge;
  gauge.Add();
  gauge.Add(2);
  gauge.Sub();
  EXPECT_EQ(gauge.value(), 2);
  gauge.Sub(5);
  EXPECT_EQ(gauge.value(), -3);
  gauge.Set(10);
  EXPECT_EQ(gauge.value(), 10);
}

}  // namespace
}  // namespace portcullis::metrics
