// Handshakes whose signature is made on a helper thread. Meanwhile they wait as handshake.h has it.
// The worker's thread.
#pragma once

#include <cstdint>
#include <span>

#include "core/connection/context.h"
#include "core/connection/downstream.h"
#include "core/signing/pool.h"

namespace portcullis::connection {

// MakeSignature answers an engine at kWantSignature here and now, because there is no helper or it
// is behind. False: it has to wait, and OnSignature will answer it. `rest` is input that the engine
// has not taken yet.
[[nodiscard]] bool MakeSignature(Context& ctx, Downstream& down, std::span<const uint8_t> rest);

// OnSignature gives a waiting handshake its signature and goes on with it. One that has ended since
// takes no notice.
void OnSignature(Context& ctx, Downstream& down, signing::Result result);

}  // namespace portcullis::connection
