// Handshakes that wait for what an OCSP responder says of their client: the worker's memory is
// asked first, then the fetcher, and meanwhile they wait as handshake.h has it. The worker's
// thread.
#pragma once

#include <cstdint>
#include <span>

#include "core/connection/context.h"
#include "core/connection/downstream.h"

namespace portcullis::connection {

// AnswerStatus answers an engine at kWantStatus from memory, or because nobody can be asked. False:
// it has to wait, and OnStatus will answer it. `rest` is input that the engine has not taken yet.
[[nodiscard]] bool AnswerStatus(Context& ctx, Downstream& down, std::span<const uint8_t> rest);

// OnStatus gives a waiting handshake its answer. It goes on among the handshakes that wait for the
// turn's budget: one answer may set many going.
void OnStatus(Context& ctx, Downstream& down, const tls::StatusAnswer& answer);

}  // namespace portcullis::connection
