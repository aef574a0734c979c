#include "core/ocsp/fetcher.h"

#include <pthread.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <utility>

#include "core/ocsp/http_answer.h"

namespace portcullis::ocsp {
namespace {

// How long a name stands for the addresses found; a name that is not known, less.
constexpr int64_t kNameMs = 60'000;
constexpr int64_t kUnknownNameMs = 5'000;
constexpr size_t kMaxNames = 1024;

int64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

int64_t NowMs() { return NowNs() / 1'000'000; }

}  // namespace

struct NameResolved {
  std::string host;
  std::vector<io::SocketAddress> addresses;
};

// What reaches the fetcher's thread, from workers and from the resolver, which may outlive it.
class Fetcher::Post final : public ResolvedSink {
 public:
  explicit Post(std::unique_ptr<io::Inbox<Mail>> inbox) : inbox_(std::move(inbox)) {}

  void Resolved(const std::string& host, std::vector<io::SocketAddress> addresses) override {
    inbox_->Push(NameResolved{.host = host, .addresses = std::move(addresses)});
  }
  [[nodiscard]] io::Inbox<Mail>& inbox() { return *inbox_; }

 private:
  std::unique_ptr<io::Inbox<Mail>> inbox_;
};

struct Fetcher::Task {
  enum class Stage : uint8_t { kWaiting, kResolving, kRunning, kFinished };

