// HTTP/1 framing (RFC 9112, 6): how long a message's body is, decided from its fields alone and
// independently of llhttp. Where two readers could see two lengths, the answer is an error, never a
// guess: that is what request smuggling lives on.
//
// Pure functions; any thread. Not for trailers or chunk syntax.
#pragma once

#include <cstdint>

#include "core/http/events.h"
#include "core/http/header_list.h"
#include "core/http/message.h"

namespace portcullis::http {

enum class Framing : uint8_t {
  kNone,  // no body bytes follow
  kLength,
  kChunked,
  kClose,  // until the connection closes; responses only
};

struct Extent {
  Framing framing = Framing::kNone;
  uint64_t length = 0;  // kLength only; not 0
};

// RequestExtent decides for a request. `http10`: HTTP/1.0, where Transfer-Encoding cannot be
// trusted. `declared` is what the head says for the relay. Errors: 400, or 501 for a transfer
// coding other than chunked.
[[nodiscard]] HttpError RequestExtent(const HeaderList& headers, bool http10, Extent& extent,
                                      Body& declared);

// ResponseExtent decides for a response with `status` to a HEAD or other request. `declared` is
// kept for HEAD and 304. Errors: 502.
[[nodiscard]] HttpError ResponseExtent(const HeaderList& headers, bool http10, uint16_t status,
                                       bool head_request, Extent& extent, Body& declared);

// CheckFieldSyntax refuses a field whose name is no token (which covers whitespace before the
// colon). Error: 400.
[[nodiscard]] HttpError CheckFieldSyntax(const HeaderList& headers);

// PersistsByFields tells whether Connection, or its absence, lets the connection go on after this
// message (RFC 9112, 9.3).
[[nodiscard]] bool PersistsByFields(const HeaderList& headers, bool http10);

}  // namespace portcullis::http
