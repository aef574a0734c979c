// Ending a downstream connection: politely (linger), at once (close), or visibly broken (abort).
// Worker's thread only.
#pragma once

#include "core/connection/context.h"
#include "core/connection/downstream.h"

namespace portcullis::connection {

// Linger: everything has been appended to the output. Sends close_notify (unless the handshake
// never finished), then FIN, and waits up to kLingerMs for the peer to close, so that a reset by
// unread input cannot destroy what it has not read yet. Closes at once where there is nobody to
// wait for.
void Linger(Context& ctx, Downstream& down, CloseCause cause);

// OnLingeringSend and OnLingeringRecv drive the linger phase.
void OnLingeringSend(Context& ctx, Downstream& down, io::SendEvent event);
void OnLingeringRecv(Context& ctx, Downstream& down, io::RecvEvent event);

// Close ends the connection without another word: detaches the upstream, cancels what flies, writes
// the log line. Idempotent. What was queued may be lost.
void Close(Context& ctx, Downstream& down, CloseCause cause);

// Abort is Close with RST: for truncated responses, so that a client never sees a clean end.
void Abort(Context& ctx, Downstream& down, CloseCause cause);

// Sweep releases closing connections that the kernel has let go of. `give_back(Downstream&)`
// returns the slot; called once at the end of a turn.
template <typename F>
void Sweep(Context& ctx, F&& give_back);

// Release frees what a closing connection holds; its stream must be releasable. Used by Sweep.
void Release(Context& ctx, Downstream& down);

template <typename F>
void Sweep(Context& ctx, F&& give_back) {
  for (io::ListNode* node = ctx.doomed.Front(); node != nullptr;) {
    io::ListNode* next = ctx.doomed.Next(*node);
    Downstream& down = *static_cast<DownstreamNode*>(node)->owner;
    if (down.stream.releasable()) {
      Release(ctx, down);
      give_back(down);
    }
    node = next;
  }
}

}  // namespace portcullis::connection
