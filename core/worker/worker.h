// Worker: one thread that serves: its own ring, listening sockets, connections, backend pools,
// timers, metrics shard and log ring. Workers share nothing that changes; what a worker is told
// comes through its inbox, and what it no longer needs goes back through the supervisor's.
//
// Start, Post and Join are the supervisor's; everything private runs on the worker's own thread
// (worker.cc: life and loop; dispatch.cc: completions; control.cc: inbox, listeners, reload,
// drain).
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <semaphore>
#include <span>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "absl/status/status.h"

#include "core/backend/pool.h"
#include "core/connection/context.h"
#include "core/connection/downstream.h"
#include "core/connection/runtime.h"
#include "core/connection/seen_clients.h"
#include "core/log/log_ring.h"
#include "core/ocsp/fetcher.h"
#include "core/ocsp/status_cache.h"
#include "core/signing/pool.h"
#include "io/buffer_ring.h"
#include "io/inbox.h"
#include "io/listener.h"
#include "io/ring.h"
#include "io/slab.h"
#include "io/stream.h"
#include "io/timer_wheel.h"
#include "metrics/shard.h"
#include "tls/verdict_cache.h"

namespace portcullis::worker {

// A new configuration. `sockets[i]` is the listening descriptor for runtime->listeners[i], or -1
// where the worker already listens on that address and goes on doing so. The worker takes ownership
// of both.
struct Update {
  std::unique_ptr<connection::Runtime> runtime;
  std::vector<int> sockets;
};
// Stop accepting, let what runs finish, cut the rest after `limit`. Clients still in their
// handshake are told then, and have connection::kLingerMs to read it.
struct Drain {
  std::chrono::milliseconds limit{0};
};
// Reopens nothing, waits for nothing: ends every connection now, with the same exception.
struct Cut {};
// The clients a worker has seen, those seen last first, as copies of whoever reads them: the worker
// fills `clients`, releases `ready`, and waits for nobody. Who has not acquired `ready` must not
// look.
struct ClientList {
  std::vector<connection::SeenClient> clients;
  std::binary_semaphore ready{0};
};
// Asks for such a list, of at most `most` clients.
struct ListClients {
  uint32_t most = 0;
  std::shared_ptr<ClientList> answer;  // not null
};
// How many clients a worker remembers for it, and what their certificates take at most: 1 or 2 ms
// of copying.
inline constexpr uint32_t kSeenClients = 1024;
inline constexpr size_t kSeenBytes = size_t{4} * 1024 * 1024;

using Message = std::variant<Update, Drain, Cut, ListClients, ocsp::StatusResult, signing::Result>;

// What workers hand back to the supervisor: a runtime to which no connection belongs any more, to
// be destroyed off the worker.
using Returns = io::Inbox<std::unique_ptr<connection::Runtime>>;

struct WorkerOptions {
  uint32_t index = 0;
  int cpu = -1;                      // to pin to; -1: not pinned
  uint32_t max_connections = 16384;  // slots, this worker's
  uint32_t verdict_cache = 8192;     // client chains remembered
  // What a turn spends on handshakes at most, so that one burst of clients cannot delay every
  // proxied byte.
  std::chrono::nanoseconds handshake_budget{2'000'000};
  ocsp::Fetcher* fetcher = nullptr;  // asks OCSP responders; null: nobody does
  signing::Pool* signers = nullptr;  // makes slow signatures; null: the worker makes all
  metrics::WorkerShard* shard = nullptr;
  log::LogRing* log = nullptr;
  Returns* returns = nullptr;
  connection::MoveSet* moves = nullptr;  // a test's, told of every move of a connection
  // Makes the ring, on the worker's thread, with `make_ring_argument`. Null: the kernel's
  // (UringRing). Tests give a ScriptRing.
  absl::StatusOr<std::unique_ptr<io::Ring>> (*make_ring)(int argument) = nullptr;
  int make_ring_argument = 0;
};

class Worker final : public ocsp::ResultSink, public signing::ResultSink {
 public:
  explicit Worker(WorkerOptions options);
  ~Worker();  // the thread must have been joined
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Start starts the thread and waits until its ring and buffers stand. Errors name cause and
  // remedy.
  absl::Status Start();
  // Post hands the worker a message.
  void Post(Message message);
  // Take hands the worker what its fetcher has found out, for it or for another. The fetcher's
  // thread.
  void Take(ocsp::StatusResult result) override { Post(std::move(result)); }
  // Take hands the worker a signature. A helper's thread.
  void Take(signing::Result result) override { Post(std::move(result)); }
  // ended tells whether the thread has left its loop. Any thread.
  [[nodiscard]] bool ended() const { return ended_.load(std::memory_order_acquire); }
  // Join waits for the thread to end, which it does after a Drain or Cut.
  void Join();

