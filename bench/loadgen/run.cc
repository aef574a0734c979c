#include "bench/loadgen/run.h"

#include <chrono>
#include <cmath>
#include <ctime>

namespace portcullis::bench {
namespace {

int64_t Nanos(double seconds) { return std::llround(seconds * 1e9); }

void BringForward(std::atomic<int64_t>& time, int64_t to) {
  int64_t now = time.load();
  while (to < now && !time.compare_exchange_weak(now, to)) {
  }
}

}  // namespace

int64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

bool Run::ReadyAndWait() {
  std::unique_lock lock(mutex_);
  ++ready_;
  changed_.notify_all();
  changed_.wait(lock, [this] { return go_ || aborted_; });
  return !aborted_;
}

bool Run::Ready(uint32_t threads, double seconds) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::duration<double>(seconds),
                           [&] { return ready_ == threads || aborted_; });
}

void Run::Go() {
  const std::lock_guard lock(mutex_);
  origin_ns_ = NowNs();
  begin_ns_ = origin_ns_ + Nanos(options_.warmup_s);
  // Idle mode opens what it opens, however long that takes.
  end_ns_.store(options_.idle != 0 ? INT64_MAX : begin_ns_ + Nanos(options_.duration_s));
  go_ = true;
  changed_.notify_all();
}

bool Run::Finished(uint32_t threads, double seconds) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::duration<double>(seconds),
                           [&] { return done_ == threads; });
}

void Run::Done() {
  const std::lock_guard lock(mutex_);
  ++done_;
  changed_.notify_all();
}

void Run::Abort() {
  const std::lock_guard lock(mutex_);
  aborted_ = true;
  EndAt(0);
  Check();
  changed_.notify_all();
}

void Run::Interrupt(int64_t now_ns, int64_t give_up_ns) {
  EndAt(now_ns);
  if (options_.idle != 0) Check();
  BringForward(give_up_ns_, give_up_ns);
}

void Run::EndAt(int64_t time_ns) { BringForward(end_ns_, time_ns); }

bool Run::Take(int64_t now_ns) {
  if (options_.total == 0) return true;
  const uint64_t before = taken_.fetch_add(1, std::memory_order_relaxed);
  // Whoever takes the last one leaves the window open for it.
  if (before + 1 >= options_.total) EndAt(now_ns + 1);
  return before < options_.total;
}

void Run::Opened(int64_t now_ns) {
  int64_t last = opened_ns_.load();
  while (now_ns > last && !opened_ns_.compare_exchange_weak(last, now_ns)) {
  }
  opened_.fetch_add(1);
}

void Run::Publish(size_t index, const Second& second) {
  const std::lock_guard lock(mutex_);
  if (index >= timeline_.size()) timeline_.resize(index + 1);
  timeline_[index].Merge(second);
}

std::vector<Second> Run::Timeline() {
  const std::lock_guard lock(mutex_);
  return timeline_;
}

}  // namespace portcullis::bench
