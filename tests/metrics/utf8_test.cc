#include "metrics/utf8.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace portcullis::metrics {
namespace {

std::string Encode(uint32_t code) {
  const auto byte = [](uint32_t b) { return static_cast<char>(static_cast<uint8_t>(b)); };
  if (code < 0x80) return {byte(code)};
  if (code < 0x800) return {byte(0xC0 | code >> 6), byte(0x80 | (code & 0x3F))};
  if (code < 0x10000) {
    return {byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 0x3F)), byte(0x80 | (code & 0x3F))};
  }
  return {byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 0x3F)),
          byte(0x80 | (code >> 6 & 0x3F)), byte(0x80 | (code & 0x3F))};
}

TEST(Utf8, AcceptsEveryScalarValueAndNoSurrogate) {
  for (uint32_t code = 0; code <= 0x110000; ++code) {
    const std::string text = Encode(code);
    const bool scalar = code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    ASSERT_EQ(Utf8SequenceLength(text), scalar ? text.size() : 0) << "U+" << std::hex << code;
  }
}

TEST(Utf8, RefusesOverlongTruncatedAndStrayBytes) {
  for (const std::string_view bad :
       {"\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF", "\x80", "\xBF", "\xC3",
        "\xE2\x82", "\xF0\x9F\x98", "\xC3(", "\xE2\x82(", "\xF5\x80\x80\x80", "\xFF", "\xFE"}) {
    EXPECT_EQ(Utf8SequenceLength(bad), 0u) << testing::PrintToString(std::string(bad));
  }
}

TEST(Utf8, ReplacesEachInvalidByteAndKeepsTheRest) {
  EXPECT_EQ(SanitizeUtf8(""), "");
  EXPECT_EQ(SanitizeUtf8("CN=caf\xC3\xA9"), "CN=caf\xC3\xA9");
  EXPECT_EQ(SanitizeUtf8("a\xFF\xC3(b"), "a\xEF\xBF\xBD\xEF\xBF\xBD(b");
  EXPECT_EQ(SanitizeUtf8(std::string_view("a\0b", 3)), std::string("a\0b", 3));
}

TEST(Utf8, WhatComesOutOfAnyBytesIsValid) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> any_byte(0, 255);
  for (int i = 0; i < 2'000; ++i) {
    std::string text(random() % 40, '\0');
    for (char& c : text) c = static_cast<char>(any_byte(random));
    const std::string clean = SanitizeUtf8(text);
    std::string_view rest = clean;
    while (!rest.empty()) {
      const size_t length = Utf8SequenceLength(rest);
      ASSERT_GT(length, 0u) << testing::PrintToString(text);
      rest.remove_prefix(length);
    }
  }
}

}  // namespace
}  // namespace portcullis::metrics
