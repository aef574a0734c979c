#include "core/connection/handshake.h"

#include <memory>
#include <utility>

#include "core/connection/client_status.h"
#include "core/connection/close.h"
#include "core/connection/deadline.h"
#include "core/connection/http_relay.h"
#include "core/connection/lapse.h"
#include "core/connection/postponed.h"
#include "core/connection/record.h"
#include "core/connection/signature.h"
#include "core/connection/tcp_relay.h"

namespace portcullis::connection {
namespace {

// Refused: the alert (if any) is in the output; let the client read it.
void FinishRefusal(Context& ctx, Downstream& down, tls::Rejection reason) {
  down.refusal = reason;
  RecordHandshake(ctx, down, reason);
  if (reason == tls::Rejection::kPlainHttp && down.listener->mode == config::StageMode::kHttp) {
    down.stream.output().Clear(ctx.client_env.blocks);  // no alert: the peer speaks plain HTTP
    AppendPlainHttpPage(ctx, down);
  }
  Linger(ctx, down, CloseCause::kRefused);
}

// Remembers who was let in, for the next reload.
void NoteSeen(Context& ctx, const tls::Engine& engine) {
  const tls::Verdict& verdict = engine.verdict();
  if (!verdict.accepted() || verdict.identity == nullptr) return;
  ctx.seen.Note({.identity = verdict.identity,
                 .judged_by = engine.judged_by().options,
                 .resumed = engine.resumed()});
}

void Complete(Context& ctx, Downstream& down, std::span<const uint8_t> rest) {
  down.handshake_done_ns = NowNs();
  down.refusal = down.engine->refusal();
  if (down.refusal == tls::Rejection::kNone) {
    if (const tls::Rejection reason = NoteStanding(ctx, down); reason != tls::Rejection::kNone) {
      RefuseHandshake(ctx, down, reason);
      return;
    }
    NoteSeen(ctx, *down.engine);
  }
  RecordHandshake(ctx, down, down.refusal);
  if (down.listener->mode == config::StageMode::kHttp) {
    StartHttp(ctx, down, rest);
  } else {
    StartTcpRelay(ctx, down, rest);
  }
  PostponeTicket(ctx, down);
}

}  // namespace

void Begin(Context& ctx, Downstream& down, int fd, Runtime& runtime, ListenerRuntime& listener) {
  down.moves = ctx.moves;
  down.Move(State::kHandshake);
  down.cause = CloseCause::kNone;
  down.refusal = down.lapse = tls::Rejection::kNone;
  down.cut_ms = 0;
  down.holds_until_s = INT64_MAX;
  down.abort = down.client_done = down.backend_done = false;
  down.pausing_client = down.pausing_backend = down.recorded = false;
  down.awaited = Awaited::kNothing;
  down.signed_on_helper = false;
  down.dial_attempts = 0;
  down.requests = 0;
  down.backend_text = nullptr;
  down.client_rx = down.client_tx = down.backend_rx = down.backend_tx = 0;
  down.counted_rx = down.counted_tx = 0;
  down.accepted_ns = NowNs();
  down.handshake_done_ns = 0;
  down.accepted_unix_ms = ctx.unix_ms;
  down.activity_ms = down.write_ms = ctx.now_ms;
  down.runtime = &runtime;
  down.listener = &listener;
  down.queue_node.owner = down.uncounted_node.owner = &down;
  ++runtime.connections;
  down.peer = io::IpEndpoint(io::PeerOf(fd));
  down.engine = std::make_unique<tls::Engine>(*listener.hosts);
  down.timer.owner = static_cast<uint8_t>(io::Owner::kDownstream);
  down.timer.slot = down.slot;
  down.stream.Open(
      fd,
      io::Token{.owner = io::Owner::kDownstream, .generation = down.generation, .slot = down.slot});
  BeginHandshake(ctx, down);
  down.stream.StartRecv(ctx.client_env);
  ArmDeadline(ctx, down);
}

void OnHandshakeBytes(Context& ctx, Downstream& down, std::span<const uint8_t> bytes) {
  ChainSink sink{down.stream.output(), ctx.client_env.blocks};
  tls::HandshakeStatus status = down.engine->Handshake(bytes, MakeSink(sink));
  // Neither twice; the library asks for them flights apart.
  if (status == tls::HandshakeStatus::kWantSignature) {
    if (!MakeSignature(ctx, down, bytes)) return;
    status = down.engine->Handshake(bytes, MakeSink(sink));
  }
  if (status == tls::HandshakeStatus::kWantStatus) {
    if (!AnswerStatus(ctx, down, bytes)) return;
    status = down.engine->Handshake(bytes, MakeSink(sink));
  }
  switch (status) {
    case tls::HandshakeStatus::kWantRead:
    case tls::HandshakeStatus::kWantSignature:
    case tls::HandshakeStatus::kWantStatus:
      down.stream.Flush(ctx.client_env);
      return;
    case tls::HandshakeStatus::kDone:
      Complete(ctx, down, bytes);
      return;
    case tls::HandshakeStatus::kFailed:
      FinishRefusal(ctx, down, down.engine->failure().reason);
      return;
  }
}

void Await(Context& ctx, Downstream& down, Awaited awaited, std::span<const uint8_t> rest) {
  down.awaited = awaited;
  down.early.assign(rest.begin(), rest.end());
  down.stream.Flush(ctx.client_env);
}

void KeepWhileWaiting(Context& ctx, Downstream& down, std::span<const uint8_t> bytes) {
  down.early.insert(down.early.end(), bytes.begin(), bytes.end());
  if (down.early.size() <= kHighWater || down.stream.paused()) return;
  down.stream.Pause(ctx.client_env);
}

std::vector<uint8_t> TakeKept(Context& ctx, Downstream& down) {
  std::vector<uint8_t> kept = std::exchange(down.early, {});
  if (!down.stream.paused()) return kept;
  down.stream.Resume(ctx.client_env);
  const std::vector<uint8_t> held = down.stream.TakeHeld();
  kept.insert(kept.end(), held.begin(), held.end());
  return kept;
}

void GoOn(Context& ctx, Downstream& down) {
  down.awaited = Awaited::kNothing;
  ctx.waiting.PushBack(down.queue_node);
}

void OnHandshakeEnd(Context& ctx, Downstream& down, tls::Rejection reason) {
  down.refusal = reason;
  RecordHandshake(ctx, down, reason);
  Close(ctx, down,
        reason == tls::Rejection::kReset ? CloseCause::kClientReset : CloseCause::kClientClosed);
}

void RefuseHandshake(Context& ctx, Downstream& down, tls::Rejection reason) {
  ChainSink sink{down.stream.output(), ctx.client_env.blocks};
  down.engine->Refuse(reason, MakeSink(sink));
  FinishRefusal(ctx, down, reason);
}

}  // namespace portcullis::connection
