// Downstream: one client connection, as a slot of a worker's slab: its socket, TLS engine, stage
// and deadlines.
//
// Owned by the worker's slab; that worker's thread only. The functions that act on it live beside
// it, one stage a file: handshake.h, tcp_relay.h, http_relay.h, close.h, deadline.h; each takes the
// worker's Context.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/backend/upstream.h"
#include "core/connection/runtime.h"
#include "core/connection/state.h"
#include "io/check.h"
#include "io/slab.h"
#include "io/socket_address.h"
#include "io/stream.h"
#include "io/timer_wheel.h"
#include "tls/engine.h"

namespace portcullis::connection {

class HttpRelay;
struct Downstream;

// What a handshake waits for beside the client: an OCSP responder's word, or its own signature.
enum class Awaited : uint8_t { kNothing, kStatus, kSignature };

struct DownstreamNode : io::ListNode {
  Downstream* owner = nullptr;
};

struct Downstream final : backend::UpstreamUser {
  Downstream();
  ~Downstream();
  Downstream(const Downstream&) = delete;
  Downstream& operator=(const Downstream&) = delete;

  uint32_t slot = 0;
  uint32_t generation = 0;
  Downstream* next_free = nullptr;

  State state = State::kFree;
  CloseCause cause = CloseCause::kNone;
  bool abort = false;                   // close with RST: the client must see truncation
  bool client_done = false;             // relay: the client's close_notify has been passed on
  bool backend_done = false;            // relay: the backend's FIN has been passed on
  bool pausing_client = false;          // relay: our backpressure cause on `stream`
  bool pausing_backend = false;         // relay: our backpressure cause on the upstream's stream
  bool recorded = false;                // the log line has been written
  Awaited awaited = Awaited::kNothing;  // handshake: from somebody else than the client
  bool signed_on_helper = false;        // or being so
  bool handshake_counted = false;       // in the handshakes-in-progress gauge
  uint8_t dial_attempts = 0;
  tls::Rejection refusal = tls::Rejection::kNone;  // what the client was refused for, if it was
  tls::Rejection lapse = tls::Rejection::kNone;  // why it is no longer served though it was let in

  io::Stream stream;
  io::TimerNode timer;
  // In one of the worker's queues: handshakes beyond this turn's budget, then those of postponed.h,
  // and in the end the closing, to be released when the kernel lets go.
  DownstreamNode queue_node;
  DownstreamNode uncounted_node;  // in the worker's list of traffic to be counted
  std::unique_ptr<tls::Engine> engine;
  std::unique_ptr<HttpRelay> http;
  std::vector<uint8_t>
      early;  // ciphertext that has to wait: for handshake budget, what is awaited, or the backend
  // What it belongs to, until it is moved (lapse.h): with these moves all that points into them.
  ListenerRuntime* listener = nullptr;
  Runtime* runtime = nullptr;
  backend::Upstream* upstream = nullptr;
  io::IpEndpoint peer;

  int64_t accepted_ns = 0;  // monotonic
  int64_t accepted_unix_ms = 0;
  int64_t handshake_done_ns = 0;  // 0 until then
  io::Millis activity_ms = 0;     // last byte in or out, either side
  io::Millis write_ms = 0;    // last progress of our output to the client, or start of its queue
  io::Millis linger_ms = 0;   // start of lingering
  io::Millis cut_ms = 0;      // lapsed, or refused by a drain: when what still runs is cut
  int64_t holds_until_s = 0;  // wall clock: when its client's standing is to be asked again
  uint64_t client_rx = 0;     // plaintext bytes
  uint64_t client_tx = 0;
  uint64_t counted_rx = 0;  // of them, in the metrics
  uint64_t counted_tx = 0;
  uint64_t backend_rx = 0;  // bytes, over all exchanges
  uint64_t backend_tx = 0;
  uint32_t requests = 0;
  std::shared_ptr<const std::string> backend_text;  // target last used; null: none
  MoveSet* moves = nullptr;                         // a test's, told of every move

  // Move goes to `next`; the table must allow it.
  void Move(State next) {
    CHECK(Legal(state, next), "illegal move of a connection");
    if (moves != nullptr) moves->Add(state, next);
    state = next;
  }
  [[nodiscard]] bool live() const { return state != State::kFree && state != State::kClosing; }
};

static_assert(sizeof(Downstream) <= 512, "what an open connection costs before TLS");

}  // namespace portcullis::connection
