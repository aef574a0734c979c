#include "core/config/yaml_text.h"

#include <cstddef>
#include <cstdint>

#include "core/config/text.h"

namespace portcullis::config {
namespace {

// Returns the length of the UTF-8 sequence at the start of `text`, 0 if there is none (Unicode 15,
// table 3-7).
size_t SequenceLength(std::string_view text) {
  const auto byte = [text](size_t i) {
    return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0};
  };
  const auto within = [&byte](size_t i, uint8_t low, uint8_t high) {
    return byte(i) >= low && byte(i) <= high;
  };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return within(1, 0x80, 0xBF) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const uint8_t low = first == 0xE0 ? 0xA0 : 0x80;
    const uint8_t high = first == 0xED ? 0x9F : 0xBF;
    return within(1, low, high) && within(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const uint8_t low = first == 0xF0 ? 0x90 : 0x80;
    const uint8_t high = first == 0xF4 ? 0x8F : 0xBF;
    return within(1, low, high) && within(2, 0x80, 0xBF) && within(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

bool IsForbiddenControl(char c) {
  const auto byte = static_cast<uint8_t>(c);
  return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
}

// Returns the offset of a position, the text's size if it lies beyond.
size_t OffsetOf(std::string_view text, Position where) {
  size_t line_start = 0;
  for (int line = 1; line < where.line; ++line) {
    const size_t end = text.find('\n', line_start);
    if (end == std::string_view::npos) return text.size();
    line_start = end + 1;
  }
  const size_t offset = line_start + static_cast<size_t>(where.column - 1);
  return offset < text.size() ? offset : text.size();
}

// Returns `text` from behind its leading node properties.
std::string_view SkipProperties(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  while (!text.empty() && (text.front() == '&' || text.front() == '!')) {
    const size_t end = text.find_first_of(kSpace);
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end);
    const size_t next = text.find_first_not_of(kSpace);
    if (next == std::string_view::npos) return {};
    text.remove_prefix(next);
  }
  return text;
}

bool QuoteEnds(std::string_view quoted) {
  const char quote = quoted.front();
  for (size_t i = 1; i < quoted.size(); ++i) {
    if (quote == '"' && quoted[i] == '\\') {
      ++i;
    } else if (quoted[i] == quote) {
      const bool doubled = quote == '\'' && i + 1 < quoted.size() && quoted[i + 1] == quote;
      if (!doubled) return true;
      ++i;
    }
  }
  return false;
}

}  // namespace

bool CheckYamlText(std::string_view text, Diagnostics& diagnostics) {
  if (text.size() > kMaxYamlBytes) {
    diagnostics.Error({{1, 1},
                       "",
                       Concat(text.size(), " bytes"),
                       Concat("at most ", kMaxYamlBytes, " bytes"),
                       ""});
    return false;
  }
  Position where{1, 1};
  for (size_t i = 0; i < text.size();) {
    const size_t length = SequenceLength(text.substr(i));
    if (length == 0 || IsForbiddenControl(text[i])) {
      const std::string code = Concat("the byte ", HexByte(static_cast<uint8_t>(text[i])));
      diagnostics.Error({where, "", code, "UTF-8 text without control characters", ""});
      return false;
    }
    if (text[i] == '\n') {
      ++where.line;
      where.column = 1;
    } else {
      where.column += static_cast<int>(length);
    }
    i += length;
  }
  return true;
}

void CheckQuotesClosed(std::string_view text, Position last_scalar, Diagnostics& diagnostics) {
  if (last_scalar.line == 0) return;
  const std::string_view scalar = SkipProperties(text.substr(OffsetOf(text, last_scalar)));
  if (scalar.empty() || (scalar.front() != '"' && scalar.front() != '\'')) return;
  if (QuoteEnds(scalar)) return;
  diagnostics.Error({last_scalar, "", Concat("a quotation that never ends, ", Quoted(scalar)),
                     Concat("a closing ", scalar.substr(0, 1)), ""});
}

}  // namespace portcullis::config
