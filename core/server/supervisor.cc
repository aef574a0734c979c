#include "core/server/supervisor.h"

#include <openssl/base.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "core/log/operator_log.h"
#include "core/server/dry_run.h"
#include "core/server/lost_crls.h"
#include "core/server/machine.h"
#include "io/listener.h"
#include "portcullis_version.h"
#include "tls/rejection.h"

namespace portcullis::server {
namespace {

// How long all workers have to say whom they have seen.
constexpr std::chrono::seconds kAnswerTime{1};

int64_t UnixNow() { return static_cast<int64_t>(time(nullptr)); }

std::vector<int> UsableCpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return {0};
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<size_t>(cpu), &set)) cpus.push_back(cpu);
  }
  return cpus;
}

uint32_t WorkersFor(const config::Config& config) {
  return config.workers != 0 ? config.workers : static_cast<uint32_t>(UsableCpus().size());
}

metrics::Reasons RejectionReasons() {
  metrics::Reasons reasons;
  for (int i = 0; i < tls::kNumRejections; ++i) {
    const auto rejection = static_cast<tls::Rejection>(i);
    reasons.push_back({.name = std::string(tls::Name(rejection)),
                       .judges_certificate = tls::IsCertificateVerdict(rejection)});
  }
  return reasons;
}

log::Level LevelOf(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::kDebug:
      return log::Level::kDebug;
    case config::LogLevel::kInfo:
      return log::Level::kInfo;
    case config::LogLevel::kWarn:
      return log::Level::kWarn;
    case config::LogLevel::kError:
      return log::Level::kError;
  }
  return log::Level::kInfo;
}

void LogWarnings(const Snapshot& snapshot) {
  for (const std::string& note : snapshot.notes) log::Info(note);
  for (const std::string& warning : snapshot.warnings) log::Warn(warning);
}

void CloseAll(const std::vector<std::vector<int>>& sockets) {
  for (const auto& of_listener : sockets) {
    for (const int fd : of_listener) {
      if (fd >= 0) close(fd);
    }
  }
}

}  // namespace

Supervisor::Supervisor(std::string path, std::shared_ptr<const Snapshot> snapshot)
    : path_(std::move(path)),
      snapshot_(std::move(snapshot)),
      num_workers_(WorkersFor(snapshot_->config)),
      restart_only_(snapshot_->config, num_workers_) {
  const config::Config& config = snapshot_->config;
  worker_capacity_ = (config.limits.max_connections + num_workers_ - 1) / num_workers_;
  own_secret_ = tls::TicketSecret::Random(static_cast<uint32_t>(config.tickets.slot.count()));
}

absl::StatusOr<std::unique_ptr<Supervisor>> Supervisor::Start(const std::string& path) {
  absl::StatusOr<std::shared_ptr<const Snapshot>> snapshot = LoadSnapshot(path, UnixNow());
  if (!snapshot.ok()) return snapshot.status();
  log::SetUp(LevelOf((*snapshot)->config.log.level));
  LogWarnings(**snapshot);
  std::unique_ptr<Supervisor> supervisor(new Supervisor(path, *snapshot));
  RaiseOpenFiles((*snapshot)->config, supervisor->num_workers_);
  if (absl::Status status = CheckMachine(); !status.ok()) return status;
  if (absl::Status status = supervisor->StartWorkers(); !status.ok()) return status;
  if (absl::Status status = supervisor->Publish(*snapshot); !status.ok()) return status;
  supervisor->facts_->RecordLoad(UnixNow());
  if (absl::Status status = supervisor->StartAdmin(); !status.ok()) return status;
  supervisor->readiness_ = Readiness::kServing;
  log::Info(absl::StrCat("serving with ", supervisor->num_workers_, " workers on ",
                         (*snapshot)->listeners.size(), " listeners"));
  return supervisor;
}

absl::Status Supervisor::StartWorkers() {
  shards_ = std::make_unique<metrics::ShardSet>(num_workers_, RejectionReasons());
  facts_ = std::make_unique<metrics::Facts>(
      metrics::Build{.version = kVersion,
                     .commit = kCommit,
                     .boringssl = absl::StrCat("API ", BORINGSSL_API_VERSION)},
      num_workers_, UnixNow());
  absl::StatusOr<std::unique_ptr<log::ConnectionLog>> log =
      log::ConnectionLog::Start(snapshot_->config.log.connections, num_workers_,
                                {.rejections_kept = snapshot_->config.log.rejections_kept});
  if (!log.ok()) return log.status();
  log_ = *std::move(log);
  absl::StatusOr<std::unique_ptr<worker::Returns>> returns = worker::Returns::Create();
  if (!returns.ok()) return returns.status();
  returns_ = *std::move(returns);
  absl::StatusOr<std::unique_ptr<ocsp::Fetcher>> fetcher = ocsp::Fetcher::Start();
  if (!fetcher.ok()) return fetcher.status();
  fetcher_ = *std::move(fetcher);
  absl::StatusOr<std::unique_ptr<signing::Pool>> signers = signing::Pool::Start(num_workers_);
  if (!signers.ok()) return signers.status();
  signers_ = *std::move(signers);
  const std::vector<int> cpus = UsableCpus();
  const bool pin = snapshot_->config.pin_workers && num_workers_ <= cpus.size() && num_workers_ > 1;
  for (uint32_t i = 0; i < num_workers_; ++i) {
    auto worker = std::make_unique<worker::Worker>(
        worker::WorkerOptions{.index = i,
                              .cpu = pin ? cpus[i] : -1,
                              .max_connections = worker_capacity_,
                              .verdict_cache = snapshot_->config.limits.verdict_cache,
                              .fetcher = fetcher_.get(),
                              .signers = signers_.get(),
                              .shard = &shards_->shard(i),
                              .log = &log_->ring(i),
                              .returns = returns_.get()});
    if (absl::Status status = worker->Start(); !status.ok()) return status;
    fetcher_->Subscribe(worker.get());
    workers_.push_back(std::move(worker));
  }
  return absl::OkStatus();
}

