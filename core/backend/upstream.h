// Upstream: one connection to a backend target, as a slot of a worker's slab. It is dialling, lent
// to one user (a downstream connection), idle in its target's pool, or closing.
//
// Owned by the worker's Pool; that worker's thread only. Knows nothing of what its user speaks over
// it.
#pragma once

#include <cstdint>
#include <memory>

#include "io/slab.h"
#include "io/stream.h"
#include "io/timer_wheel.h"

namespace portcullis::backend {

struct TargetRuntime;
struct BackendRuntime;

// Whoever an upstream is lent to. The worker knows the real type; here it is only an identity.
class UpstreamUser {
 protected:
  UpstreamUser() = default;
  ~UpstreamUser() = default;
};

// A list node that knows whose it is.
struct UpstreamNode : io::ListNode {
  struct Upstream* owner = nullptr;
};

enum class UpstreamState : uint8_t { kFree, kDialing, kBusy, kIdle, kClosing };

struct Upstream {
  uint32_t slot = 0;
  uint32_t generation = 0;
  Upstream* next_free = nullptr;

  UpstreamState state = UpstreamState::kFree;
  bool reused = false;  // came from the pool: may have been closed under us
  bool abort = false;   // close with RST
  io::Stream stream;
  io::TimerNode timer;                      // connect deadline, or keep-alive deadline while idle
  UpstreamNode idle_node;                   // in TargetRuntime::idle, most recently used in front
  UpstreamNode doomed_node;                 // in the pool's list of slots to be released
  std::shared_ptr<BackendRuntime> backend;  // null while free
  TargetRuntime* target = nullptr;          // one of the backend's
  UpstreamUser* user = nullptr;             // null while idle or closing
  io::Millis dial_started_ms = 0;
  uint64_t lent_rx = 0;  // stream's byte counts when it was lent, for the user's own accounts
  uint64_t lent_tx = 0;
};

static_assert(sizeof(Upstream) <= 512, "what a pooled connection costs");

}  // namespace portcullis::backend