 private:
  struct ListenerSlot {
    io::Acceptor acceptor;
    uint32_t generation = 1;
    std::string address;
    connection::ListenerRuntime* listener = nullptr;  // null: closed
    connection::Runtime* runtime = nullptr;           // that `listener` belongs to
    io::Millis rearm_at_ms = 0;  // after running out of descriptors; 0: not waiting
  };
  struct HandshakeBudget;

  absl::Status SetUp();
  void Run();
  void Turn();
  void TearDown();
  // Sets the worker's clocks, to a reading of the monotonic one.
  void SetClock(int64_t now_ns);
  void SetTablesClock();
  [[nodiscard]] std::chrono::nanoseconds WaitTime();
  void EndTurn();
  void MirrorCounters();
  [[nodiscard]] bool Finished() const;

  // dispatch.cc
  void DispatchBatch(std::span<const io::Cqe> batch);
  [[nodiscard]] bool IsHandshakeWork(io::Token token);
  void Dispatch(const io::Cqe& cqe, io::Token token);
  void DispatchListener(const io::Cqe& cqe, io::Token token);
  void DispatchDownstream(const io::Cqe& cqe, io::Token token);
  void DispatchUpstream(const io::Cqe& cqe, io::Token token);
  void DispatchHandshake(const io::Cqe& cqe, io::Token token, HandshakeBudget& budget);
  void RunWaiting(HandshakeBudget& budget);
  void ClientReceived(connection::Downstream& down, io::RecvEvent event);
  void ClientSent(connection::Downstream& down, io::SendEvent event);
  void BackendConnected(backend::Upstream& upstream, const io::Cqe& cqe);
  void BackendReceived(backend::Upstream& upstream, io::RecvEvent event);
  void BackendSent(backend::Upstream& upstream, io::SendEvent event);
  void OnTimer(io::TimerNode& node);
  void Accepted(ListenerSlot& slot, int fd);
  void CountAcceptFailure(const ListenerSlot& slot, int error);

  // control.cc
  void Handle(Message message);
  void Settle(ocsp::StatusResult result);
  void Apply(Update update);
  void FillIn(uint32_t most, ClientList& list) const;
  void Attach(connection::ListenerRuntime& listener, int fd);
  void CloseListener(ListenerSlot& slot);
  void FinishClosing(ListenerSlot& slot);
  void BeginDrain(std::chrono::milliseconds limit);
  void CutAll();
  void GovernAccept();
  void AskEveryone();
  void CheckStandings();
  void SweepAll();
  void Retire();
  void HandBackRetired();

  WorkerOptions options_;
  std::unique_ptr<io::Inbox<Message>> inbox_;
  std::thread thread_;
  std::atomic<bool> ended_{false};

  // Below: the worker's thread only, in order of construction.
  std::unique_ptr<io::Ring> ring_;
  std::unique_ptr<io::BufferRing> client_buffers_;
  std::unique_ptr<io::BufferRing> backend_buffers_;
  std::optional<io::BlockPool> blocks_;
  io::IntrusiveList client_rearm_;
  io::IntrusiveList backend_rearm_;
  io::StreamCounters client_counters_;
  io::StreamCounters backend_counters_;
  std::optional<io::StreamEnv> client_env_;
  std::optional<io::StreamEnv> backend_env_;
  std::optional<io::TimerWheel> wheel_;
  std::optional<backend::Pool> pool_;
  std::optional<tls::VerdictCache> verdicts_;
  std::optional<ocsp::StatusCache> statuses_;
  std::optional<connection::SeenClients> seen_;
  std::optional<io::Slab<connection::Downstream>> downstreams_;
  std::unique_ptr<connection::Context> context_;
  std::vector<std::unique_ptr<ListenerSlot>> listeners_;
  std::unique_ptr<connection::Runtime> runtime_;
  std::vector<std::unique_ptr<connection::Runtime>> retired_;
  std::array<io::Cqe, 256> cqes_{};
  // Positions in the batch under way: what is dispatched at once, and handshake work.
  std::array<uint16_t, 256> prompt_{};
  std::array<uint16_t, 256> deferred_{};
  uint64_t stale_cqes_ = 0;
  io::Millis drain_deadline_ms_ = 0;  // 0: not draining
  int64_t turn_started_ns_ = 0;
  int64_t turn_ended_ns_ = 0;            // of the last one: the wait for the next began then
  io::Millis next_mirror_ms_ = 0;        // of counters kept elsewhere to the shard
  bool mirror_due_ = false;              // they may have moved since
  uint32_t next_to_check_ = UINT32_MAX;  // slot whose client's standing is asked next; none
  bool asks_everyone_ = false;           // those of the runtime in force, too
  bool asks_everyone_next_ = false;      // in the next pass
  bool accept_paused_ = false;
  bool stopping_ = false;
  bool inbox_closed_ = false;
};

}  // namespace portcullis::worker
