// Utf8: what bytes from a peer may become in text for machines (label values, JSON). Pure
// functions, any thread, no allocation but in SanitizeUtf8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace portcullis::metrics {

// U+FFFD, which stands for each byte that is not part of valid UTF-8.
inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

// Utf8SequenceLength returns how many bytes (1..4) the character at the start of `text` has, or 0
// when `text` does not start with valid UTF-8 (RFC 3629: no overlong form, no surrogate, nothing
// above U+10FFFF). `text` must not be empty.
[[nodiscard]] size_t Utf8SequenceLength(std::string_view text);

// SanitizeUtf8 returns `text` with every invalid byte replaced by U+FFFD.
[[nodiscard]] std::string SanitizeUtf8(std::string_view text);

}  // namespace portcullis::metrics
