#include "core/worker/worker.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <ctime>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"

#include "core/connection/close.h"
#include "core/connection/postponed.h"
#include "core/connection/traffic.h"
#include "io/check.h"
#include "io/uring_ring.h"

namespace portcullis::worker {
namespace {

constexpr uint16_t kClientGroup = 0;
constexpr uint16_t kBackendGroup = 1;
// Windows that stay in a core's cache: half a mebibyte and one.
constexpr uint16_t kClientBuffers = 1024;
constexpr uint32_t kClientBufferBytes = 8 * 1024;
constexpr uint16_t kClientWindow = 64;
constexpr uint16_t kBackendBuffers = 512;
constexpr uint32_t kBackendBufferBytes = 64 * 1024;
constexpr uint16_t kBackendWindow = 16;
constexpr size_t kStatusesKept = 16 * 1024;  // what OCSP responders said, 2 to 4 MiB
constexpr size_t kBlocksKept = 256;          // 4.25 MiB of output blocks kept for reuse
constexpr size_t kPlainBytes = 16 * 1024;    // one record's plaintext
constexpr io::Millis kLongestWaitMs = 1000;
constexpr io::Millis kMirrorEveryMs = 100;

void NameAndPin(const WorkerOptions& options) {
  const std::string name = absl::StrCat("worker-", options.index);
  pthread_setname_np(pthread_self(), name.c_str());
  if (options.cpu < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(options.cpu), &set);
  // Best effort: an unpinned worker is slower, not wrong.
  (void)pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

int64_t UnixMs() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

Worker::Worker(WorkerOptions options) : options_(options) {}

Worker::~Worker() { CHECK(!thread_.joinable(), "worker destroyed while running"); }

absl::Status Worker::Start() {
  absl::StatusOr<std::unique_ptr<io::Inbox<Message>>> inbox = io::Inbox<Message>::Create();
  if (!inbox.ok()) return inbox.status();
  inbox_ = *std::move(inbox);
  std::promise<absl::Status> ready;
  std::future<absl::Status> standing = ready.get_future();
  thread_ = std::thread([this, &ready] {
    NameAndPin(options_);
    const absl::Status status = SetUp();
    const bool ok = status.ok();
    ready.set_value(status);
    if (ok) Run();
    TearDown();
    ended_.store(true, std::memory_order_release);
  });
  absl::Status status = standing.get();
  if (!status.ok()) thread_.join();
  return status;
}

void Worker::Post(Message message) { inbox_->Push(std::move(message)); }

void Worker::Join() {
  if (thread_.joinable()) thread_.join();
}

absl::Status Worker::SetUp() {
  absl::StatusOr<std::unique_ptr<io::Ring>> ring =
      options_.make_ring != nullptr ? options_.make_ring(options_.make_ring_argument)
                                    : io::UringRing::Create(io::RingOptions{});
  if (!ring.ok()) return ring.status();
  ring_ = *std::move(ring);
  auto client = io::BufferRing::Create(*ring_, kClientGroup, kClientBuffers, kClientBufferBytes,
                                       kClientWindow);
  if (!client.ok()) return client.status();
  client_buffers_ = *std::move(client);
  auto backend = io::BufferRing::Create(*ring_, kBackendGroup, kBackendBuffers, kBackendBufferBytes,
                                        kBackendWindow);
  if (!backend.ok()) return backend.status();
  backend_buffers_ = *std::move(backend);

  blocks_.emplace(kBlocksKept);
  client_env_.emplace(
      io::StreamEnv{*ring_, *client_buffers_, *blocks_, client_rearm_, client_counters_});
  backend_env_.emplace(
      io::StreamEnv{*ring_, *backend_buffers_, *blocks_, backend_rearm_, backend_counters_});
  wheel_.emplace(static_cast<io::Millis>(connection::NowNs() / 1'000'000));
  // Every client may hold one backend connection, besides those idle and closing.
  pool_.emplace(*backend_env_, *wheel_, options_.max_connections * 2);
  downstreams_.emplace(options_.max_connections);
  verdicts_.emplace(options_.verdict_cache);
  statuses_.emplace(kStatusesKept);
  seen_.emplace(kSeenClients, kSeenBytes);
  // An aggregate: make_unique cannot name its members.
  // NOLINTNEXTLINE(modernize-make-unique)
  context_.reset(new connection::Context{.client_env = *client_env_,
                                         .pool = *pool_,
                                         .wheel = *wheel_,
                                         .shard = *options_.shard,
                                         .log = *options_.log,
                                         .worker_index = options_.index,
                                         .statuses = *statuses_,
                                         .seen = *seen_,
                                         .fetcher = options_.fetcher,
                                         .status_sink = this,
                                         .signers = options_.signers,
                                         .signature_sink = this,
                                         .moves = options_.moves});
  context_->plain.resize(kPlainBytes);
  turn_ended_ns_ = connection::NowNs();
  SetClock(turn_ended_ns_);
  inbox_->Arm(*ring_, io::Token{.owner = io::Owner::kWorker});
  return absl::OkStatus();
}

void Worker::SetClock(int64_t now_ns) {
  const auto now_ms = static_cast<io::Millis>(now_ns / 1'000'000);
  if (now_ms == context_->now_ms) return;  // and the wall clock is no finer
  context_->now_ms = now_ms;
  const int64_t before_s = context_->unix_ms / 1000;
  context_->unix_ms = UnixMs();
  if (context_->unix_ms / 1000 == before_s) return;
  context_->date.Update(context_->unix_ms / 1000);
  SetTablesClock();
}

void Worker::SetTablesClock() {
  const auto set_now = [this](connection::Runtime& runtime) {
    for (auto& listener : runtime.listeners) listener->hosts->SetNow(context_->unix_ms / 1000);
  };
  if (runtime_ != nullptr) set_now(*runtime_);
  for (auto& retired : retired_) set_now(*retired);
}

std::chrono::nanoseconds Worker::WaitTime() {
  if (!context_->waiting.empty() || next_to_check_ != UINT32_MAX || context_->uncounted_due != 0)
    return std::chrono::nanoseconds(0);
  const auto now = static_cast<io::Millis>(turn_ended_ns_ / 1'000'000);
  io::Millis wait = wheel_->NextDelay(now, kLongestWaitMs);
  wait = connection::PostponedWait(*context_, now, wait);
  for (const auto& slot : listeners_) {
    if (slot->rearm_at_ms != 0)
      wait = std::min(wait, slot->rearm_at_ms > now ? slot->rearm_at_ms - now : 0);
  }
  if (mirror_due_) wait = std::min(wait, next_mirror_ms_ > now ? next_mirror_ms_ - now : 0);
  if (drain_deadline_ms_ != 0) wait = std::min<io::Millis>(wait, 50);
  return std::chrono::milliseconds(wait);
}

void Worker::Run() {
  while (!Finished()) Turn();
  MirrorCounters();
}

void Worker::Turn() {
  const int reaped = ring_->SubmitAndReap(WaitTime(), cqes_);
  CHECK(reaped >= 0, "the ring is broken");
  turn_started_ns_ = connection::NowNs();
  SetClock(turn_started_ns_);
  DispatchBatch(std::span(cqes_).first(static_cast<size_t>(reaped)));
  wheel_->Advance(context_->now_ms, [this](io::TimerNode& node) { OnTimer(node); });
  if (drain_deadline_ms_ != 0 && context_->now_ms >= drain_deadline_ms_) CutAll();
  CheckStandings();
  connection::SayPostponed(*context_);
  io::RearmStarved(*client_env_);
  io::RearmStarved(*backend_env_);
  SweepAll();
  GovernAccept();
  connection::CountTraffic(*context_);
  EndTurn();
}

bool Worker::Finished() const {
  if (!stopping_ || downstreams_->live() != 0 || pool_->live() != 0) return false;
  for (const auto& slot : listeners_) {
    if (slot->acceptor.open()) return false;
  }
  return inbox_->inflight() == 0;
}

void Worker::EndTurn() {
  // What this turn moved and does not mirror is mirrored by the next, which WaitTime sees to.
  mirror_due_ = context_->now_ms < next_mirror_ms_;
  if (!mirror_due_) MirrorCounters();
  turn_ended_ns_ = connection::NowNs();
  const int64_t took_ns = turn_ended_ns_ - turn_started_ns_;
  options_.shard->busy_ns.Add(static_cast<uint64_t>(std::max<int64_t>(took_ns, 0)));
  options_.shard->turn_duration.Record(took_ns);
}

void Worker::MirrorCounters() {
  next_mirror_ms_ = context_->now_ms + kMirrorEveryMs;
  metrics::WorkerShard& shard = *options_.shard;
  const io::RingCounters& ring = ring_->counters();
  shard.ring_enters.MirrorTotal(ring.enters);
  shard.ring_submitted.MirrorTotal(ring.submitted);
  shard.ring_completed.MirrorTotal(ring.completed);
  shard.ring_sq_full.MirrorTotal(ring.sq_full);
  shard.ring_cq_overflow.MirrorTotal(ring.cq_overflow);
  shard.ring_recv_enobufs.MirrorTotal(client_counters_.recv_enobufs +
                                      backend_counters_.recv_enobufs);
  shard.ring_recv_pauses.MirrorTotal(client_counters_.recv_pauses + backend_counters_.recv_pauses);
  shard.ring_cancel_misses.MirrorTotal(client_counters_.cancel_misses +
                                       backend_counters_.cancel_misses);
  shard.ring_stale_cqes.MirrorTotal(stale_cqes_);
  shard.blocks_in_use.Set(static_cast<int64_t>(blocks_->blocks_in_use()));
  shard.connection_slots.Set(downstreams_->live());
  const tls::VerdictCacheStats& verdicts = verdicts_->stats();
  shard.verdict_cache_hits.MirrorTotal(verdicts.hits);
  shard.verdict_cache_misses.MirrorTotal(verdicts.misses);
  shard.verdict_cache_evictions.MirrorTotal(verdicts.evictions);
  shard.verdict_cache_entries.Set(static_cast<int64_t>(verdicts_->size()));
  if (runtime_ == nullptr) return;
  for (const auto& backend : runtime_->backends) {
    metrics::BackendShard& counts = shard.backend(backend->metrics_id);
    counts.active_connections.Set(backend->num_upstreams - backend->num_idle);
    counts.idle_connections.Set(backend->num_idle);
  }
}

void Worker::TearDown() {
  context_.reset();
  downstreams_.reset();
  pool_.reset();
  listeners_.clear();
  retired_.clear();
  runtime_.reset();
  verdicts_.reset();
  statuses_.reset();
  seen_.reset();
  wheel_.reset();
  client_env_.reset();
  backend_env_.reset();
  blocks_.reset();
  backend_buffers_.reset();
  client_buffers_.reset();
  ring_.reset();
}

}  // namespace portcullis::worker
