// WorkerShard: all numbers one worker counts, written by that worker's thread alone and read by the
// admin threads at any time. Each shard, and each listener's and backend's part of it, has its own
// cache lines, so that workers never share one. Owned by a ShardSet, which also numbers listeners
// and backends.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "metrics/check.h"
#include "metrics/counter.h"
#include "metrics/histogram.h"
#include "metrics/schema.h"

namespace portcullis::metrics {

inline constexpr size_t kCacheLine = 64;

// What a worker counts for one listener.
class alignas(kCacheLine) ListenerShard {
 public:
  Counter accepted;          // connections taken from the kernel
  Counter accept_failures;   // accepts that failed for a reason of ours
  Gauge last_accept_error;   // the errno of the last of them; not exported
  Gauge active_connections;  // open now, from accept to close
  Gauge handshakes_in_progress;
  Histogram request_duration;  // from the request's first byte to the response's last

  // RecordHandshake counts a handshake that ended, `ns` nanoseconds after the connection was
  // accepted.
  void RecordHandshake(HandshakeResult result, TlsVersion version, bool resumed, int64_t ns) {
    handshakes_[HandshakeKind(result, version, resumed)].Record(ns);
  }

  // CountRejection counts a client not served for `reason` (an index into the ShardSet's Reasons,
  // never 0).
  void CountRejection(size_t reason) {
    METRICS_CHECK(reason > 0 && reason < kMaxReasons);
    rejections_[reason].Add();
  }

  // CountLapse counts a live connection ended because its client would no longer be let in.
  void CountLapse(size_t reason) {
    METRICS_CHECK(reason > 0 && reason < kMaxReasons);
    lapses_[reason].Add();
  }

  // CountRefusedResumption counts a ticket not resumed because its client would no longer be let
  // in.
  void CountRefusedResumption(size_t reason) {
    METRICS_CHECK(reason > 0 && reason < kMaxReasons);
    refused_resumptions_[reason].Add();
  }

  // CountVerdict counts a judgement of a client's chain. `reason` is 0 unless rejected; it must be
  // one which judges certificates.
  void CountVerdict(ChainVerdict verdict, size_t reason = 0) {
    METRICS_CHECK(reason < kMaxReasons && (reason == 0) == (verdict != ChainVerdict::kRejected));
    verdicts_[static_cast<size_t>(verdict)].Add();
    rejected_chains_[reason].Add();  // [0] is not exported
  }

  // CountBytes adds `n` bytes moved to or from the client or its backend, TLS framing excluded.
  void CountBytes(Side side, Direction direction, uint64_t n) {
    bytes_[static_cast<size_t>(side)][static_cast<size_t>(direction)].Add(n);
  }

  // CountRequest counts a finished HTTP exchange by its status code, 100..599.
  void CountRequest(int code) {
    METRICS_CHECK(code >= 100 && code <= 599);
    requests_[static_cast<size_t>(code / 100 - 1)].Add();
  }

  // For readers, any thread.
  [[nodiscard]] const Histogram& handshake(size_t kind) const { return handshakes_[kind]; }
  [[nodiscard]] uint64_t rejections(size_t reason) const { return rejections_[reason].value(); }
  [[nodiscard]] uint64_t lapses(size_t reason) const { return lapses_[reason].value(); }
  [[nodiscard]] uint64_t refused_resumptions(size_t reason) const {
    return refused_resumptions_[reason].value();
  }
  [[nodiscard]] uint64_t verdicts(ChainVerdict v) const {
    return verdicts_[static_cast<size_t>(v)].value();
  }
  [[nodiscard]] uint64_t rejected_chains(size_t reason) const {
    return rejected_chains_[reason].value();
  }
  [[nodiscard]] uint64_t bytes(Side side, Direction direction) const {
    return bytes_[static_cast<size_t>(side)][static_cast<size_t>(direction)].value();
  }
  [[nodiscard]] uint64_t requests(size_t code_class) const { return requests_[code_class].value(); }

 private:
  std::array<std::array<Counter, kDirectionNames.size()>, kSideNames.size()> bytes_{};
  std::array<Counter, kChainVerdictNames.size()> verdicts_{};
  std::array<Counter, kCodeClassNames.size()> requests_{};
  std::array<Counter, kMaxReasons> rejections_{};
  std::array<Counter, kMaxReasons> rejected_chains_{};
  std::array<Counter, kMaxReasons> lapses_{};
  std::array<Counter, kMaxReasons> refused_resumptions_{};
  std::array<Histogram, kHandshakeKinds> handshakes_{};
};

// What a worker counts for one backend.
class alignas(kCacheLine) BackendShard {
 public:
  Gauge active_connections;    // carrying traffic
  Gauge idle_connections;      // kept alive in the worker's pool
  Histogram connect_duration;  // of attempts that succeeded

