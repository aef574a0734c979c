// Text: Abseil's string functions for std::string_view. Distributions build Abseil with a
// string_view of its own, which does not convert from the standard one. Pure functions, set-up code
// only.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace portcullis::server {

// Piece is `text` as Abseil takes it; it borrows the same bytes.
inline absl::string_view Piece(std::string_view text) { return {text.data(), text.size()}; }

// Part is `value` as absl::StrCat takes it: anything stringlike as a Piece, numbers as they are.
template <typename T>
auto Part(const T& value) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return Piece(value);
  } else {
    return value;
  }
}

// Cat is absl::StrCat; Append is absl::StrAppend. No argument may point into `*out`.
template <typename... T>
std::string Cat(const T&... parts) {
  return absl::StrCat(Part(parts)...);
}

template <typename... T>
void Append(std::string* out, const T&... parts) {
  absl::StrAppend(out, Part(parts)...);
}

}  // namespace portcullis::server