// Opens what the snapshot needs and the workers do not hold yet: one socket a worker and listener.
absl::Status Supervisor::OpenSockets(const Snapshot& snapshot,
                                     std::vector<std::vector<int>>& sockets,
                                     std::vector<uint16_t>& ports,
                                     std::map<std::string, uint16_t>& open) {
  for (const ListenerSnapshot& listener : snapshot.listeners) {
    const std::string key = SocketKey(*listener.listener);
    if (const auto held = open_.find(key); held != open_.end()) {
      sockets.emplace_back(num_workers_, -1);
      ports.push_back(held->second);
      open[key] = held->second;
      continue;
    }
    absl::StatusOr<io::SocketAddress> address =
        io::SocketAddress::Parse(listener.listener->address);
    if (!address.ok()) return address.status();
    absl::StatusOr<std::vector<int>> opened = io::OpenListeners(
        *address, static_cast<int>(num_workers_),
        io::ListenOptions{.backlog = static_cast<int>(listener.listener->backlog)});
    if (!opened.ok()) return opened.status();
    ports.push_back(io::BoundPort(opened->front()));
    open[key] = ports.back();
    sockets.push_back(*std::move(opened));
  }
  return absl::OkStatus();
}

std::shared_ptr<const tls::TicketSecret> Supervisor::TicketSecretOf(const Snapshot& snapshot) {
  if (snapshot.ticket_secret != nullptr) return snapshot.ticket_secret;
  const auto slot = static_cast<uint32_t>(snapshot.config.tickets.slot.count());
  if (own_secret_->slot_seconds != slot) {
    auto changed = std::make_shared<tls::TicketSecret>(*own_secret_);
    changed->slot_seconds = slot;
    own_secret_ = std::move(changed);
  }
  return own_secret_;
}

absl::Status Supervisor::Publish(std::shared_ptr<const Snapshot> snapshot) {
  std::vector<std::vector<int>> sockets;
  RuntimeParameters parameters{.version = ++version_,
                               .num_workers = num_workers_,
                               .worker_capacity = worker_capacity_,
                               .listener_ports = {},
                               .ticket_secret = TicketSecretOf(*snapshot)};
  std::map<std::string, uint16_t> open;
  absl::Status status = OpenSockets(*snapshot, sockets, parameters.listener_ports, open);
  std::vector<std::unique_ptr<connection::Runtime>> runtimes;
  for (uint32_t i = 0; i < num_workers_ && status.ok(); ++i) {
    absl::StatusOr<std::unique_ptr<connection::Runtime>> runtime =
        BuildRuntime(snapshot, parameters, *shards_);
    status = runtime.status();
    if (runtime.ok()) runtimes.push_back(*std::move(runtime));
  }
  if (!status.ok()) {
    CloseAll(sockets);
    return status;
  }
  // From here on nothing can fail.
  for (uint32_t i = 0; i < num_workers_; ++i) {
    worker::Update update{.runtime = std::move(runtimes[i]), .sockets = {}};
    for (const auto& of_listener : sockets) update.sockets.push_back(of_listener[i]);
    workers_[i]->Post(std::move(update));
  }
  snapshot_ = std::move(snapshot);
  open_ = std::move(open);
  listener_ports_.clear();
  std::vector<ListenerAddress> addresses;
  for (size_t i = 0; i < snapshot_->listeners.size(); ++i) {
    const config::Listener& listener = *snapshot_->listeners[i].listener;
    const std::string host = listener.address.substr(0, listener.address.rfind(':'));
    addresses.push_back({listener.name, absl::StrCat(host, ":", parameters.listener_ports[i])});
    listener_ports_[listener.name] = parameters.listener_ports[i];
  }
  {
    const std::lock_guard lock(addresses_mutex_);
    addresses_ = std::move(addresses);
  }
  facts_->SetCertificates(snapshot_->certificates);
  facts_->SetCrls(snapshot_->crls);
  return absl::OkStatus();
}

