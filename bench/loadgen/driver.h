// Driver: one thread of the load: its own ring, sessions and tally. Closed loop: it keeps a number
// of sessions going, and starts the next when one has ended. Sessions that end while warming up are
// not counted.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "absl/status/status.h"

#include "bench/loadgen/session.h"
#include "bench/loadgen/tally.h"
#include "io/buffer_ring.h"
#include "io/ring.h"

namespace portcullis::bench {

// What the threads share with the one that waits for them. `counting` and `stop` are set by that
// one; `done` and `failed` are for its progress line.
struct Shared {
  // Stop ends the run and wakes whoever waits for that.
  void Stop() {
    const std::lock_guard lock(mutex);
    stop.store(true);
    stopped.notify_all();
  }

  std::mutex mutex;
  std::condition_variable stopped;
  std::atomic<bool> counting{false};
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> done{0};
  std::atomic<uint64_t> failed{0};
};

class Driver {
 public:
  Driver(const Options& options, uint32_t connections, Shared& shared);

  // Run makes the ring on the calling thread and drives until shared.stop, then ends what is under
  // way. The error is that of the ring or of the client's files.
  absl::Status Run();
  [[nodiscard]] Tally& tally() { return tally_; }

 private:
  absl::Status SetUp();
  void Fill();
  void Dispatch(const io::Cqe& cqe);
  void Settle(Session& session, Outcome outcome);
  void Sweep();

  const Options& options_;
  const uint32_t connections_;
  Shared& shared_;
  Tally tally_;
  std::unique_ptr<ClientContext> context_;
  std::unique_ptr<io::Ring> ring_;
  std::unique_ptr<io::BufferRing> buffers_;
  io::BlockPool blocks_{256};
  io::IntrusiveList rearm_;
  io::StreamCounters counters_;
  std::optional<io::StreamEnv> env_;
  std::optional<io::TimerWheel> wheel_;
  io::Slab<Session> sessions_;
  std::vector<Session*> ending_;
  uint32_t going_ = 0;
};

}  // namespace portcullis::bench
