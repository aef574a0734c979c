// Bytes that connections move, counted in the metrics while they flow: a connection with traffic is
// put on the worker's list, and twice a second the list is gone through. Nothing is added up for a
// packet, and nothing is looked at of who is silent. Worker's thread only.
#pragma once

#include "core/connection/context.h"
#include "core/connection/downstream.h"

namespace portcullis::connection {

// NoteTraffic notes that something was said on either side: the idle deadline moves, and what was
// moved is to be counted.
inline void NoteTraffic(Context& ctx, Downstream& down) {
  down.activity_ms = ctx.now_ms;
  if (down.uncounted_node.linked()) return;
  ctx.uncounted.PushBack(down.uncounted_node);
  ++ctx.num_uncounted;
}

// CountTraffic counts what has been noted, twice a second, a part of the list a turn. Call once a
// turn; while ctx.uncounted_due is not 0 the next should come soon.
void CountTraffic(Context& ctx);

// SettleTraffic counts what one connection has moved and that has not been counted.
void SettleTraffic(Context& ctx, Downstream& down);

}  // namespace portcullis::connection
