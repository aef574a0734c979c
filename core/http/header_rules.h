// Header rules: what becomes of fields on their way through (RFC 9110, 7.6; RFC 7239). Hop-by-hop
// fields end here, forwarding fields are ours alone, identity fields likewise (identity.h). Pure
// functions on lists; any thread.
//
// Trust: this is the edge. What a client says about its own address, scheme or identity is removed
// always, whatever we put in its place, and removal of what Connection names comes before anything
// of ours is set.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/config/config.h"
#include "core/http/header_list.h"
#include "core/http/message.h"

namespace portcullis::http {

class IdentityHeaders;

// The connection a request came on. Borrowed for the call.
struct ForwardingContext {
  std::string_view client_ip = {};  // "192.0.2.1" or "2001:db8::1", no brackets
  uint16_t server_port = 0;         // port the client connected to
  std::string_view scheme = "https";
};

struct RequestRules {
  config::Forwarding forwarding = config::Forwarding::kXForwarded;
  ForwardingContext context = {};
  const IdentityHeaders* identity = nullptr;  // null: strip only
};

// PrepareForBackend makes a client's head fit to send to a backend: drops hop-by-hop fields, every
// forwarding field, every identity field of any profile, and look-alikes of framing fields; then
// sets ours. `head.upgrade` is kept: the codec writes it anew. Off means that no forwarding field
// is set, not that the client's pass.
void PrepareForBackend(const RequestRules& rules, RequestHead& head);
// PrepareForClient drops a response's hop-by-hop fields.
void PrepareForClient(ResponseHead& head);
// FilterTrailers drops from a trailer section what may not be there: framing, routing, hop-by-hop,
// forwarding and identity fields (RFC 9110, 6.5.1).
void FilterTrailers(HeaderList& trailers);

// The parts of the above.
void RemoveHopByHop(HeaderList& headers);
[[nodiscard]] bool IsForwardingHeader(std::string_view name);
void SetForwarding(config::Forwarding mode, const ForwardingContext& context,
                   std::string_view authority, HeaderList& headers);

}  // namespace portcullis::http