  FetchJob job;
  HttpUrl url;
  int64_t began_ns = 0;
  int64_t deadline_ms = 0;
  Stage stage = Stage::kWaiting;
  std::optional<Exchange> exchange;
};

absl::StatusOr<std::unique_ptr<Fetcher>> Fetcher::Start(const FetcherOptions& options) {
  absl::StatusOr<std::unique_ptr<io::Inbox<Mail>>> inbox = io::Inbox<Mail>::Create();
  if (!inbox.ok()) return inbox.status();
  std::unique_ptr<Fetcher> fetcher(new Fetcher(options, std::make_shared<Post>(*std::move(inbox))));
  fetcher->thread_ = std::thread([raw = fetcher.get()] { raw->Run(); });
  return fetcher;
}

Fetcher::Fetcher(const FetcherOptions& options, std::shared_ptr<Post> post)
    : options_(options), post_(std::move(post)) {}

Fetcher::~Fetcher() {
  stopping_.store(true, std::memory_order_release);
  post_->inbox().wake().Signal();
  thread_.join();
}

void Fetcher::Subscribe(ResultSink* sink) { post_->inbox().Push(sink); }

bool Fetcher::Fetch(FetchJob job) {
  if (num_jobs_.fetch_add(1, std::memory_order_relaxed) >= options_.max_jobs) {
    num_jobs_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  post_->inbox().Push(std::move(job));
  return true;
}

void Fetcher::Run() {
  pthread_setname_np(pthread_self(), "ocsp");
  while (!stopping_.load(std::memory_order_acquire)) Turn();
  tasks_.clear();
  resolver_.reset();
}

void Fetcher::Turn() {
  poll_.Clear();
  poll_.Add(post_->inbox().wake());
  std::vector<Task*> running;
  for (const auto& task : tasks_) {
    if (task->stage != Task::Stage::kRunning) continue;
    poll_.Add(task->exchange->socket(), task->exchange->wants());
    running.push_back(task.get());
  }
  poll_.Wait(WaitMs(NowMs()));
  if (poll_.ready(0)) post_->inbox().wake().Consume();
  for (size_t i = 0; i < running.size(); ++i) {
    if (poll_.ready(i + 1)) Exchanged(*running[i], running[i]->exchange->Step());
  }
  post_->inbox().Drain([this](Mail&& mail) {
    if (auto* job = std::get_if<FetchJob>(&mail)) {
      Accept(std::move(*job));
    } else if (auto* const* sink = std::get_if<ResultSink*>(&mail)) {
      subscribers_.push_back(*sink);
    } else if (const auto* name = std::get_if<NameResolved>(&mail)) {
      Name(name->host, name->addresses);
    }
  });
  Expire(NowMs());
  Admit();
  std::erase_if(tasks_, [](const auto& task) { return task->stage == Task::Stage::kFinished; });
}

void Fetcher::Accept(FetchJob job) {
  auto task = std::make_unique<Task>();
  task->job = std::move(job);
  task->began_ns = NowNs();
  task->deadline_ms = task->began_ns / 1'000'000 + task->job.timeout_ms;
  std::optional<HttpUrl> url = ParseHttpUrl(task->job.query.url);
  if (!url.has_value()) {
    Finish(*task, task->job.query.url.empty() ? "no responder is named"
                                              : "the responder's URL is of no use");
    return;
  }
  task->url = *std::move(url);
  const auto same = std::ranges::count_if(tasks_, [&task](const auto& other) {
    return other->stage != Task::Stage::kFinished && other->url.authority == task->url.authority;
  });
  if (static_cast<size_t>(same) >= options_.max_jobs_each) {
    Finish(*task, "too many questions to the responder at a time");
    return;
  }
  tasks_.push_back(std::move(task));
}

// Starts what there is room for, oldest first.
void Fetcher::Admit() {
  size_t running = 0;
  absl::flat_hash_map<std::string_view, size_t> running_each;
  for (const auto& task : tasks_) {
    if (task->stage != Task::Stage::kRunning) continue;
    ++running;
    ++running_each[task->url.authority];
  }
  for (const auto& task : tasks_) {
    if (running >= options_.max_running) return;
    if (task->stage != Task::Stage::kWaiting) continue;
    size_t& of_responder = running_each[task->url.authority];
    if (of_responder >= options_.max_running_each) continue;
    Begin(*task);
    if (task->stage != Task::Stage::kRunning) continue;
    ++running;
    ++of_responder;
  }
}

// The responder's addresses; none, and the task's stage changed, when they are not known (yet). Old
// ones do while they are looked up anew, and beyond when that fails: answers are signed.
std::vector<io::SocketAddress> Fetcher::AddressesOf(Task& task) {
  const std::string& host = task.url.host;
  if (const auto literal = io::SocketAddress::FromIp(host, task.url.port); literal.ok()) {
    return {*literal};
  }
  if (names_.size() >= kMaxNames && !names_.contains(host)) {
    absl::erase_if(names_, [](const auto& name) { return !name.second.asked; });
    if (names_.size() >= kMaxNames) {
      Finish(task, "too many names of responders at a time");
      return {};
    }
  }
  KnownName& known = names_[host];
  const bool is_due = known.until_ms <= NowMs();
  if (is_due && !std::exchange(known.asked, true)) {
    if (resolver_ == nullptr) resolver_ = std::make_unique<Resolver>(post_);
    resolver_->Resolve(host);
  }
  std::vector<io::SocketAddress> addresses = known.addresses;
  if (addresses.empty()) {
    if (is_due) {
      task.stage = Task::Stage::kResolving;
    } else {
      Finish(task, "the responder's name is not known");
    }
  }
  for (io::SocketAddress& address : addresses) address.set_port(task.url.port);
  return addresses;
}

void Fetcher::Begin(Task& task) {
  std::vector<io::SocketAddress> addresses = AddressesOf(task);
  if (addresses.empty()) return;
  const std::vector<uint8_t> request = tls::StatusRequest(task.job.query);
  if (request.empty()) {
    Finish(task, "the issuer's certificate is not known");
    return;
  }
  task.stage = Task::Stage::kRunning;
  task.exchange.emplace(
      std::move(addresses),
      MakeHttpRequest(task.url, {reinterpret_cast<const char*>(request.data()), request.size()}));
  Exchanged(task, task.exchange->Start());
}

void Fetcher::Name(const std::string& host, const std::vector<io::SocketAddress>& addresses) {
  KnownName& known = names_[host];
  known.asked = false;
  known.until_ms = NowMs() + (addresses.empty() ? kUnknownNameMs : kNameMs);
  if (!addresses.empty()) known.addresses = addresses;
  for (const auto& task : tasks_) {
    if (task->stage == Task::Stage::kResolving && task->url.host == host) {
      task->stage = Task::Stage::kWaiting;
    }
  }
}

void Fetcher::Exchanged(Task& task, Exchange::Progress progress) {
  switch (progress) {
    case Exchange::Progress::kRunning:
      return;
    case Exchange::Progress::kDone:
      Finish(task, "");
      return;
    case Exchange::Progress::kFailed:
      Finish(task, task.exchange->fault());
      return;
  }
}

void Fetcher::Expire(int64_t now_ms) {
  for (const auto& task : tasks_) {
    if (task->stage != Task::Stage::kFinished && task->deadline_ms <= now_ms) {
      Finish(*task, "the responder does not answer in time");
    }
  }
}

// Tells who asked. Without a fault, what the exchange brought.
void Fetcher::Finish(Task& task, std::string_view fault) {
  StatusResult result{.key = task.job.query.key, .answer = {}, .took_ns = NowNs() - task.began_ns};
  if (fault.empty()) {
    const std::string_view body = task.exchange->body();
    result.answer = tls::JudgeStatus({reinterpret_cast<const uint8_t*>(body.data()), body.size()},
                                     task.job.query, static_cast<int64_t>(std::time(nullptr)));
  } else {
    result.answer.detail = fault;
  }
  task.stage = Task::Stage::kFinished;
  task.exchange.reset();
  num_jobs_.fetch_sub(1, std::memory_order_relaxed);
  Tell(task.job, std::move(result));
}

// A revocation is told to all, so that nobody goes on serving a client of whom one worker knows. It
// is the fetcher that tells them: workers do not talk to one another.
void Fetcher::Tell(const FetchJob& job, StatusResult result) {
  if (result.answer.status == tls::ClientStatus::kRevoked) {
    for (ResultSink* const sink : subscribers_) {
      if (sink == job.sink) continue;
      StatusResult heard = result;
      heard.asked = false;
      sink->Take(std::move(heard));
    }
  }
  job.sink->Take(std::move(result));
}

int Fetcher::WaitMs(int64_t now_ms) const {
  int64_t wait = -1;
  for (const auto& task : tasks_) {
    const int64_t left = std::max<int64_t>(task->deadline_ms - now_ms, 0);
    wait = wait < 0 ? left : std::min(wait, left);
  }
  return static_cast<int>(std::min<int64_t>(wait, 60'000));
}

}  // namespace portcullis::ocsp
