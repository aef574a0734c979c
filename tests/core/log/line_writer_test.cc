#include "core/log/line_writer.h"

#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "metrics/utf8.h"
#include "tests/core/log/hostile_text.h"

namespace portcullis::log {
namespace {

using nlohmann::json;

// One line, made by `add`.
template <typename Add>
std::string Line(Add add) {
  std::array<char, 8192> out;
  LineWriter line(out);
  add(line);
  return {out.data(), line.Finish()};
}

std::string StringLine(std::string_view value, size_t max_bytes) {
  return Line([&](LineWriter& line) { line.String("s", value, max_bytes); });
}

TEST(LineWriter, AnEmptyObjectIsALineToo) {
  EXPECT_EQ(Line([](LineWriter&) {}), "{}\n");
}

TEST(LineWriter, WritesEveryKindOfValue) {
  const std::array<uint8_t, 3> bytes = {0x00, 0xAB, 0x0f};
  EXPECT_EQ(Line([&](LineWriter& line) {
              line.Time("time", 1'700'000'000'123'456'789);
              line.String("s", "text", 10);
              line.Hex("h", bytes);
              line.Unsigned("u", UINT64_MAX);
              line.Unsigned("zero", 0);
              line.Bool("t", true);
              line.Bool("f", false);
              line.Milliseconds("ms", 1.5);
            }),
            "{\"time\":\"2023-11-14T22:13:20.123456Z\",\"s\":\"text\",\"h\":\"00ab0f\","
            "\"u\":18446744073709551615,\"zero\":0,\"t\":true,\"f\":false,\"ms\":1.500}\n");
}

TEST(LineWriter, EscapesWhatWouldEndAStringALineOrSteerATerminal) {
  EXPECT_EQ(StringLine("a\"b\\c\nd\re\tf", 100), "{\"s\":\"a\\\"b\\\\c\\nd\\re\\tf\"}\n");
  EXPECT_EQ(StringLine(std::string_view("\0\x1b\x7f", 3), 100),
            "{\"s\":\"\\u0000\\u001b\\u007f\"}\n");
  EXPECT_EQ(StringLine("\xC2\x85\xE2\x80\xA8\xE2\x80\xA9", 100),
            "{\"s\":\"\\u0085\\u2028\\u2029\"}\n");
  EXPECT_EQ(StringLine("\xE2\x80\xAE\xE2\x81\xA6", 100), "{\"s\":\"\\u202e\\u2066\"}\n");
  EXPECT_EQ(StringLine("caf\xC3\xA9 \xF0\x9F\x94\x91", 100),
            "{\"s\":\"caf\xC3\xA9 \xF0\x9F\x94\x91\"}\n");
  EXPECT_EQ(StringLine("\xFFx\xC3", 100), "{\"s\":\"\xEF\xBF\xBDx\xEF\xBF\xBD\"}\n");
}

TEST(LineWriter, CutsStringsBetweenCharactersAndMarksTheCut) {
  EXPECT_EQ(StringLine("123456", 6), "{\"s\":\"123456\"}\n") << "what just fits is whole";
  EXPECT_EQ(StringLine("1234567", 6), "{\"s\":\"123\xE2\x80\xA6\"}\n");
  EXPECT_EQ(StringLine("12\xC3\xA9xxx", 6), "{\"s\":\"12\xE2\x80\xA6\"}\n")
      << "no half a character";
  EXPECT_EQ(StringLine("1\n\n\n\n", 6), "{\"s\":\"1\\n\xE2\x80\xA6\"}\n") << "no half an escape";
  EXPECT_EQ(StringLine("1234", 3), "{\"s\":\"\xE2\x80\xA6\"}\n");
  std::array<char, 100> out;
  LineWriter line(out);
  line.String("s", "12345", 5);
  EXPECT_FALSE(line.cut());
  line.String("s", "123456", 5);
  EXPECT_TRUE(line.cut());
}

TEST(LineWriter, AnyStringComesBackAsItsSanitizedSelf) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 2'000; ++i) {
    const std::string text = HostileText(random, 30);
    const std::string line = StringLine(text, 4096);
    ASSERT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
    ASSERT_EQ(json::parse(line)["s"].get<std::string>(), metrics::SanitizeUtf8(text));
    for (const char c : line.substr(0, line.size() - 1)) {
      ASSERT_GE(static_cast<unsigned char>(c), 0x20);
    }
  }
}

TEST(LineWriter, ACutStringIsValidWithinItsLimitAndAPrefix) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 2'000; ++i) {
    const std::string text = HostileText(random, 60);
    const size_t limit = std::uniform_int_distribution<size_t>(3, 80)(random);
    const std::string line = StringLine(text, limit);
    ASSERT_LE(line.size(), limit + std::string_view("{\"s\":\"\"}\n").size());
    std::string value = json::parse(line)["s"].get<std::string>();
    const std::string whole = metrics::SanitizeUtf8(text);
    if (value != whole) {
      ASSERT_TRUE(value.ends_with(kCutMark)) << value;
      value.resize(value.size() - kCutMark.size());
      ASSERT_TRUE(whole.starts_with(value)) << value;
    }
  }
}

TEST(LineWriter, TimesAgreeWithTheCLibrary) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  // To the year 2262, where 64 bits of nanoseconds end.
  std::uniform_int_distribution<int64_t> any_second(0, INT64_MAX / 1'000'000'000 - 1);
  for (int i = 0; i < 20'000; ++i) {
    // Leap days and ends of centuries are where such arithmetic fails.
    const int64_t second = i < 10'000 ? any_second(random) : i * int64_t{86'400} + i % 86'400;
    const time_t seconds = second;
    tm broken_down = {};
    gmtime_r(&seconds, &broken_down);
    std::array<char, 64> expected;
    strftime(expected.data(), expected.size(), "{\"t\":\"%Y-%m-%dT%H:%M:%S.000042Z\"}\n",
             &broken_down);
    ASSERT_EQ(Line([&](LineWriter& line) { line.Time("t", second * 1'000'000'000 + 42'999); }),
              std::string(expected.data()));
  }
}

TEST(LineWriter, ATimeBeforeTheEpochIsTheEpoch) {
  EXPECT_EQ(Line([](LineWriter& line) { line.Time("t", -1); }),
            "{\"t\":\"1970-01-01T00:00:00.000000Z\"}\n");
}

TEST(LineWriter, MillisecondsRoundToMicrosecondsAndAreBounded) {
  const auto ms = [](double value) {
    return Line([&](LineWriter& line) { line.Milliseconds("m", value); });
  };
  EXPECT_EQ(ms(0), "{\"m\":0.000}\n");
  EXPECT_EQ(ms(0.0006), "{\"m\":0.001}\n");
  EXPECT_EQ(ms(12.3456), "{\"m\":12.346}\n");
  EXPECT_EQ(ms(1e300), "{\"m\":1000000000000.000}\n");
}

TEST(LineWriterDeathTest, RunningOutOfRoomIsABugOfOurs) {
  std::array<char, 8> out;
  LineWriter line(out);
  EXPECT_DEATH(line.String("key", "value", 10), "size_");
  EXPECT_DEATH(line.Milliseconds("m", -1), "ms >= 0");
}

}  // namespace
}  // namespace portcullis::log
