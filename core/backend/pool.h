// Pool: a worker's connections to backends: dials, lends, keeps idle ones for reuse, and releases
// closed slots.
//
// One a worker, its thread only. It makes no callbacks: the worker gives it completions that
// concern no user (idle and closing upstreams) and connection code asks it for upstreams. Slots are
// released by Sweep(), at the end of a turn, never inside a dispatch, so a pointer stays good for
// the turn in which it was looked up.
#pragma once

#include <cstdint>
#include <memory>

#include "core/backend/runtime.h"
#include "core/backend/upstream.h"
#include "io/slab.h"
#include "io/stream.h"
#include "io/timer_wheel.h"

namespace portcullis::backend {

struct PoolCounters {
  uint64_t dials = 0;
  uint64_t reuses = 0;
  uint64_t idle_closed = 0;  // idle connections that the backend closed or spoke on
};

class Pool {
 public:
  // `capacity` bounds upstream connections of the worker, busy, idle and closing together.
  Pool(io::StreamEnv& env, io::TimerWheel& wheel, uint32_t capacity);

  // TakeIdle lends the most recently used idle connection of the backend's next target in turn;
  // null when that target has none: Dial then takes the same target, so that requests go round
  // whether or not connections are kept.
  [[nodiscard]] Upstream* TakeIdle(BackendRuntime& backend, UpstreamUser& user, io::Millis now_ms);

  // Dial starts a connection to the next target in turn that is not held to be down (to any if all
  // are). Null when out of slots or descriptors.
  [[nodiscard]] Upstream* Dial(const std::shared_ptr<BackendRuntime>& backend, UpstreamUser& user,
                               io::Millis now_ms);

  // OnConnect takes the connect's completion. 0: connected and lent to its user. Else an errno
  // (ETIMEDOUT after the connect deadline): the target is held to be down for a while and the
  // upstream is closing, its user detached.
  [[nodiscard]] int OnConnect(Upstream& upstream, const io::Cqe& cqe, io::Millis now_ms);

  // Keep returns a connection to its target's pool after a clean exchange; closes it when the pool
  // is full, or the backend retired.
  void Keep(Upstream& upstream, io::Millis now_ms);

  // Close ends an upstream from any state, detaching its user. `abort`: with RST.
  void Close(Upstream& upstream, bool abort);

  // OnIdleEvent is told of any receive event on an idle upstream: whatever it is, the connection is
  // of no more use.
  void OnIdleEvent(Upstream& upstream);

  // OnTimer: connect deadline (returns true: the caller must treat it as a failed connect for
  // `upstream.user`, which is still attached) or keep-alive deadline (closes, returns false).
  [[nodiscard]] bool OnTimer(Upstream& upstream);
  void MarkDown(Upstream& upstream, io::Millis now_ms);

  // Sweep releases closing upstreams with nothing in flight. Call once at the end of a turn.
  void Sweep();

  // Retire closes the idle connections of a backend whose snapshot is no longer in force, and has
  // none kept from now on. Those in use go on.
  void Retire(BackendRuntime& backend);

  [[nodiscard]] io::Slab<Upstream>& slab() { return slab_; }
  [[nodiscard]] uint32_t live() const { return slab_.live(); }  // closing ones included
  [[nodiscard]] io::StreamEnv& env() { return env_; }
  [[nodiscard]] const PoolCounters& counters() const { return counters_; }
  [[nodiscard]] uint32_t num_idle() const { return num_idle_; }

 private:
  [[nodiscard]] uint32_t NextTarget(const BackendRuntime& backend, io::Millis now_ms) const;
  void Unlist(Upstream& upstream);

  io::StreamEnv& env_;
  io::TimerWheel& wheel_;
  io::Slab<Upstream> slab_;
  io::IntrusiveList doomed_;
  PoolCounters counters_;
  uint32_t num_idle_ = 0;
};

}  // namespace portcullis::backend