  // CountConnect counts an attempt to connect to a target of the backend.
  void CountConnect(ConnectResult result) { connects_[static_cast<size_t>(result)].Add(); }

  // connects returns the attempts that ended so. Any thread.
  [[nodiscard]] uint64_t connects(ConnectResult result) const {
    return connects_[static_cast<size_t>(result)].value();
  }

 private:
  std::array<Counter, kConnectResultNames.size()> connects_{};
};

class alignas(kCacheLine) WorkerShard {
 public:
  // The loop. The ring's totals are mirrored from the ring's own counters, within 100 ms.
  Counter ring_enters;         // io_uring_enter calls
  Counter ring_submitted;      // entries handed to the kernel
  Counter ring_completed;      // completions reaped
  Counter ring_sq_full;        // submission queue was full, submitted early
  Counter ring_cq_overflow;    // turns that saw completions overflow
  Counter ring_recv_enobufs;   // receives that found the buffer ring empty
  Counter ring_recv_pauses;    // receives paused for a slow reader on the other side
  Counter ring_cancel_misses;  // pauses whose cancel found nothing
  Counter ring_stale_cqes;     // completions for a connection already gone
  Counter timer_fires;
  Counter busy_ns;                      // time spent in turns, waiting excluded
  Histogram turn_duration;              // one turn's work, waiting excluded
  Counter log_lines_dropped;            // connection log lines for which the ring had no room
  Histogram helper_signature_duration;  // from asking a helper thread to having the signature
  // The verdict cache, mirrored likewise.
  Counter verdict_cache_hits;
  Counter verdict_cache_misses;
  Counter verdict_cache_evictions;
  Gauge verdict_cache_entries;
  Counter ocsp_cache_hits;  // clients whose standing the worker knew
  Gauge blocks_in_use;      // output blocks
  Gauge connection_slots;   // slab slots in use

  // CountKeyOperation counts a signature asked of a server's key; `provider` is an index into
  // kKeyProviderNames.
  void CountKeyOperation(size_t provider, SigningThread thread, KeyResult result) {
    METRICS_CHECK(provider < kKeyProviderNames.size());
    key_operations_[KeyOperationKind(provider, thread, result)].Add();
  }
  // key_operations returns the count of one KeyOperationKind. Any thread.
  [[nodiscard]] uint64_t key_operations(size_t kind) const { return key_operations_[kind].value(); }

  WorkerShard();
  ~WorkerShard();
  WorkerShard(const WorkerShard&) = delete;
  WorkerShard& operator=(const WorkerShard&) = delete;

  // CountOcspAnswer counts what came, after `ns` nanoseconds, of a question to an OCSP responder.
  void CountOcspAnswer(OcspResult result, int64_t ns) {
    ocsp_answers_[static_cast<size_t>(result)].Record(ns);
  }
  // ocsp_answers returns the durations of the questions that ended so. Any thread.
  [[nodiscard]] const Histogram& ocsp_answers(OcspResult result) const {
    return ocsp_answers_[static_cast<size_t>(result)];
  }

  // listener returns the part for a listener, which must have been added by ShardSet::AddListener
  // before the worker learned its id. The writer only.
  [[nodiscard]] ListenerShard& listener(size_t id) { return Get(listeners_, id); }
  // backend: likewise.
  [[nodiscard]] BackendShard& backend(size_t id) { return Get(backends_, id); }

  // FindListener and FindBackend return null for ids not added. Any thread.
  [[nodiscard]] const ListenerShard* FindListener(size_t id) const;
  [[nodiscard]] const BackendShard* FindBackend(size_t id) const;

  // AddListener and AddBackend allocate the part for `id`; nothing happens if it exists. One thread
  // at a time, the supervisor; the worker may run meanwhile.
  void AddListener(size_t id);
  void AddBackend(size_t id);

 private:
  template <typename T, size_t N>
  static T& Get(const std::array<std::atomic<T*>, N>& parts, size_t id) {
    METRICS_CHECK(id < N);
    T* part = parts[id].load(std::memory_order_acquire);
    METRICS_CHECK(part != nullptr);
    return *part;
  }

  std::array<Histogram, kOcspResultNames.size()> ocsp_answers_{};
  std::array<Counter, kKeyOperationKinds> key_operations_{};
  // Written at reloads only, so on lines of their own. Owning pointers, freed by the destructor.
  alignas(kCacheLine) std::array<std::atomic<ListenerShard*>, kMaxListeners> listeners_{};
  std::array<std::atomic<BackendShard*>, kMaxBackends> backends_{};
};

}  // namespace portcullis::metrics
