#include "core/signing/pool.h"

#include <pthread.h>

#include <algorithm>
#include <ctime>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "io/thread_nice.h"

namespace portcullis::signing {
namespace {

constexpr uint32_t kWorkersAHelper = 4;
constexpr int64_t kPaceOver = 4;  // tasks

}  // namespace

int64_t Pool::NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

int64_t Pool::Helper::PaceNs(int64_t now_ns) const {
  const int64_t begun = begun_ns.load(std::memory_order_relaxed);
  const int64_t so_far = begun != 0 ? now_ns - begun : 0;
  return std::max(pace_ns.load(std::memory_order_relaxed), so_far);
}

absl::StatusOr<std::unique_ptr<Pool>> Pool::Start(uint32_t num_workers, Clock clock) {
  std::unique_ptr<Pool> pool(new Pool(clock));
  const uint32_t count = (num_workers + kWorkersAHelper - 1) / kWorkersAHelper;
  for (uint32_t i = 0; i < count; ++i) {
    absl::StatusOr<std::unique_ptr<io::Inbox<Timed>>> inbox = io::Inbox<Timed>::Create();
    if (!inbox.ok()) return inbox.status();
    pool->helpers_.push_back(std::make_unique<Helper>(*std::move(inbox)));
  }
  for (uint32_t i = 0; i < count; ++i) {
    Helper& helper = *pool->helpers_[i];
    helper.thread = std::thread([raw = pool.get(), &helper] { raw->Run(helper); });
    pthread_setname_np(helper.thread.native_handle(), absl::StrCat("signer-", i).c_str());
  }
  return pool;
}

Pool::~Pool() {
  stopping_.store(true, std::memory_order_release);
  for (const auto& helper : helpers_) {
    helper->inbox->wake().Signal();
    if (helper->thread.joinable()) helper->thread.join();
  }
}

bool Pool::HasRoom(const Helper& helper, uint32_t num_before, int64_t now_ns) const {
  if (num_before == 0) return true;  // or its pace would never be known again
  return num_before < kMaxTasks && (num_before + 1) * helper.PaceNs(now_ns) <= kMaxWaitNs;
}

bool Pool::Submit(uint32_t worker, Task& task) {
  Helper& helper = *helpers_[worker % helpers_.size()];
  const int64_t now_ns = clock_();
  if (!HasRoom(helper, helper.num_tasks.fetch_add(1, std::memory_order_relaxed), now_ns)) {
    helper.num_tasks.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  helper.inbox->Push({.task = std::move(task), .submitted_ns = now_ns});
  return true;
}

void Pool::Run(Helper& helper) {
  // A signature takes milliseconds, during which the worker on the same core would wait its turn.
  io::BeNice(io::kHelperNice);
  while (!stopping_.load(std::memory_order_acquire)) {
    helper.inbox->wake().Consume();
    helper.inbox->Drain([&](Timed&& timed) { Work(helper, timed); });
  }
}

void Pool::Work(Helper& helper, const Timed& timed) {
  const Task& task = timed.task;
  if (!stopping_.load(std::memory_order_acquire)) {
    const int64_t begun_ns = clock_();
    helper.begun_ns.store(begun_ns, std::memory_order_relaxed);
    Result result{.slot = task.slot, .generation = task.generation, .signature = task.job.Run()};
    const int64_t now_ns = clock_();
    result.took_ns = now_ns - timed.submitted_ns;
    const int64_t pace = helper.pace_ns.load(std::memory_order_relaxed);
    const int64_t took = now_ns - begun_ns;
    helper.pace_ns.store(pace == 0 ? took : pace + (took - pace) / kPaceOver,
                         std::memory_order_relaxed);
    helper.begun_ns.store(0, std::memory_order_relaxed);
    task.sink->Take(std::move(result));
  }
  helper.num_tasks.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace portcullis::signing
