// State: where a downstream connection stands, and the table of legal moves. One function moves
// (Downstream::Move), so an undeclared transition cannot be written silently.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace portcullis::connection {

enum class State : uint8_t {
  kFree,       // the slot is in the slab
  kHandshake,  // TLS handshake under way
  kDialing,    // tcp stage: handshake done, backend being connected
  kRelay,      // tcp stage, or an upgraded http connection: bytes both ways
  kHttp,       // http stage: requests and responses
  kLingering,  // everything is said; waiting for the peer to read it and close
  kClosing,    // cancelled; waiting for the kernel to let go
};

inline constexpr int kNumStates = static_cast<int>(State::kClosing) + 1;

namespace internal {
constexpr uint8_t Bit(State state) {
  return static_cast<uint8_t>(1U << static_cast<uint8_t>(state));
}

inline constexpr std::array<uint8_t, kNumStates> kNext = {
    /*kFree*/ Bit(State::kHandshake),
    /*kHandshake*/ Bit(State::kDialing) | Bit(State::kHttp) | Bit(State::kLingering) |
        Bit(State::kClosing),
    /*kDialing*/ Bit(State::kRelay) | Bit(State::kLingering) | Bit(State::kClosing),
    /*kRelay*/ Bit(State::kLingering) | Bit(State::kClosing),
    /*kHttp*/ Bit(State::kRelay) | Bit(State::kLingering) | Bit(State::kClosing),
    /*kLingering*/ Bit(State::kClosing),
    /*kClosing*/ Bit(State::kFree),
};
}  // namespace internal

// Legal tells whether the table declares the move.
[[nodiscard]] constexpr bool Legal(State from, State to) {
  return (internal::kNext[static_cast<size_t>(from)] & internal::Bit(to)) != 0;
}

// MoveSet: which moves have been made, by any of several connections; so that a test can tell
// whether all were. Any thread.
class MoveSet {
 public:
  void Add(State from, State to) { bits_.fetch_or(Bit(from, to), std::memory_order_relaxed); }
  [[nodiscard]] bool Has(State from, State to) const {
    return (bits_.load(std::memory_order_relaxed) & Bit(from, to)) != 0;
  }

 private:
  static_assert(kNumStates * kNumStates <= 64);
  [[nodiscard]] static uint64_t Bit(State from, State to) {
    return uint64_t{1} << (static_cast<int>(from) * kNumStates + static_cast<int>(to));
  }
  std::atomic<uint64_t> bits_{0};
};

// Name returns the state's name without the k, lower case, for logs and tests.
[[nodiscard]] std::string_view Name(State state);

// CloseCause: how a connection ended, for the log line.
enum class CloseCause : uint8_t {
  kNone,
  kClientClosed,     // the client's close_notify or FIN at a message boundary
  kServed,           // we closed after the last response
  kRefused,          // in the handshake, or by a page
  kClientTruncated,  // the client's FIN without close_notify, in the middle of something
  kClientReset,
  kTlsError,        // an alert or undecodable record after the handshake
  kBackendClosed,   // tcp stage: the backend ended the conversation
  kBackendFailed,   // no backend could be reached, or it broke off in mid-response
  kBadRequest,      // HTTP framing
  kIdle,            // timeouts.idle: nothing was said by either side
  kHeadTimeout,     // timeouts.request_head
  kStalled,         // timeouts.write_stall: the client took nothing of what was queued for it
  kBackendTimeout,  // timeouts.response, or no backend in time
  kDrained,         // shutdown
  kLapsed,          // the client would no longer be let in; the log line says why
  kInternal,
};

[[nodiscard]] std::string_view Name(CloseCause cause);

}  // namespace portcullis::connection
