// Fetcher: asks OCSP responders about clients, many at a time, on a helper thread, so that no
// worker ever waits. Answers are read and verified there, too. Owned by the supervisor; must end
// before the workers that it tells of its results.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

#include "core/ocsp/exchange.h"
#include "core/ocsp/http_url.h"
#include "core/ocsp/resolver.h"
#include "io/inbox.h"
#include "io/polled_socket.h"
#include "io/socket_address.h"
#include "tls/client_status.h"

namespace portcullis::ocsp {

struct StatusResult {
  tls::StatusKey key;
  tls::StatusAnswer answer;
  int64_t took_ns = 0;  // from the fetcher's taking the job to this
  bool asked = true;    // the sink's own question; false: one is told what another has heard
};

// Who wants a result. Called on the fetcher's thread; must not block.
class ResultSink {
 public:
  virtual void Take(StatusResult result) = 0;

 protected:
  ~ResultSink() = default;
};

struct FetchJob {
  tls::StatusQuery query;
  uint32_t timeout_ms = 2000;  // from Fetch to the result
  ResultSink* sink = nullptr;  // not null
};

// Bounds; a responder that hangs must leave room for the others.
struct FetcherOptions {
  size_t max_jobs = 1024;        // beyond it Fetch refuses
  size_t max_jobs_each = 256;    // ... for one responder: a job beyond it fails at once
  size_t max_running = 64;       // connections to responders at a time
  size_t max_running_each = 16;  // ... to one responder
};

class Fetcher {
 public:
  static absl::StatusOr<std::unique_ptr<Fetcher>> Start(const FetcherOptions& options = {});
  ~Fetcher();  // jobs that have no result yet get none
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  // Subscribe has `sink` told of every revocation that others hear of, too. From any thread, before
  // the jobs that it is to know of.
  void Subscribe(ResultSink* sink);
  // Fetch takes a job, whose sink gets exactly one result; false when there are too many. Never
  // blocks. Any thread.
  [[nodiscard]] bool Fetch(FetchJob job);

 private:
  using Mail = std::variant<FetchJob, ResultSink*, struct NameResolved>;
  class Post;
  struct Task;

  Fetcher(const FetcherOptions& options, std::shared_ptr<Post> post);

  void Run();
  void Turn();
  void Accept(FetchJob job);
  void Name(const std::string& host, const std::vector<io::SocketAddress>& addresses);
  void Admit();
  void Begin(Task& task);
  std::vector<io::SocketAddress> AddressesOf(Task& task);
  void Exchanged(Task& task, Exchange::Progress progress);
  void Expire(int64_t now_ms);
  void Finish(Task& task, std::string_view fault);
  void Tell(const FetchJob& job, StatusResult result);
  [[nodiscard]] int WaitMs(int64_t now_ms) const;

  const FetcherOptions options_;
  std::shared_ptr<Post> post_;
  std::atomic<size_t> num_jobs_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;

  // The thread's own.
  struct KnownName {
    std::vector<io::SocketAddress> addresses;
    int64_t until_ms = 0;  // looked up again after it
    bool asked = false;    // being looked up
  };
  std::unique_ptr<Resolver> resolver_;
  absl::flat_hash_map<std::string, KnownName> names_;
  std::vector<std::unique_ptr<Task>> tasks_;  // oldest first
  std::vector<ResultSink*> subscribers_;
  io::PollSet poll_;
};

}  // namespace portcullis::ocsp
