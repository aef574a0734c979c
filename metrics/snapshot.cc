#include "metrics/snapshot.h"

namespace portcullis::metrics {

void ListenerSnapshot::Merge(const ListenerShard& shard) {
  accepted += shard.accepted.value();
  accept_failures += shard.accept_failures.value();
  if (const int64_t error = shard.last_accept_error.value(); error != 0) last_accept_error = error;
  active_connections += shard.active_connections.value();
  handshakes_in_progress += shard.handshakes_in_progress.value();
  for (size_t side = 0; side < bytes.size(); ++side) {
    for (size_t direction = 0; direction < bytes[side].size(); ++direction) {
      bytes[side][direction] +=
          shard.bytes(static_cast<Side>(side), static_cast<Direction>(direction));
    }
  }
  for (size_t i = 0; i < verdicts.size(); ++i)
    verdicts[i] += shard.verdicts(static_cast<ChainVerdict>(i));
  for (size_t i = 0; i < requests.size(); ++i) requests[i] += shard.requests(i);
  for (size_t i = 0; i < kMaxReasons; ++i) {
    rejections[i] += shard.rejections(i);
    rejected_chains[i] += shard.rejected_chains(i);
    lapses[i] += shard.lapses(i);
    refused_resumptions[i] += shard.refused_resumptions(i);
  }
  for (size_t i = 0; i < kHandshakeKinds; ++i) shard.handshake(i).MergeInto(handshakes[i]);
  shard.request_duration.MergeInto(request_duration);
}

void BackendSnapshot::Merge(const BackendShard& shard) {
  active_connections += shard.active_connections.value();
  idle_connections += shard.idle_connections.value();
  for (size_t i = 0; i < connects.size(); ++i)
    connects[i] += shard.connects(static_cast<ConnectResult>(i));
  shard.connect_duration.MergeInto(connect_duration);
}

void Snapshot::MergeWorker(const WorkerShard& shard) {
  WorkerSnapshot& worker = workers.emplace_back();
  for (size_t id = 0; id < listeners.size(); ++id) {
    const ListenerShard* part = shard.FindListener(id);
    if (part == nullptr) continue;
    listeners[id].Merge(*part);
    worker.accepted += part->accepted.value();
    worker.active_connections += part->active_connections.value();
  }
  for (size_t id = 0; id < backends.size(); ++id) {
    const BackendShard* part = shard.FindBackend(id);
    if (part != nullptr) backends[id].Merge(*part);
  }
  worker.ring_enters = shard.ring_enters.value();
  worker.ring_submitted = shard.ring_submitted.value();
  worker.ring_completed = shard.ring_completed.value();
  worker.ring_sq_full = shard.ring_sq_full.value();
  worker.ring_cq_overflow = shard.ring_cq_overflow.value();
  worker.ring_recv_enobufs = shard.ring_recv_enobufs.value();
  worker.ring_recv_pauses = shard.ring_recv_pauses.value();
  worker.ring_cancel_misses = shard.ring_cancel_misses.value();
  worker.ring_stale_cqes = shard.ring_stale_cqes.value();
  worker.timer_fires = shard.timer_fires.value();
  worker.busy_ns = shard.busy_ns.value();
  worker.log_lines_dropped = shard.log_lines_dropped.value();
  worker.verdict_cache_hits = shard.verdict_cache_hits.value();
  worker.verdict_cache_misses = shard.verdict_cache_misses.value();
  worker.verdict_cache_evictions = shard.verdict_cache_evictions.value();
  worker.verdict_cache_entries = shard.verdict_cache_entries.value();
  worker.blocks_in_use = shard.blocks_in_use.value();
  worker.connection_slots = shard.connection_slots.value();
  shard.turn_duration.MergeInto(turn_duration);
  ocsp_cache_hits += shard.ocsp_cache_hits.value();
  for (size_t result = 0; result < ocsp_answers.size(); ++result) {
    shard.ocsp_answers(static_cast<OcspResult>(result)).MergeInto(ocsp_answers[result]);
  }
  for (size_t i = 0; i < kKeyOperationKinds; ++i) key_operations[i] += shard.key_operations(i);
  shard.helper_signature_duration.MergeInto(helper_signature_duration);
}

}  // namespace portcullis::metrics
