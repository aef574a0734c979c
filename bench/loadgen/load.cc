#include "bench/loadgen/load.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_format.h"

#include "bench/loadgen/driver.h"
#include "bench/loadgen/output.h"
#include "bench/loadgen/run.h"
#include "io/open_files.h"

namespace portcullis::bench {
namespace {

// What is open at an interrupt has so long to end.
constexpr int64_t kGraceNs = 1'000'000'000;

volatile std::sig_atomic_t interrupts = 0;

void OnSignal(int number) {
  interrupts = interrupts + 1;
  // Whoever asks a third time need not wait for us.
  if (interrupts == 2) signal(number, SIG_DFL);
}

double OwnCpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// As many as there may be, and room for those that will be needed: see io::ReserveOpenFiles.
void RaiseOpenFiles(const Options& options) {
  constexpr uint64_t kOthers = 256;
  const uint64_t limit = io::RaiseOpenFileLimit(UINT64_MAX).soft;
  // Files that are there from the start, and a ring for each thread.
  const uint64_t wanted = uint64_t{options.connections} + options.idle + 16 + 2 * options.threads;
  if (limit < wanted) {
    std::fprintf(stderr,
                 "portcullis-loadgen: %llu open files are allowed (ulimit -Hn) and up to %llu may "
                 "be needed: raise that, or ask for fewer --connections or --idle\n",
                 static_cast<unsigned long long>(limit), static_cast<unsigned long long>(wanted));
  }
  // Connections that close hold theirs a little longer.
  io::ReserveOpenFiles(uint64_t{options.connections} * 2 + options.idle + kOthers);
}

// Whether sockets may have the addresses that were given.
absl::Status TrySources(const Options& options) {
  for (const io::SocketAddress& source : options.sources) {
    const int fd = socket(source.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool good = fd >= 0 && bind(fd, source.data(), source.length()) == 0;
    const int error = errno;
    if (fd >= 0) close(fd);
    if (!good) {
      return absl::InvalidArgumentError(
          absl::StrCat("--source ", source.Ip(), ": ", std::strerror(error)));
    }
  }
  return absl::OkStatus();
}

// The watcher's part of a run: progress lines, idle mode's phases, the CPU clock.
class Watch {
 public:
  Watch(const Options& options, Run& run) : options_(options), run_(run) {}

  // False: interrupted before the load could begin, which it does not then.
  [[nodiscard]] bool UntilReady() {
    while (!run_.Ready(options_.threads, 0.1) && interrupts == 0) {
    }
    const bool interrupted = interrupts != 0;
    if (interrupted) run_.Abort();
    return !interrupted;
  }
  void UntilFinished() {
    while (!run_.Finished(options_.threads, SecondsToWait())) {
      const int64_t now = NowNs();
      if (cpu_begin_ < 0 && now >= run_.begin_ns()) cpu_begin_ = OwnCpuSeconds();
      OnInterrupts(now);
      if (options_.idle != 0) WatchIdle(now);
      if (options_.progress) Progress(/*all=*/false);
    }
    if (options_.progress) Progress(/*all=*/true);
  }
  [[nodiscard]] bool interrupted() const { return interrupted_ns_ >= 0; }
  // CPU from the window's begin to now; none when it was over before it could be looked at.
  [[nodiscard]] double CpuSeconds() const {
    return cpu_begin_ < 0 ? 0 : OwnCpuSeconds() - cpu_begin_;
  }
  void BeginCpu() {
    if (options_.warmup_s <= 0) cpu_begin_ = OwnCpuSeconds();
  }

 private:
  // Till the next look, for which the window's begin is a moment of its own.
  [[nodiscard]] double SecondsToWait() const {
    constexpr double kLook = 0.1;
    if (cpu_begin_ >= 0) return kLook;
    return std::clamp(static_cast<double>(run_.begin_ns() - NowNs()) / 1e9, 0.0, kLook);
  }

  void OnInterrupts(int64_t now) {
    if (interrupts == 0) return;
    if (interrupted_ns_ < 0) interrupted_ns_ = now;
    const bool holding = options_.idle != 0 && run_.opened() == options_.threads;
    if (holding && interrupts == 1) {
      run_.Check();  // all that are held are asked, as at the hold's end, and that takes its time
      return;
    }
    run_.Interrupt(now, interrupts > 1 ? now : interrupted_ns_ + kGraceNs);
  }

  void WatchIdle(int64_t now) {
    if (run_.opened() != options_.threads) return;
    if (all_open_ns_ < 0) all_open_ns_ = now;
    if (static_cast<double>(now - all_open_ns_) / 1e9 >= options_.hold_s) run_.Check();
  }

  // A line for each second that is over. Threads publish one only when the next has begun.
  void Progress(bool all) {
    const std::vector<Second> timeline = run_.Timeline();
    for (; shown_ + (all ? 0 : 1) < timeline.size(); ++shown_) {
      const Second& second = timeline[shown_];
      failed_ += second.failed;
      refused_ += second.refused;
      const bool warm_up = static_cast<double>(shown_ + 1) <= options_.warmup_s;
      const std::string line = absl::StrFormat(
          "%s %4u s %7u/s  p50 %.2f ms  p99 %.2f ms  open %d  refused %u  failed %u",
          warm_up ? "warm-up" : "load   ", shown_ + 1, second.done,
          static_cast<double>(second.latency.Quantile(0.5)) / 1e6,
          static_cast<double>(second.latency.Quantile(0.99)) / 1e6, run_.open.load(), refused_,
          failed_);
      std::fprintf(stderr, "%s\n", line.c_str());
    }
  }

  const Options& options_;
  Run& run_;
  double cpu_begin_ = -1;
  int64_t all_open_ns_ = -1;
  int64_t interrupted_ns_ = -1;
  size_t shown_ = 0;
  uint64_t failed_ = 0;
  uint64_t refused_ = 0;
};

struct Thread {
  std::unique_ptr<Driver> driver;
  absl::Status status;
  std::thread thread;
};

void Start(const Options& options, const Issuers& issuers, Run& run, std::vector<Thread>& threads) {
  threads.resize(options.threads);
  for (uint32_t i = 0; i < options.threads; ++i) {
    threads[i].driver = std::make_unique<Driver>(options, issuers, run, i);
    threads[i].thread = std::thread([&run, &thread = threads[i]] {
      thread.status = thread.driver->Drive();
      if (!thread.status.ok()) run.Abort();
      run.Done();
    });
  }
}

}  // namespace

absl::Status WriteFiles(const Options& options, const Issuers& issuers) {
  if (!options.write_ca.empty()) {
    if (absl::Status status = WriteFile(options.write_ca, issuers.population->CaPem());
        !status.ok())
      return status;
  }
  if (!options.write_crl.empty()) {
    const absl::StatusOr<std::string> crl = issuers.population->CrlPem();
    if (!crl.ok()) return crl.status();
    if (absl::Status status = WriteFile(options.write_crl, *crl); !status.ok()) return status;
  }
  if (options.write_issuer.empty()) return absl::OkStatus();
  const absl::StatusOr<std::string> issuer = issuers.population->IssuerPem();
  if (!issuer.ok()) return issuer.status();
  return WriteFile(options.write_issuer, *issuer, /*secret=*/true);
}

absl::StatusOr<Result> RunLoad(const Options& options, const Issuers& issuers) {
  if (absl::Status status = TrySources(options); !status.ok()) return status;
  RaiseOpenFiles(options);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGINT, OnSignal);
  signal(SIGTERM, OnSignal);
  Run run(options);
  std::vector<Thread> threads;
  Start(options, issuers, run, threads);
  Watch watch(options, run);
  const bool begun = watch.UntilReady();
  watch.BeginCpu();
  run.Go();
  watch.UntilFinished();
  const int64_t finished_ns = NowNs();
  Result result;
  result.interrupted = watch.interrupted();
  result.options = options;
  result.timeline = run.Timeline();
  result.cpu_seconds = watch.CpuSeconds();
  const int64_t end_ns = options.idle != 0    ? run.opened_ns()
                         : options.total != 0 ? finished_ns
                                              : run.end_ns();
  result.seconds = static_cast<double>(std::max<int64_t>(0, end_ns - run.begin_ns())) / 1e9;
  absl::Status status;
  for (Thread& thread : threads) {
    thread.thread.join();
    status.Update(thread.status);
    result.tally.Merge(thread.driver->tally());
  }
  if (!begun) return absl::CancelledError("interrupted before the load began");
  if (!status.ok()) return status;
  return result;
}

}  // namespace portcullis::bench
