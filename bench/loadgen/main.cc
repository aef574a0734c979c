// portcullis-loadgen: full mutual handshakes against a TLS server, as many as it takes, and what
// came of them.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/loadgen/driver.h"

namespace portcullis::bench {
namespace {

double OwnCpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Lets `seconds` pass, or less when the threads stop by themselves; a progress line once a second.
void Watch(const Options& options, Shared& shared, double seconds, const char* phase) {
  const Clock::time_point start = Clock::now();
  uint64_t last_done = shared.done.load();
  const auto stopped = [&] { return shared.stop.load(); };
  for (int next = 1; !stopped() && SecondsSince(start) < seconds; ++next) {
    const auto wait = std::chrono::duration<double>(std::min(static_cast<double>(next), seconds) -
                                                    SecondsSince(start));
    std::unique_lock lock(shared.mutex);
    shared.stopped.wait_for(lock, wait, stopped);
    if (!options.progress) continue;
    const uint64_t done = shared.done.load();
    std::fprintf(stderr, "%s %3.0f s  %6llu/s  %llu failed\n", phase, SecondsSince(start),
                 static_cast<unsigned long long>(done - last_done),
                 static_cast<unsigned long long>(shared.failed.load()));
    last_done = done;
  }
}

struct Thread {
  std::unique_ptr<Driver> driver;
  absl::Status status;
  std::thread thread;
};

absl::StatusOr<Result> Load(const Options& options) {
  Shared shared;
  std::vector<Thread> threads(options.threads);
  for (uint32_t i = 0; i < options.threads; ++i) {
    const uint32_t share =
        options.connections / options.threads + (i < options.connections % options.threads ? 1 : 0);
    threads[i].driver = std::make_unique<Driver>(options, share, shared);
    threads[i].thread = std::thread([&shared, &thread = threads[i]] {
      thread.status = thread.driver->Run();
      if (!thread.status.ok()) shared.Stop();
    });
  }
  Watch(options, shared, options.warmup_s, "warm-up");
  const double cpu_before = OwnCpuSeconds();
  const Clock::time_point start = Clock::now();
  shared.counting.store(true);
  Watch(options, shared, options.duration_s, "load   ");
  shared.counting.store(false);
  Result result;
  result.seconds = SecondsSince(start);
  result.cpu_seconds = OwnCpuSeconds() - cpu_before;
  shared.Stop();
  absl::Status status;
  for (Thread& thread : threads) {
    thread.thread.join();
    status.Update(thread.status);
    result.tally.Merge(std::move(thread.driver->tally()));
  }
  if (!status.ok()) return status;
  return result;
}

int Main(std::span<const char* const> arguments) {
  const absl::StatusOr<Options> options = ParseOptions(arguments);
  if (!options.ok()) {
    std::fprintf(stderr, "portcullis-loadgen: %s\n\n%s",
                 std::string(options.status().message()).c_str(), Usage().c_str());
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  absl::StatusOr<Result> result = Load(*options);
  if (!result.ok()) {
    std::fprintf(stderr, "portcullis-loadgen: %s\n",
                 std::string(result.status().message()).c_str());
    return 1;
  }
  std::fputs(Text(*result).c_str(), stdout);
  if (!options->json.empty()) {
    std::ofstream file(options->json);
    file << Json(*result);
    if (!file.good()) {
      std::fprintf(stderr, "portcullis-loadgen: cannot write %s\n", options->json.c_str());
      return 1;
    }
  }
  return result->tally.done > 0 ? 0 : 1;
}

}  // namespace
}  // namespace portcullis::bench

int main(int argc, char** argv) {
  return portcullis::bench::Main(
      std::span(const_cast<const char* const*>(argv), static_cast<size_t>(argc)).subspan(1));
}
