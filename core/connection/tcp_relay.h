// The tcp stage: bytes both ways between a TLS client and a backend, any protocol, with
// backpressure and half-close in each direction. Also carries http connections after an upgrade.
// Worker's thread only.
//
// Ends: the client's close_notify becomes FIN to the backend; the backend's FIN becomes
// close_notify to the client; either side may go on sending. A client that vanishes without
// close_notify, or a backend that resets, breaks the other side with RST: truncation is never
// passed on as a clean end.
#pragma once

#include <cstdint>
#include <span>

#include "core/connection/context.h"
#include "core/connection/downstream.h"

namespace portcullis::connection {

// StartTcpRelay dials the host's backend; `rest` is ciphertext that came behind the handshake.
void StartTcpRelay(Context& ctx, Downstream& down, std::span<const uint8_t> rest);

// StartRelayOver goes from the http stage to relaying over the upstream it already has (Upgrade).
// `from_client` and `from_backend` are plaintext that came behind the switch and has not been
// passed on.
void StartRelayOver(Context& ctx, Downstream& down, std::span<const uint8_t> from_client,
                    std::span<const uint8_t> from_backend);

// OnRelayConnect: the backend is connected (error 0), or an attempt failed: another target is
// tried.
void OnRelayConnect(Context& ctx, Downstream& down, int error);

void OnRelayClientRecv(Context& ctx, Downstream& down, io::RecvEvent event);
void OnRelayClientSend(Context& ctx, Downstream& down, io::SendEvent event);
void OnRelayBackendRecv(Context& ctx, Downstream& down, io::RecvEvent event);
void OnRelayBackendSend(Context& ctx, Downstream& down, io::SendEvent event);

}  // namespace portcullis::connection
