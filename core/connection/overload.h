// Overload: clients that come when every slot is taken. They have no Downstream: what is said of
// them, to them, in the log and in the metrics, is said here. Worker's thread only.
#pragma once

#include "core/connection/context.h"
#include "core/connection/runtime.h"

namespace portcullis::connection {

// Of a flood the log has one line in so many milliseconds and worker, which says how many clients
// it leaves out; the counter has them all.
inline constexpr io::Millis kOverloadLineEveryMs = 100;

// RefuseOverload refuses the client of an accepted descriptor, which it closes.
void RefuseOverload(Context& ctx, const ListenerRuntime& listener, int fd);

}  // namespace portcullis::connection
