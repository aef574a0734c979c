// Arbitrary bytes as a responder's HTTP answer, the first byte choosing whether the connection has
// ended; and as a URL. A body is within the answer, and what went on for less does not end for
// more.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/ocsp/http_answer.h"
#include "core/ocsp/http_url.h"

namespace {

namespace ocsp = portcullis::ocsp;

void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool ended = (data[0] & 1) != 0;
  std::string_view body;
  const ocsp::AnswerState state = ocsp::ReadHttpAnswer(bytes, ended, body);
  if (state == ocsp::AnswerState::kDone) {
    Require(body.data() >= bytes.data() &&
            body.data() + body.size() <= bytes.data() + bytes.size());
  }
  Require(!ended || state != ocsp::AnswerState::kMore);
  if (const auto url = ocsp::ParseHttpUrl(bytes)) {
    Require(!url->host.empty() && url->port != 0 && url->target.front() == '/');
    const std::string request = ocsp::MakeHttpRequest(*url, "");
    Require(request.find("\r\n\r\n") == request.size() - 4);
  }
  return 0;
}
