// What yaml-cpp lets pass in silence and a security configuration must not: text that it would
// guess to be UTF-16, the control character that it takes for the end of the file, a quotation that
// never ends. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/config/diagnostics.h"

namespace portcullis::config {

inline constexpr size_t kMaxYamlBytes = 4 << 20;

// CheckYamlText returns whether `text` is UTF-8 of at most kMaxYamlBytes without control characters
// other than tab, line feed and carriage return (YAML 1.2 section 5.1); if not, it reports the
// first violation.
bool CheckYamlText(std::string_view text, Diagnostics& diagnostics);

// CheckQuotesClosed reports a quoted scalar that runs into the end of the text. `last_scalar` is
// where the document's last scalar, properties (&anchor, !tag) included, starts: an unclosed one is
// necessarily the last.
void CheckQuotesClosed(std::string_view text, Position last_scalar, Diagnostics& diagnostics);

}  // namespace portcullis::config
