#include "core/connection/signature.h"

#include <utility>

#include "core/connection/handshake.h"
#include "tls/engine.h"

namespace portcullis::connection {
bool MakeSignature(Context& ctx, Downstream& down, std::span<const uint8_t> rest) {
  signing::Task task{.job = down.engine->TakeSigningJob(),
                     .slot = down.slot,
                     .generation = down.generation,
                     .sink = ctx.signature_sink};
  if (ctx.signers == nullptr || !ctx.signers->Submit(ctx.worker_index, task)) {
    down.engine->SetSignature(task.job.Run());
    return true;
  }
  down.signed_on_helper = true;
  Await(ctx, down, Awaited::kSignature, rest);
  return false;
}

void OnSignature(Context& ctx, Downstream& down, signing::Result result) {
  if (down.state != State::kHandshake || down.awaited != Awaited::kSignature) return;
  ctx.shard.helper_signature_duration.Record(result.took_ns);
  down.engine->SetSignature(std::move(result.signature));
  GoOn(ctx, down);
}

}  // namespace portcullis::connection
