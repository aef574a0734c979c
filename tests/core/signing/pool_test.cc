#include "core/signing/pool.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <semaphore>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

#include "tests/core/signing/held_key.h"
#include "tests/tls/test_pki.h"

namespace portcullis::signing {
namespace {

// Keeps results, as a worker would.
class Results final : public ResultSink {
 public:
  void Take(Result result) override {
    {
      const std::lock_guard lock(mutex_);
      results_.push_back(std::move(result));
    }
    there_.release();
  }
  // Wait returns the next result.
  Result Wait() {
    there_.acquire();
    const std::lock_guard lock(mutex_);
    Result first = std::move(results_.front());
    results_.erase(results_.begin());
    return first;
  }
  [[nodiscard]] size_t count() {
    const std::lock_guard lock(mutex_);
    return results_.size();
  }

 private:
  std::mutex mutex_;
  std::counting_semaphore<> there_{0};
  std::vector<Result> results_;
};

std::atomic<int64_t> time_ns{1};  // where a test says what time it is

int64_t TestTime() { return time_ns.load(); }

std::unique_ptr<Pool> Started(uint32_t num_workers, Pool::Clock clock = Pool::NowNs) {
  auto pool = Pool::Start(num_workers, clock);
  EXPECT_TRUE(pool.ok()) << pool.status();
  return pool.ok() ? *std::move(pool) : nullptr;
}

Task TaskOf(std::shared_ptr<const tls::SigningKey> key, ResultSink& sink, uint32_t slot = 0) {
  return {.job = {.key = std::move(key),
                  .scheme = SSL_SIGN_ECDSA_SECP256R1_SHA256,
                  .input = std::vector<uint8_t>(130, 'x')},
          .slot = slot,
          .generation = slot + 100,
          .sink = &sink};
}

TEST(SigningPool, HasAHelperForEveryFourWorkers) {
  EXPECT_EQ(Started(1)->num_helpers(), 1U);
  EXPECT_EQ(Started(4)->num_helpers(), 1U);
  EXPECT_EQ(Started(5)->num_helpers(), 2U);
  EXPECT_EQ(Started(16)->num_helpers(), 4U);
}

TEST(SigningPool, ResultsComeInOrderToWhomTheyAreFor) {
  const tls::testing::TestCertificate certificate = tls::testing::MakeRoot({});
  const auto key = tls::MakeBuiltinKey(certificate.key());
  Results results;
  const auto pool = Started(1);
  for (uint32_t i = 0; i < 3; ++i) {
    Task task = TaskOf(key, results, i);
    ASSERT_TRUE(pool->Submit(7, task));
  }
  for (uint32_t i = 0; i < 3; ++i) {
    const Result result = results.Wait();
    EXPECT_EQ(result.slot, i);
    EXPECT_EQ(result.generation, i + 100);
    EXPECT_GT(result.took_ns, 0);
    EXPECT_TRUE(tls::IsSignatureOf(certificate.key(), SSL_SIGN_ECDSA_SECP256R1_SHA256,
                                   std::vector<uint8_t>(130, 'x'), result.signature));
  }
}

TEST(SigningPool, AKeyThatDoesNotSignHasAResultToo) {
  const auto key =
      tls::MakeBuiltinKey(tls::testing::MakeRoot({.key = tls::testing::TestKey::kEd25519}).key());
  Results results;
  const auto pool = Started(1);
  Task task = TaskOf(key, results);
  ASSERT_TRUE(pool->Submit(0, task));
  EXPECT_TRUE(results.Wait().signature.empty());
}

TEST(SigningPool, RefusesWhatItHasNoRoomForAndLeavesItAlone) {
  const auto held = std::make_shared<HeldKey>();
  Results results;
  const auto pool = Started(1, TestTime);
  for (uint32_t i = 0; i < Pool::kMaxTasks; ++i) {
    Task task = TaskOf(held, results);
    ASSERT_TRUE(pool->Submit(0, task));
  }
  Task refused = TaskOf(held, results);
  EXPECT_FALSE(pool->Submit(0, refused));
  EXPECT_EQ(refused.job.key, held);
  held->Release(1);
  (void)results.Wait();
  held->WaitBegun();
  held->WaitBegun();  // the helper is at the second: the first has made room
  EXPECT_TRUE(pool->Submit(0, refused));
  held->Release(Pool::kMaxTasks);
  for (uint32_t i = 0; i < Pool::kMaxTasks; ++i) (void)results.Wait();
}

TEST(SigningPool, AHelperThatGetsLittleOfItsCoreHasFewWaiting) {
  const auto held = std::make_shared<HeldKey>();
  Results results;
  const auto pool = Started(1, TestTime);
  Task slow = TaskOf(held, results);
  ASSERT_TRUE(pool->Submit(0, slow));
  held->WaitBegun();
  Task second = TaskOf(held, results);
  time_ns += Pool::kMaxWaitNs / 2 + 1;
  EXPECT_FALSE(pool->Submit(0, second)) << "two as slow as the first has been so far are too slow";
  held->Release(1);
  (void)results.Wait();

  while (pool->num_tasks(0) != 0) std::this_thread::yield();
  ASSERT_TRUE(pool->Submit(0, second)) << "one that has nothing to do takes one always";
  held->WaitBegun();
  Task third = TaskOf(held, results);
  EXPECT_FALSE(pool->Submit(0, third)) << "the first was slow";

  // Fast ones, and it is known to be fast again.
  held->Release(1);
  (void)results.Wait();
  for (int i = 0; i < 10; ++i) {
    while (pool->num_tasks(0) != 0) std::this_thread::yield();
    held->Release(1);
    Task fast = TaskOf(held, results);
    ASSERT_TRUE(pool->Submit(0, fast));
    (void)results.Wait();
  }
  for (uint32_t i = 0; i < 4; ++i) {
    Task task = TaskOf(held, results);
    EXPECT_TRUE(pool->Submit(0, task));
  }
  held->Release(4);
  for (uint32_t i = 0; i < 4; ++i) (void)results.Wait();
}

TEST(SigningPool, AnotherWorkersHelperIsNotHeldUp) {
  const auto held = std::make_shared<HeldKey>();
  const auto free = std::make_shared<HeldKey>();
  free->Release(1);
  Results results;
  const auto pool = Started(8);
  Task first = TaskOf(held, results, 1);
  Task second = TaskOf(free, results, 2);
  ASSERT_TRUE(pool->Submit(0, first));
  ASSERT_TRUE(pool->Submit(1, second));
  EXPECT_EQ(results.Wait().slot, 2U);
  held->Release(1);
  EXPECT_EQ(results.Wait().slot, 1U);
}

TEST(SigningPool, EndsWithTasksWaitingWhichGetNoResult) {
  const auto held = std::make_shared<HeldKey>();
  Results results;
  auto pool = Started(1);
  for (uint32_t i = 0; i < 5; ++i) {
    Task task = TaskOf(held, results);
    ASSERT_TRUE(pool->Submit(0, task));
  }
  held->WaitBegun();
  std::thread end([&] { pool.reset(); });
  held->Release(5);
  end.join();
  EXPECT_GE(results.count(), 1U);
  EXPECT_LE(results.count(), 5U);
  EXPECT_EQ(held.use_count(), 1) << "nothing of what was not begun is left";
}

TEST(SigningPool, ManyThreadsMaySubmitAtOnce) {
  const tls::testing::TestCertificate certificate = tls::testing::MakeRoot({});
  const auto key = tls::MakeBuiltinKey(certificate.key());
  const auto pool = Started(8);
  std::vector<std::thread> workers;
  for (uint32_t worker = 0; worker < 4; ++worker) {
    workers.emplace_back([&, worker] {
      Results results;
      for (uint32_t i = 0; i < 100; ++i) {
        Task task = TaskOf(key, results, i);
        while (!pool->Submit(worker, task)) std::this_thread::yield();
        EXPECT_EQ(results.Wait().slot, i);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
}

}  // namespace
}  // namespace portcullis::signing
