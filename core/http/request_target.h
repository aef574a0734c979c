// Request targets (RFC 9112, 3.2) and Host: which resource of which host a request is for. Every
// doubt is an error, since the host decides which client certificate is asked for.
//
// Pure functions; any thread. Paths are not decoded or normalised: the backend gets what the client
// sent.
#pragma once

#include <string_view>

#include "core/http/events.h"
#include "core/http/message.h"

namespace portcullis::http {

// ParseTarget fills head.authority and head.path from the target and from head.headers' Host, for
// head.method. Wanted: exactly one Host (none allowed in HTTP/1.0), valid, and equal to an
// absolute-form target's authority. Errors: 400, and 405 for CONNECT and TRACE.
[[nodiscard]] HttpError ParseTarget(std::string_view target, bool http10, RequestHead& head);

// ValidAuthority tells whether `text` is host or host:port, the host a name of letters, digits,
// '-', '.', '_', '~' or a bracketed IPv6 literal, the port 1 to 65535. No user info, no
// percent-encoding.
[[nodiscard]] bool ValidAuthority(std::string_view text);

}  // namespace portcullis::http
