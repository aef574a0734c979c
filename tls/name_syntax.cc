#include "tls/name_syntax.h"

#include <algorithm>

namespace portcullis::tls {
namespace {

constexpr size_t kMaxHostBytes = 253;
constexpr size_t kMaxHostLabelBytes = 63;

bool IsAsciiDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsHexDigit(char c) {
  return IsAsciiDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool IsNonAscii(char c) { return static_cast<unsigned char>(c) >= 0x80; }
bool IsPrinting(char c) { return c > ' ' && c < 0x7f; }
bool IsAtomText(char c) {
  return IsLetter(c) || IsAsciiDigit(c) ||
         std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool IsLabel(std::string_view label) {
  return !label.empty() && label.size() <= kMaxHostLabelBytes && label.front() != '-' &&
         label.back() != '-' && std::ranges::all_of(label, [](char c) {
           return IsLetter(c) || IsAsciiDigit(c) || c == '-';
         });
}

// Tells whether `holds` of each piece between dots; an empty text is one empty piece.
template <typename Holds>
bool AllPieces(std::string_view text, Holds holds) {
  for (;;) {
    const size_t dot = text.find('.');
    if (!holds(text.substr(0, dot))) return false;
    if (dot == text.npos) return true;
    text.remove_prefix(dot + 1);
  }
}

std::string_view LastPiece(std::string_view text) { return text.substr(text.rfind('.') + 1); }

bool IsLocalPart(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    return std::ranges::all_of(text.substr(1, text.size() - 2),
                               [](char c) { return (IsPrinting(c) || c == ' ') && c != '"'; });
  }
  return AllPieces(text, [](std::string_view atom) {
    return !atom.empty() && std::ranges::all_of(atom, IsAtomText);
  });
}

bool ReadsAsIpv4(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) {
    return std::ranges::all_of(text.substr(2), IsHexDigit);
  }
  return text.find('.') != text.npos && AllPieces(text, [](std::string_view piece) {
           return std::ranges::all_of(piece, IsAsciiDigit);
         });
}

bool ReadsAsIpv6(std::string_view text) {
  return std::ranges::count(text, ':') >= 2 &&
         std::ranges::all_of(text, [](char c) { return IsHexDigit(c) || c == ':' || c == '.'; });
}

}  // namespace

bool IsHostName(std::string_view text) {
  return text.size() <= kMaxHostBytes && AllPieces(text, IsLabel) &&
         !std::ranges::all_of(LastPiece(text), IsAsciiDigit);
}

bool IsHostPattern(std::string_view text) {
  if (!text.starts_with("*.")) return IsHostName(text);
  text.remove_prefix(2);
  return IsHostName(text) && text.find('.') != text.npos;
}

bool IsMailbox(std::string_view text) {
  const size_t at = text.rfind('@');
  return at != text.npos && IsLocalPart(text.substr(0, at)) && IsHostName(text.substr(at + 1));
}

bool IsAbsoluteUri(std::string_view text) {
  const size_t colon = text.find(':');
  return colon != text.npos && colon > 0 && colon + 1 < text.size() && IsLetter(text.front()) &&
         std::ranges::all_of(text.substr(0, colon),
                             [](char c) {
                               return IsLetter(c) || IsAsciiDigit(c) || c == '+' || c == '-' ||
                                      c == '.';
                             }) &&
         std::ranges::all_of(text, IsPrinting);
}

bool IsAddressAndMask(std::span<const uint8_t> octets) {
  if (octets.size() != 8 && octets.size() != 32) return false;
  bool ended = false;
  for (const uint8_t octet : octets.subspan(octets.size() / 2)) {
    for (int bit = 7; bit >= 0; --bit) {
      const bool set = ((octet >> bit) & 1) != 0;
      if (set && ended) return false;
      ended |= !set;
    }
  }
  return true;
}

bool ReadsAsAddress(std::string_view text) { return ReadsAsIpv4(text) || ReadsAsIpv6(text); }

bool ReadsAsDomain(std::string_view text) {
  if (ReadsAsAddress(text)) return false;
  if (text.starts_with("*.")) text.remove_prefix(2);
  return text.find('.') != text.npos && AllPieces(text, [](std::string_view piece) {
           return !piece.empty() && std::ranges::all_of(piece, [](char c) {
             return IsLetter(c) || IsAsciiDigit(c) || c == '-' || c == '_' || IsNonAscii(c);
           });
         });
}

}  // namespace portcullis::tls
