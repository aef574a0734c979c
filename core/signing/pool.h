// Pool: helper threads that make signatures, so that a worker's other connections do not wait for
// RSA-4096's four milliseconds. Each worker has its helper, a helper several workers; tasks go
// through the lock-free inbox that workers have too, and results through the worker's own.
//
// Owned by the supervisor; must end before the workers that it tells of its results. A task stands
// on nothing but itself: its connection and its configuration may be gone when it is done.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"

#include "io/inbox.h"
#include "tls/signing_key.h"

namespace portcullis::signing {

struct Result {
  uint32_t slot = 0;  // of the connection, as in the task
  uint32_t generation = 0;
  std::vector<uint8_t> signature;  // empty: it could not be made
  int64_t took_ns = 0;             // since Submit, waiting included
};

// Who wants a result. Called on a helper's thread; must not block.
class ResultSink {
 public:
  virtual void Take(Result result) = 0;

 protected:
  ~ResultSink() = default;
};

struct Task {
  tls::SigningJob job;
  uint32_t slot = 0;
  uint32_t generation = 0;
  ResultSink* sink = nullptr;  // not null
};

class Pool {
 public:
  // How many tasks may wait for a helper, and how long they may take it at its pace of late, the
  // one it is at included: 16 of RSA-4096 where it has a core to itself, one where its core is
  // busy. Beyond either a worker that signs itself is the faster.
  static constexpr uint32_t kMaxTasks = 16;
  static constexpr int64_t kMaxWaitNs = 80'000'000;

  using Clock = int64_t (*)();  // monotonic, in nanoseconds
  static int64_t NowNs();

  // Start starts a helper for every four workers. Errors name the cause.
  static absl::StatusOr<std::unique_ptr<Pool>> Start(uint32_t num_workers, Clock clock = NowNs);
  ~Pool();  // tasks not begun get no result
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Submit takes `task`, whose sink gets exactly one result; false, leaving it alone, when
  // `worker`'s helper has enough. One without any always takes it. Never blocks. Any thread.
  [[nodiscard]] bool Submit(uint32_t worker, Task& task);

  // num_tasks: of `worker`'s helper, begun or not. Any thread.
  [[nodiscard]] uint32_t num_tasks(uint32_t worker) const {
    return helpers_[worker % helpers_.size()]->num_tasks.load(std::memory_order_relaxed);
  }
  [[nodiscard]] size_t num_helpers() const { return helpers_.size(); }

 private:
  struct Timed {
    Task task;
    int64_t submitted_ns = 0;
  };
  struct Helper {
    explicit Helper(std::unique_ptr<io::Inbox<Timed>> from) : inbox(std::move(from)) {}
    std::unique_ptr<io::Inbox<Timed>> inbox;
    // PaceNs returns how long a task of late takes it: the mean of the last few, or what the one
    // that it is at has taken already. Any thread.
    [[nodiscard]] int64_t PaceNs(int64_t now_ns) const;

    std::atomic<uint32_t> num_tasks{0};
    std::atomic<int64_t> pace_ns{0};   // written by the helper; 0: it has done nothing yet
    std::atomic<int64_t> begun_ns{0};  // the task it is at; 0: at none
    std::thread thread;
  };

  explicit Pool(Clock clock) : clock_(clock) {}
  [[nodiscard]] bool HasRoom(const Helper& helper, uint32_t num_before, int64_t now_ns) const;
  void Run(Helper& helper);
  void Work(Helper& helper, const Timed& timed);

  const Clock clock_;
  std::vector<std::unique_ptr<Helper>> helpers_;  // not changed while threads run
  std::atomic<bool> stopping_{false};
};

}  // namespace portcullis::signing
