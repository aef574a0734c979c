// Text for this folder, on std::string_view: putting messages together, ASCII letters. Abseil's
// functions take its own absl::string_view, which on Debian 12 is another type than the standard
// one. Pure functions, any thread.
#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace portcullis::config {

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr char ToLower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// ToLower returns `text` with its ASCII letters in lower case.
inline std::string ToLower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return ToLower(c); });
  return lower;
}

// AllDigits returns whether there is nothing else in `text`; true for "".
constexpr bool AllDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), IsDigit);
}

// ParseWhole returns the number that `text` is, in decimal digits alone; nothing where it does not
// fit T.
template <std::integral T>
std::optional<T> ParseWhole(std::string_view text) {
  T number = 0;
  if (text.empty() || !AllDigits(text)) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

inline void AppendPart(std::string& out, std::string_view part) { out += part; }
template <std::integral T>
void AppendPart(std::string& out, T number) {
  out += std::to_string(number);
}

// Concat returns its parts, texts and whole numbers, as one text.
template <typename... Parts>
std::string Concat(const Parts&... parts) {
  std::string out;
  (AppendPart(out, parts), ...);
  return out;
}

// HexByte returns "0x1f".
inline std::string HexByte(uint8_t byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  return {'0', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

// Join returns the texts of `range` with `separator` between them.
template <typename Range>
std::string Join(const Range& range, std::string_view separator) {
  std::string out;
  bool first = true;
  for (const auto& text : range) {
    if (!first) out += separator;
    first = false;
    out += text;
  }
  return out;
}

}  // namespace portcullis::config
