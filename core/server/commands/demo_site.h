// DemoSite: what the embedded backend answers to a request, decided from its head alone.
//
// Pure: a request's head in, a plan out; HttpSession carries the plan out. The pages:
//   GET /            a short page with the identity and forwarding headers that came
//   GET /headers     every header as JSON:
//   {"method","target","version","headers":[{"name","value"},...]} POST /echo       the body back
//   as it comes, framed as it came (length or chunks) GET /bytes/N     N deterministic bytes, see
//   SiteByte PUT /sink        reads the body; {"bytes":N,"sha256":"..."} /status/N        an answer
//   with status N (200 to 599), whatever the method /delay/MS        an answer after MS
//   milliseconds (at most 60,000), whatever the method
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/server/commands/request_parser.h"

namespace portcullis::server {

struct SitePlan {
  enum class Body : uint8_t {
    kText,   // `text`
    kBytes,  // `num_bytes` of SiteByte
    kEcho,   // the request's body, as it comes
    kSink,   // the digest of the request's body, once all of it came
  };

  int status = 200;
  Body body = Body::kText;
  std::string content_type = "text/plain; charset=utf-8";
  std::string text;
  uint64_t num_bytes = 0;
  std::string allow;                   // of a 405
  std::chrono::milliseconds delay{0};  // before the first byte
};

// PlanFor decides the answer to `request`. HEAD is planned as GET; leaving out the body is the
// caller's.
[[nodiscard]] SitePlan PlanFor(const BackendRequest& request);

// SiteByte is byte `index` of /bytes/N: of the little-endian SplitMix64 output for index / 8. Any
// part of the stream can be recomputed, and no two megabytes of it are alike.
[[nodiscard]] uint8_t SiteByte(uint64_t index);

// AppendSiteBytes appends bytes [from, from + count) of that stream to `out`.
void AppendSiteBytes(uint64_t from, size_t count, std::string& out);

// StatusReason is the reason phrase of an HTTP status (RFC 9110 section 15); "Status" for those it
// does not know.
[[nodiscard]] std::string_view StatusReason(int status);

}  // namespace portcullis::server
