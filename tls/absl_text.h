// Text for Abseil: where its package was built for an older C++, absl::string_view is a type of its
// own, and its functions do not take the standard one. Any thread; header only.
#pragma once

#include <string_view>

#include "absl/strings/string_view.h"

namespace portcullis::tls {

// AbslText is the same characters as Abseil's view, whichever type that is.
[[nodiscard]] inline absl::string_view AbslText(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace portcullis::tls
