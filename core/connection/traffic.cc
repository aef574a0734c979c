#include "core/connection/traffic.h"

#include <algorithm>
#include <utility>

#include "core/connection/record.h"

namespace portcullis::connection {
namespace {

constexpr io::Millis kCountEveryMs = 500;
constexpr uint32_t kCountedATurn = 512;  // tens of microseconds

}  // namespace

void CountTraffic(Context& ctx) {
  if (ctx.uncounted_due == 0) {
    if (ctx.now_ms < ctx.next_count_ms) return;
    ctx.next_count_ms = ctx.now_ms + kCountEveryMs;
    // Those noted from here on are for the next time: under load the list never gets empty.
    ctx.uncounted_due = ctx.num_uncounted;
  }
  const uint32_t part = std::min({ctx.uncounted_due, ctx.num_uncounted, kCountedATurn});
  for (uint32_t i = 0; i < part; ++i) {
    SettleTraffic(ctx, *static_cast<DownstreamNode*>(ctx.uncounted.Front())->owner);
  }
  ctx.uncounted_due = part < kCountedATurn ? 0 : ctx.uncounted_due - part;
}

void SettleTraffic(Context& ctx, Downstream& down) {
  if (down.uncounted_node.linked()) {
    down.uncounted_node.Unlink();
    --ctx.num_uncounted;
  }
  if (down.upstream != nullptr) NoteUpstreamBytes(ctx, down, *down.upstream);
  metrics::ListenerShard& shard = ctx.shard.listener(down.listener->metrics_id);
  const uint64_t received = down.client_rx - std::exchange(down.counted_rx, down.client_rx);
  const uint64_t sent = down.client_tx - std::exchange(down.counted_tx, down.client_tx);
  shard.CountBytes(metrics::Side::kClient, metrics::Direction::kReceive, received);
  shard.CountBytes(metrics::Side::kClient, metrics::Direction::kSend, sent);
}

}  // namespace portcullis::connection
