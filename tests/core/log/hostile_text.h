// HostileText: strings as a peer may send them in a certificate or a server name, for property
// tests. Seeded; tests print the seed.
#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <string_view>

namespace portcullis::log {

// Returns up to `max_pieces` pieces of trouble strung together: quotes, controls, line ends in
// several alphabets, broken and whole UTF-8, escapes that look like escapes.
inline std::string HostileText(std::mt19937& random, size_t max_pieces) {
  static constexpr std::string_view kPieces[] = {
      "\"",           "\\",
      "\n",           "\r\n",
      "\t",           "\x1b[2J",
      "\x7f",         "\xC2\x85",
      "\xE2\x80\xA8", "\xE2\x80\xAE",
      "\xFF",         "\xC3",
      "\xE2\x82",     "\xF0\x9F",
      "\xED\xA0\x80", "\xC0\x80",
      "\\u0041",      "\"},{\"a\":1",
      "CN=plain",     "\xC3\xA9",
      "\xE2\x82\xAC", "\xF0\x9F\x94\x91",
      "\xE2\x80\xA6", "</script>",
      "%s%n",
  };
  std::uniform_int_distribution<size_t> count(0, max_pieces);
  std::uniform_int_distribution<size_t> which(0, std::size(kPieces) + 1);
  std::uniform_int_distribution<int> any_byte(0, 255);
  std::string text;
  for (size_t n = count(random); n > 0; --n) {
    const size_t piece = which(random);
    if (piece < std::size(kPieces)) {
      text += kPieces[piece];
    } else {
      text += static_cast<char>(any_byte(random));  // NUL too
    }
  }
  return text;
}

}  // namespace portcullis::log
