// ConnectionLog: one JSON line for every connection, from the workers to stdout, stderr or a file.
// Each worker writes to a ring of its own and never waits; one thread of this log drains the rings
// within 50 ms, or sooner when one is half full. A slow or blocked sink holds up that thread alone:
// rings fill, and lines are dropped and counted. Owned by the supervisor, started before the
// workers and stopped after them.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/log/log_ring.h"
#include "core/log/log_sink.h"
#include "core/log/rejection_journal.h"
#include "metrics/counter.h"

namespace portcullis::log {

struct ConnectionLogOptions {
  size_t ring_bytes = 1 << 20;                   // a worker; a power of two
  std::chrono::milliseconds drain_interval{50};  // longest a line waits for the writer thread
  size_t rejections_kept = 0;                    // the last ones of each reason, for rejections()
  std::chrono::milliseconds stop_timeout{
      2000};  // longest Stop waits for the sink to take what is queued
};

class ConnectionLog {
 public:
  // Start opens `sink` ("stdout", "stderr", "off" or a file's path, which is appended to) and
  // starts the writer thread. Fails when the file cannot be opened or created.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ConnectionLog>> Start(
      std::string_view sink, size_t num_workers, const ConnectionLogOptions& options = {});
  // Stops, if Stop was not called.
  ~ConnectionLog();
  ConnectionLog(const ConnectionLog&) = delete;
  ConnectionLog& operator=(const ConnectionLog&) = delete;

  // ring returns the ring of worker `index`, valid as long as this lives.
  [[nodiscard]] LogRing& ring(size_t index) { return *rings_.at(index); }

  // Reopen opens the file anew by its path (after a rotation), or another where `sink` is one, and
  // switches to it at the next line boundary; does nothing for other sinks. On error the old file
  // stays in use. The supervisor's thread.
  [[nodiscard]] absl::Status Reopen(std::string_view sink = {});

  // Stop writes what is queued, waiting at most the stop timeout for the sink, and ends the writer
  // thread. Lines not written by then are counted as lost. Workers must have stopped writing.
  // Idempotent; the supervisor's thread.
  void Stop();

  // rejections holds the last refusals of each reason, also where the sink is "off". Any thread but
  // a worker's.
  [[nodiscard]] const RejectionJournal& rejections() const { return rejections_; }

  // lines_lost counts the lines that the sink refused or that Stop could not write in time. Any
  // thread.
  [[nodiscard]] const metrics::Counter& lines_lost() const { return lines_lost_; }

 private:
  // `wake_fd` becomes this log's.
  ConnectionLog(LogSink sink, int wake_fd, size_t num_workers, const ConnectionLogOptions& options);

  void Run();
  // Drains every ring once.
  void DrainAll();
  void Drain(LogRing& ring);
  void Wake();
  // Gives whole lines to the journal.
  void RememberRefusals(const LogRing::Pieces& pieces);
  void Remember(std::string_view lines);

  const ConnectionLogOptions options_;
  const int wake_fd_;
  RejectionJournal rejections_;
  LogSink sink_;  // the writer thread's once it runs
  std::vector<std::unique_ptr<LogRing>> rings_;
  std::atomic<int> reopened_fd_{-1};    // handed by Reopen to the writer thread
  std::atomic<int64_t> stop_by_ns_{0};  // steady clock; 0: not stopping
  metrics::Counter lines_lost_;         // written by the writer thread
  std::thread thread_;
};

}  // namespace portcullis::log
