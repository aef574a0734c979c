#include "core/connection/close.h"

#include "core/connection/deadline.h"
#include "core/connection/http_relay.h"
#include "core/connection/record.h"

namespace portcullis::connection {
namespace {

void DetachUpstream(Context& ctx, Downstream& down, bool abort) {
  if (down.upstream == nullptr) return;
  backend::Upstream& upstream = *down.upstream;
  NoteUpstreamBytes(ctx, down, upstream);
  down.upstream = nullptr;
  ctx.pool.Close(upstream, abort);
}

}  // namespace

void Linger(Context& ctx, Downstream& down, CloseCause cause) {
  if (!down.live() || down.state == State::kLingering) return;
  down.cause = cause;
  // To a backend, the end of a client that was cut off must not look like the end of what it said.
  DetachUpstream(ctx, down, cause == CloseCause::kLapsed);
  if (down.engine != nullptr && down.engine->handshake_done()) {
    ChainSink sink{down.stream.output(), ctx.client_env.blocks};
    down.engine->CloseNotify(MakeSink(sink));
  }
  down.Move(State::kLingering);
  down.early.clear();
  down.linger_ms = ctx.now_ms;
  down.write_ms = ctx.now_ms;
  while (down.stream.paused()) down.stream.Resume(ctx.client_env);
  (void)down.stream.TakeHeld();  // what is still unread is not wanted
  down.stream.StartRecv(ctx.client_env);
  down.stream.Flush(ctx.client_env);
  down.stream.ShutdownWriteWhenDrained();
  if (down.stream.eof() && down.stream.output().empty()) {
    Close(ctx, down, cause);
    return;
  }
  ArmDeadline(ctx, down);
}

void OnLingeringSend(Context& ctx, Downstream& down, io::SendEvent event) {
  switch (event) {
    case io::SendEvent::kNothing:
      return;
    case io::SendEvent::kPartial:
      down.linger_ms = ctx.now_ms;
      return;
    case io::SendEvent::kDrained:
      down.linger_ms = ctx.now_ms;
      if (down.stream.eof()) {
        Close(ctx, down, down.cause);
      } else {
        ArmDeadline(ctx, down);  // nearer now: it is only the peer's close that is waited for
      }
      return;
    case io::SendEvent::kError:
      Close(ctx, down, down.cause);
      return;
  }
}

void OnLingeringRecv(Context& ctx, Downstream& down, io::RecvEvent event) {
  const bool heard_all = event == io::RecvEvent::kEof && down.stream.output().empty();
  if (event == io::RecvEvent::kError || heard_all) Close(ctx, down, down.cause);
  // Data is discarded: the peer may still be sending what we no longer want.
}

void Close(Context& ctx, Downstream& down, CloseCause cause) {
  if (!down.live()) return;
  down.cause = cause;
  if (down.handshake_counted) EndHandshake(ctx, down);
  DetachUpstream(ctx, down, down.abort || cause == CloseCause::kClientTruncated);
  WriteRecord(ctx, down);
  down.Move(State::kClosing);
  ctx.wheel.Cancel(down.timer);
  down.queue_node.Unlink();
  down.stream.BeginClose(ctx.client_env);
  ctx.doomed.PushBack(down.queue_node);
}

void Abort(Context& ctx, Downstream& down, CloseCause cause) {
  down.abort = true;
  Close(ctx, down, cause);
}

void Release(Context& ctx, Downstream& down) {
  down.queue_node.Unlink();
  down.stream.Release(ctx.client_env, down.abort);
  down.engine.reset();
  down.http.reset();
  down.early.clear();
  down.early.shrink_to_fit();
  down.backend_text.reset();
  --down.runtime->connections;
  down.runtime = nullptr;
  down.listener = nullptr;
  down.Move(State::kFree);
}

}  // namespace portcullis::connection