// The clients that the workers remember, each worker's last ones first. One that does not answer in
// time is left out: a reload must not hang on it.
std::vector<connection::SeenClient> Supervisor::ClientsSeen() const {
  const uint32_t most =
      std::clamp<uint32_t>(kDryRunClients / num_workers_, 1, worker::kSeenClients);
  const auto until = std::chrono::steady_clock::now() + kAnswerTime;
  std::vector<std::shared_ptr<worker::ClientList>> lists;
  for (const auto& worker : workers_) {
    if (worker->ended()) continue;
    lists.push_back(std::make_shared<worker::ClientList>());
    worker->Post(worker::ListClients{.most = most, .answer = lists.back()});
  }
  std::vector<connection::SeenClient> clients;
  size_t silent = 0;
  for (const auto& list : lists) {
    if (list->ready.try_acquire_until(until)) {
      clients.insert(clients.end(), list->clients.begin(), list->clients.end());
    } else {
      ++silent;
    }
  }
  if (silent != 0) {
    log::Warn(absl::StrCat("reload: ", silent, " workers did not say in time whom they have seen"));
  }
  return clients;
}

absl::Status Supervisor::Rehearse(const Snapshot& snapshot) {
  if (draining_) return absl::OkStatus();
  const DryRun dry_run = TryOut(*snapshot_, snapshot, ClientsSeen(), UnixNow());
  facts_->RecordDryRun({.accepted = dry_run.seen - dry_run.refused, .refused = dry_run.refused});
  if (dry_run.seen != 0) log::Info(absl::StrCat("reload: ", Describe(dry_run)));
  return CheckBound(dry_run, snapshot.config.reload);
}

absl::Status Supervisor::Reload() {
  absl::StatusOr<std::shared_ptr<const Snapshot>> snapshot =
      LoadSnapshot(path_, UnixNow(), snapshot_.get());
  absl::Status status = snapshot.status();
  const std::shared_ptr<const Snapshot> before = snapshot_;
  if (status.ok()) status = Rehearse(**snapshot);
  if (status.ok()) status = Publish(*snapshot);
  facts_->RecordReload(UnixNow(), std::string(status.message()));
  if (!status.ok()) {
    log::Error(
        absl::StrCat("reload refused, the old configuration stays in force:\n", status.message()));
    return status;
  }
  LogWarnings(*snapshot_);
  for (const std::string& line : LostCrls(*before, *snapshot_)) log::Warn(line);
  log::SetUp(LevelOf(snapshot_->config.log.level));
  RaiseOpenFiles(snapshot_->config, num_workers_);
  const config::Config& config = snapshot_->config;
  if (absl::Status reopened = log_->Reopen(config.log.connections); !reopened.ok())
    log::Error(std::string(reopened.message()));
  for (const std::string& line : restart_only_.Take(config, WorkersFor(config))) log::Warn(line);
  log::Info("reloaded");
  return absl::OkStatus();
}

absl::Status Supervisor::StartAdmin() {
  if (snapshot_->config.admin.address.empty()) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<AdminServer>> admin = AdminServer::Start(
      snapshot_->config.admin.address,
      std::make_shared<metrics::Collector>(*shards_, *facts_, &log_->lines_lost()),
      [this] { return readiness_.load(); }, [this] { return StatusText(); },
      [this] { return log_->rejections().Json(); });
  if (!admin.ok()) return admin.status();
  admin_ = *std::move(admin);
  return absl::OkStatus();
}

std::string Supervisor::StatusText() const {
  std::vector<ListenerAddress> addresses;
  {
    const std::lock_guard lock(addresses_mutex_);
    addresses = addresses_;
  }
  return StatusJson(readiness_.load(), facts_->Take(), shards_->Take(), addresses, UnixNow());
}

ServerPorts Supervisor::ports() const {
  return ServerPorts{.admin = admin_ == nullptr ? uint16_t{0} : admin_->port(),
                     .listeners = listener_ports_};
}

void Supervisor::BeginDrain() {
  if (std::exchange(draining_, true)) return;
  readiness_ = Readiness::kDraining;
  log::Info(absl::StrCat("draining, at most ", snapshot_->config.timeouts.drain.count(), " ms"));
  for (auto& worker : workers_) worker->Post(worker::Drain{snapshot_->config.timeouts.drain});
}

void Supervisor::Cut() {
  for (auto& worker : workers_) worker->Post(worker::Cut{});
}

bool Supervisor::finished() const {
  return std::all_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return worker->ended(); });
}

void Supervisor::Wait() {
  for (auto& worker : workers_) worker->Join();
  Tidy();
}

void Supervisor::Tidy() {
  returns_->Drain([](std::unique_ptr<connection::Runtime>&&) {});
  const auto now = std::chrono::steady_clock::now();
  if (const auto text = accept_watch_.Look(*shards_, now); text.has_value()) log::Warn(*text);
}

void Supervisor::Stop() {
  if (workers_.empty()) return;
  BeginDrain();
  Wait();
  admin_.reset();
  fetcher_.reset();
  signers_.reset();
  workers_.clear();
  if (log_ != nullptr) log_->Stop();
}

Supervisor::~Supervisor() { Stop(); }

}  // namespace portcullis::server
