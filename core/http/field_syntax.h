// Field syntax (RFC 9110, 5): tokens, comma-separated lists, and which field names belong to a
// connection or to framing rather than to a message. Pure functions on text; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/http/header_list.h"

namespace portcullis::http {

// IsTokenChar tells whether `byte` is a tchar (RFC 9110, 5.6.2); IsToken whether `text` is one or
// more of them.
[[nodiscard]] bool IsTokenChar(uint8_t byte);
[[nodiscard]] bool IsToken(std::string_view text);

// IsHopByHop tells whether the field means one connection only (RFC 9110, 7.6.1 and the old
// Keep-Alive, Proxy-Connection, HTTP2-Settings): Transfer-Encoding included, Trailer not.
[[nodiscard]] bool IsHopByHop(std::string_view name);
// IsFraming tells whether a codec writes the field by itself: Content-Length, Transfer-Encoding.
[[nodiscard]] bool IsFraming(std::string_view name);

// Trim drops outer spaces and tabs.
[[nodiscard]] std::string_view Trim(std::string_view text);

// ForEachToken calls visit(std::string_view) for each non-empty element of a comma-separated list,
// trimmed. Quoted strings are not understood: for lists of tokens only.
template <typename Visitor>
void ForEachToken(std::string_view list, Visitor visit) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    const std::string_view element = Trim(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    if (!element.empty()) visit(element);
  }
}

// HasToken tells whether the lists in all fields called `name` hold `token`, case aside.
[[nodiscard]] bool HasToken(const HeaderList& headers, std::string_view name,
                            std::string_view token);

// SanitizeValue makes text safe as a field value: CR, LF, NUL and other controls become spaces,
// outer whitespace goes. Bytes of UTF-8 stay.
[[nodiscard]] std::string SanitizeValue(std::string_view text);

// FoldedName is a field name reduced to what a careless backend may take it for: lower case, and
// '-' for everything that is neither letter nor digit (CGI and its heirs make X-A, X_A and X.A one
// variable). At most 40 characters are kept.
class FoldedName {
 public:
  explicit FoldedName(std::string_view name);
  [[nodiscard]] std::string_view text() const { return {text_, size_}; }

 private:
  static constexpr size_t kMax = 40;
  char text_[kMax];
  size_t size_;
};

}  // namespace portcullis::http
