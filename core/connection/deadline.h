// Deadlines of a downstream connection: one timer, whose meaning follows from the state. Activity
// only overwrites a field; when the timer fires, the true deadline is computed and the timer
// re-armed if it lies ahead.
#pragma once

#include "core/connection/context.h"
#include "core/connection/downstream.h"

namespace portcullis::connection {

// A configured time in the unit of the worker's clock.
[[nodiscard]] inline io::Millis Ms(config::milliseconds value) {
  return static_cast<io::Millis>(value.count());
}

// DeadlineOf returns when `down` runs out of time as things stand, in the worker's milliseconds.
[[nodiscard]] io::Millis DeadlineOf(const Context& ctx, const Downstream& down);

// ArmDeadline (re-)arms the connection's timer. Call on a change of state, and whenever a deadline
// may have come nearer; activity that only moves it further away need not.
void ArmDeadline(Context& ctx, Downstream& down);

// OnDeadline acts on the fired timer: re-arms, or ends what took too long.
void OnDeadline(Context& ctx, Downstream& down);

// DrainConnection tells a connection that the worker shuts down: idle ones end now, busy ones after
// what they do.
void DrainConnection(Context& ctx, Downstream& down);

}  // namespace portcullis::connection
