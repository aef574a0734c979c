// Messages as the relay sees them: header lists, request heads, response heads. Nothing here says
// which HTTP version carried them: framing headers (Host, Content-Length, Transfer-Encoding) are
// taken out by the codec that parsed them and written anew by the codec that sends them, from the
// typed fields.
//
// Owned by a codec (its head is lent to the sink, which may alter it) or by whoever builds a
// message. Clear() keeps storage, so a connection allocates for its first exchanges only. One
// thread at a time; no I/O.
#pragma once

#include <cstdint>
#include <string>

#include "core/http/header_list.h"

namespace portcullis::http {

// What the body's extent is known to be, before it is seen.
enum class BodyKind : uint8_t {
  kNone,    // no body. On a response that may have one: an empty one
  kLength,  // exactly Body::length bytes (may be 0)
  kStream,  // ends when it ends: chunked, or until the connection closes, or an HTTP/2 stream
};

struct Body {
  BodyKind kind = BodyKind::kNone;
  uint64_t length = 0;  // bytes; kLength only

  static constexpr Body None() { return {}; }
  static constexpr Body Length(uint64_t bytes) { return {BodyKind::kLength, bytes}; }
  static constexpr Body Stream() { return {BodyKind::kStream, 0}; }
  friend bool operator==(const Body&, const Body&) = default;
};

// A request's head. `headers` holds everything but Host, Content-Length and Transfer-Encoding.
// Hop-by-hop fields are still there when a codec delivers it, since Connection names others to
// remove: see PrepareForBackend in header_rules.h, without which a head must not be sent on.
struct RequestHead {
  std::string method;
  std::string scheme;     // of the connection, "https" or "http", whatever the target said
  std::string authority;  // host[:port] as the client wrote it, case kept; empty only for HTTP/1.0
                          // without Host
  std::string path;       // origin-form, with query; "*" for OPTIONS *
  HeaderList headers;
  Body body;
  uint8_t version_major = 1;  // of the message received; for logs
  uint8_t version_minor = 1;
  bool expect_continue = false;  // the client waits for a 100 before it sends the body
  std::string
      upgrade;  // protocols offered (Upgrade's value) if the client asks to upgrade; else empty

  [[nodiscard]] bool is_head() const { return method == "HEAD"; }
  // Clear empties all fields to the defaults above, keeping storage.
  void Clear();
};

// A response's head, final or interim. `body` is what the representation has: for the response to
// HEAD and for 304 it is what the backend declared, though no data event follows.
struct ResponseHead {
  uint16_t status = 0;
  std::string reason;  // may be empty
  HeaderList headers;  // without Content-Length and Transfer-Encoding
  Body body;
  std::string upgrade;  // 101 only: the protocol switched to

  [[nodiscard]] bool is_interim() const { return status >= 100 && status < 200 && status != 101; }
  void Clear();
};

// Whether a response with `status` to a request may carry a body at all (RFC 9110, 6.4.1).
[[nodiscard]] constexpr bool ResponseHasBody(uint16_t status, bool request_was_head) {
  return !request_was_head && status >= 200 && status != 204 && status != 304;
}

}  // namespace portcullis::http
