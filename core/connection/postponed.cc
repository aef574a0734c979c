#include "core/connection/postponed.h"

#include <algorithm>

#include "core/connection/close.h"
#include "core/connection/deadline.h"

namespace portcullis::connection {
namespace {

Downstream& OwnerOf(io::ListNode& node) { return *static_cast<DownstreamNode&>(node).owner; }

io::Millis TicketDue(const Downstream& down) {
  return static_cast<io::Millis>(down.handshake_done_ns / 1'000'000) + kTicketWaitMs;
}

void SendTicket(Context& ctx, Downstream& down) {
  if (!down.live() || !down.engine->ticket_pending()) return;
  const bool was_empty = down.stream.output().empty();
  ChainSink sink{down.stream.output(), ctx.client_env.blocks};
  down.engine->SendTicket(MakeSink(sink));
  down.stream.Flush(ctx.client_env);
  if (!was_empty) return;
  down.write_ms = ctx.now_ms;
  ArmDeadline(ctx, down);
}

}  // namespace

void PostponeTicket(Context& ctx, Downstream& down) {
  const bool is_parting = down.queue_node.linked();
  if (!down.live() || is_parting || !down.engine->ticket_pending()) return;
  ctx.tickets.PushBack(down.queue_node);
}

void PostponeParting(Context& ctx, Downstream& down) {
  down.queue_node.Unlink();
  ctx.parting.PushBack(down.queue_node);
}

void Part(Context& ctx, Downstream& down) {
  const bool gone = down.stream.eof() && down.stream.output().empty();
  if (gone) {
    Close(ctx, down, CloseCause::kClientClosed);
  } else {
    Linger(ctx, down, CloseCause::kClientClosed);
  }
}

void SayPostponed(Context& ctx) {
  while (io::ListNode* const node = ctx.parting.PopFront()) {
    Downstream& down = OwnerOf(*node);
    if (down.state == State::kHttp) Part(ctx, down);
  }
  // Oldest first.
  for (io::ListNode* node = ctx.tickets.Front(); node != nullptr; node = ctx.tickets.Front()) {
    Downstream& down = OwnerOf(*node);
    if (down.engine->ticket_pending() && TicketDue(down) > ctx.now_ms) return;
    node->Unlink();
    SendTicket(ctx, down);
  }
}

io::Millis PostponedWait(Context& ctx, io::Millis now_ms, io::Millis longest) {
  io::ListNode* const node = ctx.tickets.Front();
  if (node == nullptr) return longest;
  return std::clamp<io::Millis>(TicketDue(OwnerOf(*node)) - now_ms, 0, longest);
}

}  // namespace portcullis::connection
