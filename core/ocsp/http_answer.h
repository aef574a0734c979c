// A responder's HTTP answer to a request of HTTP/1.0: status, head, body by length or by the end of
// the connection. Knows no chunks, for 1.0 has none. Any thread; keeps nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/ocsp/http_url.h"

namespace portcullis::ocsp {

// The most an answer may have, head and body together. OCSP responses have one to four kilobytes.
inline constexpr size_t kMaxAnswerBytes = size_t{64} * 1024;

enum class [[nodiscard]] AnswerState : uint8_t { kMore, kDone, kBad };

// ReadHttpAnswer looks at all that has come so far; `ended` says that nothing more will. At kDone
// `body` is within `bytes`. Another status than 200 is kBad, and so is a body cut short.
AnswerState ReadHttpAnswer(std::string_view bytes, bool ended, std::string_view& body);

// MakeHttpRequest posts an OCSP request (RFC 6960 appendix A).
[[nodiscard]] std::string MakeHttpRequest(const HttpUrl& url, std::string_view body);

}  // namespace portcullis::ocsp
