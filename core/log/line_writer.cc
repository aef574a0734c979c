#include "core/log/line_writer.h"

#include <array>
#include <cmath>
#include <cstring>

#include "io/check.h"
#include "metrics/utf8.h"

namespace portcullis::log {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

// The code point of a valid sequence of two or three bytes; 0 for four bytes, none of which need
// escaping.
uint32_t CodePoint(std::string_view sequence) {
  const auto byte = [&](size_t i) {
    return static_cast<uint32_t>(static_cast<uint8_t>(sequence[i]));
  };
  switch (sequence.size()) {
    case 1:
      return byte(0);
    case 2:
      return (byte(0) & 0x1F) << 6 | (byte(1) & 0x3F);
    case 3:
      return (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    default:
      return 0x10000;
  }
}

// Controls end lines or steer terminals; U+2028 and U+2029 end lines in JavaScript; the
// bidirectional controls make a name read as another one.
bool MustEscape(uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code <= 0x9F) || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

// The next character of a string, escaped.
struct Escaped {
  size_t consumed = 0;
  std::array<char, 6> text{};
  size_t size = 0;

  void Set(std::string_view s) {
    CHECK(s.size() <= text.size());
    std::memcpy(text.data(), s.data(), s.size());
    size = s.size();
  }
};

Escaped EscapeNext(std::string_view value) {
  Escaped escaped;
  const size_t length = metrics::Utf8SequenceLength(value);
  escaped.consumed = length == 0 ? 1 : length;
  if (length == 0) {
    escaped.Set(metrics::kReplacementCharacter);
    return escaped;
  }
  switch (value[0]) {
    case '"':
      escaped.Set("\\\"");
      return escaped;
    case '\\':
      escaped.Set("\\\\");
      return escaped;
    case '\n':
      escaped.Set("\\n");
      return escaped;
    case '\r':
      escaped.Set("\\r");
      return escaped;
    case '\t':
      escaped.Set("\\t");
      return escaped;
    default:
      break;
  }
  const std::string_view sequence = value.substr(0, length);
  const uint32_t code = CodePoint(sequence);
  if (!MustEscape(code)) {
    escaped.Set(sequence);
    return escaped;
  }
  const std::array<char, 6> unicode = {'\\',
                                       'u',
                                       kHexDigits[code >> 12 & 0xF],
                                       kHexDigits[code >> 8 & 0xF],
                                       kHexDigits[code >> 4 & 0xF],
                                       kHexDigits[code & 0xF]};
  escaped.Set({unicode.data(), unicode.size()});
  return escaped;
}

// A day of the Gregorian calendar, from days since 1970-01-01 (for times since then only).
struct Date {
  uint64_t year;
  uint64_t month;
  uint64_t day;
};

// Counts in 400-year eras that begin on 1 March, so that the leap day is the last of its year.
Date DateOf(uint64_t days_since_epoch) {
  const uint64_t days = days_since_epoch + 719'468;  // since 0000-03-01
  const uint64_t era = days / 146'097;
  const uint64_t day_of_era = days % 146'097;
  const uint64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const uint64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const uint64_t month_from_march = (5 * day_of_year + 2) / 153;
  const uint64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  return {.year = era * 400 + year_of_era + (month <= 2 ? 1 : 0),
          .month = month,
          .day = day_of_year - (153 * month_from_march + 2) / 5 + 1};
}

}  // namespace

void LineWriter::Raw(std::string_view text) {
  CHECK(size_ + text.size() <= out_.size());
  std::memcpy(out_.data() + size_, text.data(), text.size());
  size_ += text.size();
}

void LineWriter::Key(std::string_view key) {
  if (!first_) Raw(",");
  first_ = false;
  Raw("\"");
  Raw(key);
  Raw("\":");
}

void LineWriter::String(std::string_view key, std::string_view value, size_t max_bytes) {
  CHECK(max_bytes >= kCutMark.size());
  Key(key);
  Raw("\"");
  const size_t begin = size_;
  size_t cut_at = size_;  // the last place where the cut mark still fits
  while (!value.empty()) {
    const Escaped next = EscapeNext(value);
    if (size_ - begin + next.size > max_bytes) {
      size_ = cut_at;
      Raw(kCutMark);
      cut_ = true;
      break;
    }
    Raw({next.text.data(), next.size});
    value.remove_prefix(next.consumed);
    if (size_ - begin + kCutMark.size() <= max_bytes) cut_at = size_;
  }
  Raw("\"");
}

void LineWriter::Hex(std::string_view key, std::span<const uint8_t> bytes) {
  Key(key);
  Raw("\"");
  for (const uint8_t byte : bytes) {
    const std::array<char, 2> digits = {kHexDigits[byte >> 4], kHexDigits[byte & 0xF]};
    Raw({digits.data(), digits.size()});
  }
  Raw("\"");
}

void LineWriter::Digits(uint64_t value, size_t min_digits) {
  std::array<char, 20> digits;
  size_t at = digits.size();
  do {
    digits[--at] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  while (digits.size() - at < min_digits) digits[--at] = '0';
  Raw({digits.data() + at, digits.size() - at});
}

void LineWriter::Unsigned(std::string_view key, uint64_t value) {
  Key(key);
  Digits(value, 1);
}

void LineWriter::Bool(std::string_view key, bool value) {
  Key(key);
  Raw(value ? "true" : "false");
}

void LineWriter::Milliseconds(std::string_view key, double ms) {
  CHECK(ms >= 0);
  Key(key);
  const auto us = static_cast<uint64_t>(std::llround(std::fmin(ms, 1e12) * 1'000));
  Digits(us / 1'000, 1);
  Raw(".");
  Digits(us % 1'000, 3);
}

void LineWriter::Time(std::string_view key, int64_t ns) {
  const uint64_t us = ns > 0 ? static_cast<uint64_t>(ns) / 1'000 : 0;
  const uint64_t seconds = us / 1'000'000;
  const Date date = DateOf(seconds / 86'400);
  Key(key);
  Raw("\"");
  Digits(date.year, 4);
  Raw("-");
  Digits(date.month, 2);
  Raw("-");
  Digits(date.day, 2);
  Raw("T");
  Digits(seconds / 3'600 % 24, 2);
  Raw(":");
  Digits(seconds / 60 % 60, 2);
  Raw(":");
  Digits(seconds % 60, 2);
  Raw(".");
  Digits(us % 1'000'000, 6);
  Raw("Z\"");
}

size_t LineWriter::Finish() {
  Raw("}\n");
  return size_;
}

}  // namespace portcullis::log
