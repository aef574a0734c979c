// LineWriter: one JSON object on one line, written into memory the caller gives. Never allocates
// and never fails: strings are cut to what their field may take. Strings may be hostile: quotes,
// control characters, U+2028/2029 and invalid UTF-8 come out escaped or replaced, so that a line is
// always one line and always valid JSON. A value on the stack of one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace portcullis::log {

// What ends a string that was cut. Counts towards the field's limit.
inline constexpr std::string_view kCutMark = "\xE2\x80\xA6";  // U+2026

class LineWriter {
 public:
  // `out` must take the whole object: it is our own bug if it does not.
  explicit LineWriter(std::span<char> out) : out_(out) { Raw("{"); }

  // String adds "key":"value" with at most `max_bytes` of escaped value. Keys are ours and are not
  // escaped.
  void String(std::string_view key, std::string_view value, size_t max_bytes);
  // Hex adds the bytes in lower-case hex.
  void Hex(std::string_view key, std::span<const uint8_t> bytes);
  void Unsigned(std::string_view key, uint64_t value);
  void Bool(std::string_view key, bool value);
  // Milliseconds adds a number with three decimals (microseconds). `ms` must be >= 0; capped at
  // some 31 years.
  void Milliseconds(std::string_view key, double ms);
  // Time adds nanoseconds since the epoch as an RFC 3339 string in UTC with microseconds.
  void Time(std::string_view key, int64_t ns);

  // Finish ends the object with a line feed and returns the line's length in bytes.
  [[nodiscard]] size_t Finish();

  // cut tells whether a string was cut so far.
  [[nodiscard]] bool cut() const { return cut_; }

 private:
  void Key(std::string_view key);
  void Raw(std::string_view text);
  void Digits(uint64_t value, size_t min_digits);

  std::span<char> out_;
  size_t size_ = 0;
  bool first_ = true;
  bool cut_ = false;
};

}  // namespace portcullis::log
