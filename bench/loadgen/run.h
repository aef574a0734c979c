// Run: what the threads of one run share with the one that watches them: the window of time that
// counts, the budget, the phases of idle mode, and the time series so far.
//
// The watcher sets the window before it lets the threads go, and may only bring its end forward
// afterwards; so may a thread that finds the budget spent.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include "bench/loadgen/options.h"
#include "bench/loadgen/tally.h"

namespace portcullis::bench {

// NowNs is the clock of all that is measured here: monotonic, in nanoseconds.
[[nodiscard]] int64_t NowNs();

class Run {
 public:
  explicit Run(const Options& options) : options_(options) {}

  // By threads: each says when it is set up, and then waits. False: the run is off.
  [[nodiscard]] bool ReadyAndWait();
  // By the watcher: Ready and Finished wait up to `seconds` for `threads` to be set up (true too
  // when the run is off) and to be done; Go starts the clock in between.
  [[nodiscard]] bool Ready(uint32_t threads, double seconds);
  void Go();
  [[nodiscard]] bool Finished(uint32_t threads, double seconds);
  // By any: a thread is done; the run cannot go on.
  void Done();
  void Abort();
  // off: it cannot go on; who is still being set up need not be.
  [[nodiscard]] const std::atomic<bool>& off() const { return aborted_; }
  // By the watcher: Interrupt ends the window now, and what is open then is given up at
  // `give_up_ns`, which a later call may bring forward.
  void Interrupt(int64_t now_ns, int64_t give_up_ns);

  // The clock: the first moment of the warm-up, and the window [begin, end). Idle mode's window is
  // over for what would start when all are under way, but what comes of them lies in it.
  [[nodiscard]] int64_t origin_ns() const { return origin_ns_; }
  [[nodiscard]] int64_t begin_ns() const { return begin_ns_; }
  [[nodiscard]] int64_t end_ns() const { return end_ns_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool InWindow(int64_t time_ns) const {
    return time_ns >= begin_ns_ && (options_.idle != 0 || time_ns < end_ns());
  }
  [[nodiscard]] int64_t give_up_ns() const { return give_up_ns_.load(std::memory_order_relaxed); }
  // EndAt brings the window's end forward.
  void EndAt(int64_t time_ns);

  // Take takes one of --total; false when they are spent, which ends the window.
  [[nodiscard]] bool Take(int64_t now_ns);
  [[nodiscard]] bool spent() const { return options_.total != 0 && taken_ >= options_.total; }

  // Idle mode: threads say when all their connections are open; then the watcher lets time pass and
  // asks for the check that ends the run. `opened_ns` is when the last of them said so.
  void Opened(int64_t now_ns);
  [[nodiscard]] uint32_t opened() const { return opened_.load(); }
  [[nodiscard]] int64_t opened_ns() const { return opened_ns_.load(); }
  void Check() { check_.store(true); }
  [[nodiscard]] bool checking() const { return check_.load(std::memory_order_relaxed); }

  // Publish adds a thread's `index`-th second, counted from the origin.
  void Publish(size_t index, const Second& second);
  [[nodiscard]] std::vector<Second> Timeline();

  std::atomic<int64_t> open{0};  // connections, for the progress line

 private:
  const Options& options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint32_t ready_ = 0;
  uint32_t done_ = 0;
  bool go_ = false;
  std::atomic<bool> aborted_{false};
  std::vector<Second> timeline_;
  int64_t origin_ns_ = 0;
  int64_t begin_ns_ = 0;
  std::atomic<int64_t> end_ns_{0};
  std::atomic<int64_t> give_up_ns_{INT64_MAX};
  std::atomic<uint64_t> taken_{0};
  std::atomic<uint32_t> opened_{0};
  std::atomic<int64_t> opened_ns_{0};
  std::atomic<bool> check_{false};
};

}  // namespace portcullis::bench
