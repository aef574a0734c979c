// The URL of an OCSP responder in its parts. Plain http only: answers are signed, and whoever reads
// along learns what the handshake shows anyway. Any thread; keeps nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace portcullis::ocsp {

struct HttpUrl {
  std::string host;  // a name, or an address without brackets
  uint16_t port = 80;
  std::string authority;  // host and port as written, for the Host field
  std::string target;     // path and query; "/" for none
};

// ParseHttpUrl reads "http://HOST[:PORT][/PATH]". Nothing for other schemes, user information,
// fragments, and whatever is not printable ASCII: a certificate names it, and it goes into a
// request.
[[nodiscard]] std::optional<HttpUrl> ParseHttpUrl(std::string_view url);

}  // namespace portcullis::ocsp
