#include "core/connection/state.h"

namespace portcullis::connection {

std::string_view Name(State state) {
  switch (state) {
    case State::kFree:
      return "free";
    case State::kHandshake:
      return "handshake";
    case State::kDialing:
      return "dialing";
    case State::kRelay:
      return "relay";
    case State::kHttp:
      return "http";
    case State::kLingering:
      return "lingering";
    case State::kClosing:
      return "closing";
  }
  return "unknown";
}

std::string_view Name(CloseCause cause) {
  switch (cause) {
    case CloseCause::kNone:
      return "none";
    case CloseCause::kClientClosed:
      return "client_closed";
    case CloseCause::kServed:
      return "served";
    case CloseCause::kRefused:
      return "refused";
    case CloseCause::kClientTruncated:
      return "client_truncated";
    case CloseCause::kClientReset:
      return "client_reset";
    case CloseCause::kTlsError:
      return "tls_error";
    case CloseCause::kBackendClosed:
      return "backend_closed";
    case CloseCause::kBackendFailed:
      return "backend_failed";
    case CloseCause::kBadRequest:
      return "bad_request";
    case CloseCause::kIdle:
      return "idle";
    case CloseCause::kHeadTimeout:
      return "request_head_timeout";
    case CloseCause::kStalled:
      return "stalled";
    case CloseCause::kBackendTimeout:
      return "backend_timeout";
    case CloseCause::kDrained:
      return "drained";
    case CloseCause::kLapsed:
      return "lapsed";
    case CloseCause::kInternal:
      return "internal";
  }
  return "unknown";
}

}  // namespace portcullis::connection
