#include "core/http/field_syntax.h"

#include <algorithm>
#include <array>

namespace portcullis::http {
namespace {

constexpr std::array<bool, 256> MakeTokenTable() {
  std::array<bool, 256> table{};
  for (char c = '0'; c <= '9'; ++c) table[static_cast<uint8_t>(c)] = true;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<uint8_t>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<uint8_t>(c)] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<uint8_t>(c)] = true;
  return table;
}

constexpr std::array<bool, 256> kTokenTable = MakeTokenTable();

constexpr char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr bool IsBlank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

bool IsTokenChar(uint8_t byte) { return kTokenTable[byte]; }

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return kTokenTable[static_cast<uint8_t>(c)]; });
}

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return Lower(x) == Lower(y); });
}

bool IsHopByHop(std::string_view name) {
  switch (name.size()) {  // most names differ in length from all of these
    case 2:
      return EqualsIgnoreCase(name, "TE");
    case 7:
      return EqualsIgnoreCase(name, "Upgrade");
    case 10:
      return EqualsIgnoreCase(name, "Connection") || EqualsIgnoreCase(name, "Keep-Alive");
    case 14:
      return EqualsIgnoreCase(name, "HTTP2-Settings");
    case 16:
      return EqualsIgnoreCase(name, "Proxy-Connection");
    case 17:
      return EqualsIgnoreCase(name, "Transfer-Encoding");
    case 18:
      return EqualsIgnoreCase(name, "Proxy-Authenticate");
    case 19:
      return EqualsIgnoreCase(name, "Proxy-Authorization");
    default:
      return false;
  }
}

bool IsFraming(std::string_view name) {
  return (name.size() == 14 && EqualsIgnoreCase(name, "Content-Length")) ||
         (name.size() == 17 && EqualsIgnoreCase(name, "Transfer-Encoding"));
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

bool HasToken(const HeaderList& headers, std::string_view name, std::string_view token) {
  bool found = false;
  for (const Header header : headers) {
    if (!EqualsIgnoreCase(header.name, name)) continue;
    ForEachToken(header.value, [&](std::string_view element) {
      found = found || EqualsIgnoreCase(element, token);
    });
  }
  return found;
}

std::string SanitizeValue(std::string_view text) {
  std::string clean(text);
  for (char& c : clean) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20 || byte == 0x7f) c = ' ';
  }
  return std::string(Trim(clean));
}

FoldedName::FoldedName(std::string_view name) : size_(std::min(name.size(), kMax)) {
  for (size_t i = 0; i < size_; ++i) {
    const char c = Lower(name[i]);
    text_[i] = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '-';
  }
}

}  // namespace portcullis::http
