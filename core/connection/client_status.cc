#include "core/connection/client_status.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/connection/handshake.h"
#include "tls/engine.h"

namespace portcullis::connection {
namespace {

// Asks the fetcher; tells why nobody will answer, empty when somebody will.
std::string Ask(const Context& ctx, const tls::Engine& engine) {
  if (ctx.fetcher == nullptr) return "nobody asks responders";
  const uint32_t timeout_ms = engine.host()->verifier->trust().ocsp_spec.timeout_ms;
  const bool taken = ctx.fetcher->Fetch(
      {.query = engine.status_query(), .timeout_ms = timeout_ms, .sink = ctx.status_sink});
  return taken ? "" : "too many questions to responders at a time";
}

}  // namespace

bool AnswerStatus(Context& ctx, Downstream& down, std::span<const uint8_t> rest) {
  const int64_t now = ctx.unix_ms / 1000;
  const tls::StatusKey key = down.engine->status_key();
  if (const std::optional<tls::StatusAnswer> known = ctx.statuses.Find(key, now)) {
    ctx.shard.ocsp_cache_hits.Add();
    down.engine->SetStatus(*known);
    return true;
  }
  const bool is_first = ctx.statuses.Await(key, {.slot = down.slot, .generation = down.generation});
  if (std::string why = is_first ? Ask(ctx, *down.engine) : std::string(); !why.empty()) {
    // Nobody else waits, this was the first. What was heard before may stand.
    tls::StatusAnswer answer = {.detail = std::move(why)};
    (void)ctx.statuses.Settle(key, answer, now);
    down.engine->SetStatus(answer);
    return true;
  }
  Await(ctx, down, Awaited::kStatus, rest);
  return false;
}

void OnStatus(Context& ctx, Downstream& down, const tls::StatusAnswer& answer) {
  if (down.state != State::kHandshake || down.awaited != Awaited::kStatus) return;
  down.engine->SetStatus(answer);
  GoOn(ctx, down);
}

}  // namespace portcullis::connection
