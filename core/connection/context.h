// Context: the services of a worker that connection code uses: ring environment, clock, pools,
// metrics, log, scratch. One a worker, its thread only; outlives every connection.
#pragma once

#include <cstdint>
#include <vector>

#include "core/backend/pool.h"
#include "core/connection/downstream.h"
#include "core/connection/exchange_pool.h"
#include "core/connection/seen_clients.h"
#include "core/http/pages.h"
#include "core/log/connection_log.h"
#include "core/ocsp/fetcher.h"
#include "core/ocsp/status_cache.h"
#include "core/signing/pool.h"
#include "io/stream.h"
#include "io/timer_wheel.h"
#include "metrics/shard.h"
#include "tls/engine.h"

namespace portcullis::connection {

// Backpressure watermarks a direction, bytes queued for a slow reader.
inline constexpr size_t kHighWater = 64 * 1024;
inline constexpr size_t kLowWater = 32 * 1024;

// How long a connection on which everything has been said waits for the peer to close.
inline constexpr io::Millis kLingerMs = 1000;

struct Context {
  io::StreamEnv& client_env;
  backend::Pool& pool;
  io::TimerWheel& wheel;
  metrics::WorkerShard& shard;
  log::LogRing& log;
  uint32_t worker_index;
  ocsp::StatusCache& statuses;
  SeenClients& seen;                              // whom the next reload is tried out on
  ocsp::Fetcher* fetcher = nullptr;               // null: nobody asks
  ocsp::ResultSink* status_sink = nullptr;        // where the fetcher's results for this worker go
  signing::Pool* signers = nullptr;               // null: every signature is made here
  signing::ResultSink* signature_sink = nullptr;  // where the pool's results for this worker go
  MoveSet* moves = nullptr;                       // a test's

  io::IntrusiveList doomed{};     // DownstreamNode: closing connections, swept at the end of a turn
  io::IntrusiveList waiting{};    // DownstreamNode: handshakes beyond this turn's budget
  io::IntrusiveList tickets{};    // DownstreamNode: see postponed.h
  io::IntrusiveList parting{};    // DownstreamNode: likewise
  io::IntrusiveList uncounted{};  // DownstreamNode: traffic to be counted (traffic.h)
  uint32_t num_uncounted = 0;     // in that list
  uint32_t uncounted_due = 0;     // of them, those still to be looked at this time
  io::Millis next_count_ms = 0;
  uint32_t handshakes = 0;  // in progress
  io::Millis now_ms = 0;    // monotonic, once a turn
  int64_t unix_ms = 0;      // wall clock, once a turn
  bool draining = false;
  io::Millis next_overload_line_ms = 0;  // before that, refusals for want of room are only counted
  uint64_t overloads_unsaid = 0;         // those since the last line
  // What is served now; null while draining. Connections of earlier runtimes are measured by it.
  Runtime* current = nullptr;
  http::DateCache date{};
  ExchangePool exchanges{};
  std::vector<uint8_t> plain{};  // 16 KiB: one decrypted record
  std::vector<uint8_t> reply{};  // plaintext for the client, encrypted in one go
};

// NowNs reads the monotonic clock, for durations that a turn's granularity is too coarse for.
[[nodiscard]] int64_t NowNs();

// SinkOf makes the TLS engine's output land in the connection's output chain. `slot` must live
// through the call.
struct ChainSink {
  io::OutputChain& chain;
  io::BlockPool& blocks;
};
[[nodiscard]] tls::Sink MakeSink(ChainSink& chain_sink);

}  // namespace portcullis::connection
