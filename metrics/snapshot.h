// Snapshot: what all workers have counted, as plain numbers at one moment (give or take what the
// workers count while it is taken). Totals are summed over workers, except where a worker's own
// share says something. A value: no thread owns it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "metrics/histogram.h"
#include "metrics/schema.h"
#include "metrics/shard.h"

namespace portcullis::metrics {

struct ListenerSnapshot {
  std::string name;
  uint64_t accepted = 0;
  uint64_t accept_failures = 0;
  int64_t last_accept_error = 0;  // of some worker; 0: none
  int64_t active_connections = 0;
  int64_t handshakes_in_progress = 0;
  std::array<std::array<uint64_t, kDirectionNames.size()>, kSideNames.size()> bytes{};
  std::array<uint64_t, kChainVerdictNames.size()> verdicts{};
  std::array<uint64_t, kCodeClassNames.size()> requests{};
  std::array<uint64_t, kMaxReasons> rejections{};
  std::array<uint64_t, kMaxReasons> rejected_chains{};
  std::array<uint64_t, kMaxReasons> lapses{};
  std::array<uint64_t, kMaxReasons> refused_resumptions{};
  std::array<HistogramSnapshot, kHandshakeKinds> handshakes{};
  HistogramSnapshot request_duration;

  void Merge(const ListenerShard& shard);
};

struct BackendSnapshot {
  std::string name;
  int64_t active_connections = 0;
  int64_t idle_connections = 0;
  std::array<uint64_t, kConnectResultNames.size()> connects{};
  HistogramSnapshot connect_duration;

  void Merge(const BackendShard& shard);
};

// One worker's share of what only makes sense a worker.
struct WorkerSnapshot {
  uint64_t accepted = 0;  // over all listeners
  int64_t active_connections = 0;
  uint64_t ring_enters = 0;
  uint64_t ring_submitted = 0;
  uint64_t ring_completed = 0;
  uint64_t ring_sq_full = 0;
  uint64_t ring_cq_overflow = 0;
  uint64_t ring_recv_enobufs = 0;
  uint64_t ring_recv_pauses = 0;
  uint64_t ring_cancel_misses = 0;
  uint64_t ring_stale_cqes = 0;
  uint64_t timer_fires = 0;
  uint64_t busy_ns = 0;
  uint64_t log_lines_dropped = 0;
  uint64_t verdict_cache_hits = 0;
  uint64_t verdict_cache_misses = 0;
  uint64_t verdict_cache_evictions = 0;
  int64_t verdict_cache_entries = 0;
  int64_t blocks_in_use = 0;
  int64_t connection_slots = 0;
};

struct Snapshot {
  std::vector<ListenerSnapshot> listeners;  // by id
  std::vector<BackendSnapshot> backends;    // by id
  std::vector<WorkerSnapshot> workers;
  HistogramSnapshot turn_duration;  // all workers
  uint64_t ocsp_cache_hits = 0;     // likewise
  std::array<HistogramSnapshot, kOcspResultNames.size()> ocsp_answers{};
  std::array<uint64_t, kKeyOperationKinds> key_operations{};
  HistogramSnapshot helper_signature_duration;

  // MergeWorker adds a worker's shard. `listeners` and `backends` must already have their names;
  // ids beyond them are left out.
  void MergeWorker(const WorkerShard& shard);
};

}  // namespace portcullis::metrics
