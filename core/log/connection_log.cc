#include "core/log/connection_log.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

#include "core/log/steady_now.h"

namespace portcullis::log {
namespace {

uint64_t Lines(std::string_view text) {
  return static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

// No signal interrupts the writer thread, and a reader that went away is EPIPE to it instead of
// SIGPIPE.
void BlockSignals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ConnectionLog>> ConnectionLog::Start(
    std::string_view sink, size_t num_workers, const ConnectionLogOptions& options) {
  if (!std::has_single_bit(options.ring_bytes) || options.ring_bytes < kMaxLineBytes) {
    return absl::InvalidArgumentError(absl::StrCat("a log ring of ", options.ring_bytes,
                                                   " bytes: must be a power of two, at least ",
                                                   kMaxLineBytes));
  }
  absl::StatusOr<LogSink> opened = LogSink::Open(sink);
  if (!opened.ok()) return opened.status();
  const int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd < 0) return absl::ErrnoToStatus(errno, "eventfd for the connection log");
  // Not make_unique: the constructor is private.
  std::unique_ptr<ConnectionLog> log(
      new ConnectionLog(*std::move(opened), wake_fd, num_workers, options));
  if (log->sink_.enabled() || options.rejections_kept > 0) {
    log->thread_ = std::thread([raw = log.get()] { raw->Run(); });
  }
  return log;
}

ConnectionLog::ConnectionLog(LogSink sink, int wake_fd, size_t num_workers,
                             const ConnectionLogOptions& options)
    : options_(options),
      wake_fd_(wake_fd),
      rejections_(options.rejections_kept),
      sink_(std::move(sink)) {
  const Wanted wanted = sink_.enabled()               ? Wanted::kAll
                        : options.rejections_kept > 0 ? Wanted::kRefusals
                                                      : Wanted::kNone;
  rings_.reserve(num_workers);
  for (size_t i = 0; i < num_workers; ++i) {
    rings_.push_back(std::make_unique<LogRing>(options.ring_bytes, wake_fd_, wanted));
  }
}

ConnectionLog::~ConnectionLog() {
  Stop();
  const int unused_fd = reopened_fd_.exchange(-1, std::memory_order_acq_rel);
  if (unused_fd >= 0) close(unused_fd);
  close(wake_fd_);
}

absl::Status ConnectionLog::Reopen(std::string_view sink) {
  const absl::StatusOr<int> fd = sink_.OpenAgain(sink);
  if (!fd.ok()) return fd.status();
  if (*fd < 0) return absl::OkStatus();
  // One handed over before and not yet taken has been overtaken.
  const int overtaken_fd = reopened_fd_.exchange(*fd, std::memory_order_acq_rel);
  if (overtaken_fd >= 0) close(overtaken_fd);
  Wake();
  return absl::OkStatus();
}

void ConnectionLog::Stop() {
  if (!thread_.joinable()) return;
  const auto timeout = std::chrono::duration_cast<std::chrono::nanoseconds>(options_.stop_timeout);
  stop_by_ns_.store(SteadyNowNs() + timeout.count(), std::memory_order_release);
  Wake();
  thread_.join();
}

void ConnectionLog::Wake() {
  // Cannot fail for want of room: the writer thread resets the count long before it reaches 2^64.
  [[maybe_unused]] const int ignored = eventfd_write(wake_fd_, 1);
}

void ConnectionLog::Run() {
  BlockSignals();
  while (true) {
    // Read before draining: what was queued before Stop is then sure to be seen by the drain that
    // follows.
    const bool stopping = stop_by_ns_.load(std::memory_order_acquire) != 0;
    DrainAll();
    if (stopping) return;
    const bool behind = std::any_of(rings_.begin(), rings_.end(), [this](const auto& ring) {
      return ring->Readable().size() > options_.ring_bytes / 2;
    });
    // Either may have been told by a wake-up which a wait for the sink has taken.
    if (behind || stop_by_ns_.load(std::memory_order_acquire) != 0) continue;
    pollfd wake = {.fd = wake_fd_, .events = POLLIN, .revents = 0};
    poll(&wake, 1, static_cast<int>(options_.drain_interval.count()));
    eventfd_t ignored = 0;
    eventfd_read(wake_fd_, &ignored);
  }
}

void ConnectionLog::DrainAll() {
  // Rings hold whole lines, and each is drained to the end of one: here is where the file may
  // change.
  const int reopened_fd = reopened_fd_.exchange(-1, std::memory_order_acq_rel);
  if (reopened_fd >= 0) sink_.Replace(reopened_fd);
  for (const auto& ring : rings_) Drain(*ring);
}

// Takes over what is behind the last line feed of the first piece with its rest in the second.
void ConnectionLog::RememberRefusals(const LogRing::Pieces& pieces) {
  if (options_.rejections_kept == 0) return;
  const size_t whole = pieces.first.rfind('\n') + 1;  // npos + 1 is 0
  const size_t rest = pieces.second.find('\n') + 1;
  Remember(pieces.first.substr(0, whole));
  if (whole < pieces.first.size()) {
    std::string cut(pieces.first.substr(whole));
    cut += pieces.second.substr(0, rest);
    Remember(cut);
    Remember(pieces.second.substr(rest));
  } else {
    Remember(pieces.second);
  }
}

void ConnectionLog::Remember(std::string_view lines) {
  while (!lines.empty()) {
    const size_t end = lines.find('\n');
    if (end == std::string_view::npos) return;
    rejections_.Add(lines.substr(0, end));
    lines.remove_prefix(end + 1);
  }
}

void ConnectionLog::Drain(LogRing& ring) {
  const LogRing::Pieces pieces = ring.Readable();
  if (pieces.size() == 0) return;
  RememberRefusals(pieces);
  const LogSink::Patience patience = {.wake_fd = wake_fd_, .deadline_ns = stop_by_ns_};
  const size_t first = sink_.Write(pieces.first, patience);
  // After a failure the rest is lost, up to the end of its last line: the next write begins with a
  // whole one.
  const size_t second = first == pieces.first.size() ? sink_.Write(pieces.second, patience) : 0;
  const uint64_t lost = Lines(pieces.first.substr(first)) + Lines(pieces.second.substr(second));
  if (lost > 0) lines_lost_.Add(lost);
  ring.Consume(pieces.size());
}

}  // namespace portcullis::log
