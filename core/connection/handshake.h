// The handshake stage: from an accepted descriptor to a connection that is served, or refused with
// a reason. Worker's thread only.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/connection/context.h"
#include "core/connection/downstream.h"

namespace portcullis::connection {

// Begin takes an accepted descriptor into a free slot and starts to receive.
void Begin(Context& ctx, Downstream& down, int fd, Runtime& runtime, ListenerRuntime& listener);

// OnHandshakeBytes feeds ciphertext; at completion goes on to the listener's stage with what is
// left.
void OnHandshakeBytes(Context& ctx, Downstream& down, std::span<const uint8_t> bytes);

// Await makes a handshake wait for somebody else than the client, with `rest` of its input not
// taken yet. Deadlines and the client's end count as ever.
void Await(Context& ctx, Downstream& down, Awaited awaited, std::span<const uint8_t> rest);

// KeepWhileWaiting keeps what comes while a handshake waits, for somebody or for the turn's budget.
// What is kept is bounded, for whoever sent it has proven nothing: beyond, nothing is read.
void KeepWhileWaiting(Context& ctx, Downstream& down, std::span<const uint8_t> bytes);

// TakeKept returns what was kept, and has reading go on.
[[nodiscard]] std::vector<uint8_t> TakeKept(Context& ctx, Downstream& down);

// GoOn queues a handshake whose waiting is over, to be taken up under the turn's budget.
void GoOn(Context& ctx, Downstream& down);

// OnHandshakeEnd: the client closed (kEof) or the connection broke (kReset) before the handshake
// was done.
void OnHandshakeEnd(Context& ctx, Downstream& down, tls::Rejection reason);

// RefuseHandshake ends an unfinished handshake for a reason of ours, with the alert that the
// taxonomy gives it.
void RefuseHandshake(Context& ctx, Downstream& down, tls::Rejection reason);

}  // namespace portcullis::connection
