// What a connection leaves behind: its metrics as it goes along, and its log line when it ends.
// Worker's thread only.
#pragma once

#include "core/connection/context.h"
#include "core/connection/downstream.h"

namespace portcullis::connection {

// BeginHandshake counts the connection in: active, and handshake in progress. EndHandshake takes it
// out of the latter (idempotent).
void BeginHandshake(Context& ctx, Downstream& down);
void EndHandshake(Context& ctx, Downstream& down);

// RecordHandshake counts a handshake that ended, with `reason` kNone when the client was let in:
// duration histogram, rejection, verdict on the chain. Includes EndHandshake. Once a connection.
void RecordHandshake(Context& ctx, Downstream& down, tls::Rejection reason);

// CountConnect counts an attempt to reach a backend: 0 or an errno, and how long it took.
void CountConnect(Context& ctx, const backend::BackendRuntime& backend, int error,
                  io::Millis took_ms);

// CountRequest counts a finished exchange.
void CountRequest(Context& ctx, Downstream& down, int status, int64_t took_ns);

// RecordMove counts the connection among those of `to` from now on, no longer of its listener.
void RecordMove(Context& ctx, Downstream& down, const ListenerRuntime& to);

// NoteTarget notes whom the connection has reached, for its log line.
void NoteTarget(Downstream& down, const backend::Upstream& upstream);

// NoteUpstreamBytes adds what an upstream moved since it was lent to `down`; call when it is given
// back.
void NoteUpstreamBytes(Context& ctx, Downstream& down, backend::Upstream& upstream);

// WantsLine tells whether a line of `event` is to be made and written. One for which the log has no
// room is counted here, and not made.
[[nodiscard]] bool WantsLine(Context& ctx, log::Event event);

// WriteRecord writes the log line and the final byte counts. Once a connection; later calls do
// nothing.
void WriteRecord(Context& ctx, Downstream& down);

}  // namespace portcullis::connection
