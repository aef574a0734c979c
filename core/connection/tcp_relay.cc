#include "core/connection/tcp_relay.h"

#include <cerrno>
#include <utility>
#include <vector>

#include "core/connection/close.h"
#include "core/connection/deadline.h"
#include "core/connection/record.h"
#include "core/connection/traffic.h"

namespace portcullis::connection {
namespace {

constexpr size_t kReadSpace = 4096;

const std::shared_ptr<backend::BackendRuntime>& BackendOf(const Downstream& down) {
  return down.listener->host_runtimes[down.engine->host()->index].backend;
}

// Both directions have ended and everything is handed to the kernel.
void EndIfDone(Context& ctx, Downstream& down) {
  if (!down.client_done || !down.backend_done) return;
  if (down.upstream != nullptr && !down.upstream->stream.output().empty()) return;
  Linger(ctx, down, CloseCause::kBackendClosed);
}

// Decrypts `input` straight into the backend's output chain.
void PumpClient(Context& ctx, Downstream& down, std::span<const uint8_t> input) {
  io::Stream& to_backend = down.upstream->stream;
  ChainSink chain_sink{down.stream.output(), ctx.client_env.blocks};
  const tls::Sink sink = MakeSink(chain_sink);
  while (true) {
    const std::span<uint8_t> space = to_backend.output().Reserve(ctx.client_env.blocks, kReadSpace);
    size_t produced = 0;
    const tls::ReadStatus status = down.engine->Read(input, space, produced, sink);
    if (status != tls::ReadStatus::kData) produced = 0;
    to_backend.output().Commit(produced);
    down.client_rx += produced;
    if (produced != 0) continue;
    down.stream.Flush(ctx.client_env);
    if (status == tls::ReadStatus::kFailed) {
      Abort(ctx, down, CloseCause::kTlsError);
      return;
    }
    if (status == tls::ReadStatus::kClosed) down.client_done = true;
    break;
  }
  to_backend.Flush(ctx.pool.env());
  if (down.client_done) {
    to_backend.ShutdownWriteWhenDrained();
    EndIfDone(ctx, down);
  } else if (!down.pausing_client && to_backend.output().size() > kHighWater) {
    down.pausing_client = true;
    down.stream.Pause(ctx.client_env);
  }
}

void PumpBackend(Context& ctx, Downstream& down, std::span<const uint8_t> data) {
  ChainSink sink{down.stream.output(), ctx.client_env.blocks};
  const bool was_empty = down.stream.output().empty();
  if (!down.engine->Write(data, MakeSink(sink))) {
    Abort(ctx, down, CloseCause::kTlsError);
    return;
  }
  down.client_tx += data.size();
  down.stream.Flush(ctx.client_env);
  if (was_empty) {
    down.write_ms = ctx.now_ms;
    ArmDeadline(ctx, down);
  }
  if (!down.pausing_backend && down.stream.output().size() > kHighWater) {
    down.pausing_backend = true;
    down.upstream->stream.Pause(ctx.pool.env());
  }
}

void OnBackendEof(Context& ctx, Downstream& down) {
  down.backend_done = true;
  ChainSink sink{down.stream.output(), ctx.client_env.blocks};
  down.engine->CloseNotify(MakeSink(sink));
  down.stream.Flush(ctx.client_env);
  EndIfDone(ctx, down);
}

void Dial(Context& ctx, Downstream& down) {
  const std::shared_ptr<backend::BackendRuntime>& backend = BackendOf(down);
  ++down.dial_attempts;
  down.upstream = ctx.pool.Dial(backend, down, ctx.now_ms);
  if (down.upstream == nullptr) {
    CountConnect(ctx, *backend, EMFILE, 0);
    Abort(ctx, down, CloseCause::kBackendFailed);
  }
}

void TakeEarly(Context& ctx, Downstream& down) {
  std::vector<uint8_t> early = std::move(down.early);
  down.early = {};
  if (down.pausing_client) {
    down.pausing_client = false;
    down.stream.Resume(ctx.client_env);
  }
  if (!early.empty()) PumpClient(ctx, down, early);
  if (down.state != State::kRelay) return;
  const std::vector<uint8_t> held = down.stream.TakeHeld();
  if (!held.empty()) PumpClient(ctx, down, held);
}

}  // namespace

void StartTcpRelay(Context& ctx, Downstream& down, std::span<const uint8_t> rest) {
  down.Move(State::kDialing);
  down.stream.Flush(ctx.client_env);
  down.early.assign(rest.begin(), rest.end());
  Dial(ctx, down);
  if (down.state == State::kDialing) ArmDeadline(ctx, down);
}

void StartRelayOver(Context& ctx, Downstream& down, std::span<const uint8_t> from_client,
                    std::span<const uint8_t> from_backend) {
  down.Move(State::kRelay);
  ArmDeadline(ctx, down);
  if (!from_backend.empty()) PumpBackend(ctx, down, from_backend);
  if (down.state != State::kRelay) return;
  io::Stream& backend = down.upstream->stream;
  backend.output().Append(ctx.pool.env().blocks, from_client);
  backend.Flush(ctx.pool.env());
  TakeEarly(ctx, down);
  if (down.state != State::kRelay) return;
  if (backend.eof() && !backend.paused() && !down.backend_done) OnBackendEof(ctx, down);
  if (down.state == State::kRelay && down.stream.eof() && !down.stream.paused() &&
      !down.client_done) {
    Abort(ctx, down, CloseCause::kClientTruncated);
  }
}

void OnRelayConnect(Context& ctx, Downstream& down, int error) {
  if (error == 0) {
    down.Move(State::kRelay);
    NoteTraffic(ctx, down);
    TakeEarly(ctx, down);
    if (down.state == State::kRelay && down.stream.eof() && !down.client_done) {
      Abort(ctx, down, CloseCause::kClientTruncated);
    }
    return;
  }
  down.upstream = nullptr;
  if (down.dial_attempts < BackendOf(down)->targets.size()) {
    Dial(ctx, down);
  } else {
    // No protocol of ours to say so in: a broken connection is the only honest answer.
    Abort(ctx, down, CloseCause::kBackendFailed);
  }
}

void OnRelayClientRecv(Context& ctx, Downstream& down, io::RecvEvent event) {
  NoteTraffic(ctx, down);
  switch (event) {
    case io::RecvEvent::kNothing:
    case io::RecvEvent::kHeld:
      return;
    case io::RecvEvent::kData:
      if (down.state == State::kRelay) {
        if (!down.client_done) PumpClient(ctx, down, down.stream.data());
        return;
      }
      down.early.insert(down.early.end(), down.stream.data().begin(), down.stream.data().end());
      if (!down.pausing_client && down.early.size() > kHighWater) {
        down.pausing_client = true;
        down.stream.Pause(ctx.client_env);
      }
      return;
    case io::RecvEvent::kEof:
      // While dialling or holding bytes, judged when those have been consumed.
      if (down.client_done || down.stream.paused() || down.state == State::kDialing) return;
      Abort(ctx, down, CloseCause::kClientTruncated);
      return;
    case io::RecvEvent::kError:
      Abort(ctx, down, CloseCause::kClientReset);
      return;
  }
}

void OnRelayClientSend(Context& ctx, Downstream& down, io::SendEvent event) {
  if (event == io::SendEvent::kNothing) return;
  if (event == io::SendEvent::kError) {
    Abort(ctx, down, CloseCause::kClientReset);
    return;
  }
  NoteTraffic(ctx, down);
  down.write_ms = ctx.now_ms;
  if (!down.pausing_backend || down.stream.output().size() > kLowWater) return;
  down.pausing_backend = false;
  io::Stream& backend = down.upstream->stream;
  backend.Resume(ctx.pool.env());
  const std::vector<uint8_t> held = backend.TakeHeld();
  if (!held.empty()) PumpBackend(ctx, down, held);
  if (down.state == State::kRelay && backend.eof() && !backend.paused() && !down.backend_done)
    OnBackendEof(ctx, down);
}

void OnRelayBackendRecv(Context& ctx, Downstream& down, io::RecvEvent event) {
  NoteTraffic(ctx, down);
  switch (event) {
    case io::RecvEvent::kNothing:
    case io::RecvEvent::kHeld:
      return;
    case io::RecvEvent::kData:
      PumpBackend(ctx, down, down.upstream->stream.data());
      return;
    case io::RecvEvent::kEof:
      if (!down.upstream->stream.paused()) OnBackendEof(ctx, down);
      return;
    case io::RecvEvent::kError:
      Abort(ctx, down, CloseCause::kBackendFailed);
      return;
  }
}

void OnRelayBackendSend(Context& ctx, Downstream& down, io::SendEvent event) {
  if (event == io::SendEvent::kNothing) return;
  if (event == io::SendEvent::kError) {
    Abort(ctx, down, CloseCause::kBackendFailed);
    return;
  }
  NoteTraffic(ctx, down);
  if (down.pausing_client && down.upstream->stream.output().size() <= kLowWater) {
    down.pausing_client = false;
    down.stream.Resume(ctx.client_env);
    const std::vector<uint8_t> held = down.stream.TakeHeld();
    if (!held.empty()) PumpClient(ctx, down, held);
    if (down.state != State::kRelay) return;
    if (down.stream.eof() && !down.stream.paused() && !down.client_done) {
      Abort(ctx, down, CloseCause::kClientTruncated);
      return;
    }
  }
  if (event == io::SendEvent::kDrained) EndIfDone(ctx, down);
}

}  // namespace portcullis::connection
