#include "core/config/durations.h"

#include <gtest/gtest.h>

#include <limits>

namespace portcullis::config {
namespace {

using std::chrono::milliseconds;

TEST(Durations, ReadEveryUnit) {
  EXPECT_EQ(ParseDuration("250ms"), milliseconds(250));
  EXPECT_EQ(ParseDuration("10s"), milliseconds(10'000));
  EXPECT_EQ(ParseDuration("2m"), milliseconds(120'000));
  EXPECT_EQ(ParseDuration("1h"), milliseconds(3'600'000));
  EXPECT_EQ(ParseDuration("0s"), milliseconds(0));
  EXPECT_EQ(ParseDuration("007s"), milliseconds(7'000));
}

TEST(Durations, RefuseWhatIsNotAWholeNumberWithAUnit) {
  for (const char* text : {"", "s", "10", "-1s", "+1s", "1.5s", "1 s", " 1s", "1s ", "1S", "1sec",
                           "1d", "1h30m", "ms", "0x1s", "1us"}) {
    EXPECT_EQ(ParseDuration(text), std::nullopt) << text;
  }
}

TEST(Durations, RefuseWhatDoesNotFit) {
  EXPECT_EQ(ParseDuration("9223372036854775807ms"),
            milliseconds(std::numeric_limits<int64_t>::max()));
  EXPECT_EQ(ParseDuration("9223372036854775808ms"), std::nullopt);
  EXPECT_EQ(ParseDuration("9223372036854775807s"), std::nullopt);
  EXPECT_EQ(ParseDuration("2562047788015h"), milliseconds(2562047788015 * 3'600'000));
  EXPECT_EQ(ParseDuration("2562047788016h"), std::nullopt);
}

TEST(Durations, PrintTheLargestExactUnitAndReadBack) {
  EXPECT_EQ(FormatDuration(milliseconds(0)), "0s");
  EXPECT_EQ(FormatDuration(milliseconds(1)), "1ms");
  EXPECT_EQ(FormatDuration(milliseconds(1'500)), "1500ms");
  EXPECT_EQ(FormatDuration(milliseconds(90'000)), "90s");
  EXPECT_EQ(FormatDuration(milliseconds(120'000)), "2m");
  EXPECT_EQ(FormatDuration(milliseconds(86'400'000)), "24h");
  for (const int64_t count : {1, 999, 1'000, 59'999, 60'000, 3'599'999, 3'600'000, 123'456'789}) {
    EXPECT_EQ(ParseDuration(FormatDuration(milliseconds(count))), milliseconds(count));
  }
}

}  // namespace
}  // namespace portcullis::config
