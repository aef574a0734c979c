#include "metrics/shard.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

namespace portcullis::metrics {
namespace {

bool IsLineAligned(const void* at) { return reinterpret_cast<uintptr_t>(at) % kCacheLine == 0; }

TEST(WorkerShard, ItAndItsPartsBeginOnCacheLinesOfTheirOwn) {
  const auto shard = std::make_unique<WorkerShard>();
  shard->AddListener(0);
  shard->AddBackend(0);
  EXPECT_TRUE(IsLineAligned(shard.get()));
  EXPECT_TRUE(IsLineAligned(&shard->listener(0)));
  EXPECT_TRUE(IsLineAligned(&shard->backend(0)));
}

TEST(WorkerShard, PartsAreThereOnceAddedAndStay) {
  WorkerShard shard;
  EXPECT_EQ(shard.FindListener(3), nullptr);
  shard.AddListener(3);
  ListenerShard& listener = shard.listener(3);
  listener.accepted.Add();
  shard.AddListener(3);
  EXPECT_EQ(shard.FindListener(3), &listener);
  EXPECT_EQ(listener.accepted.value(), 1u);
  EXPECT_EQ(shard.FindListener(kMaxListeners), nullptr);
  EXPECT_EQ(shard.FindBackend(kMaxBackends), nullptr);
}

TEST(ListenerShard, HandshakesAreKeptApartByResultVersionAndResumption) {
  ListenerShard listener;
  listener.RecordHandshake(HandshakeResult::kOk, TlsVersion::kTls13, false, 1'000'000);
  listener.RecordHandshake(HandshakeResult::kOk, TlsVersion::kTls13, true, 200'000);
  listener.RecordHandshake(HandshakeResult::kFailed, TlsVersion::kUnknown, false, 5);
  uint64_t total = 0;
  for (size_t kind = 0; kind < kHandshakeKinds; ++kind) {
    HistogramSnapshot snapshot;
    listener.handshake(kind).MergeInto(snapshot);
    EXPECT_LE(snapshot.Count(), 1u);
    total += snapshot.Count();
  }
  EXPECT_EQ(total, 3u);
  HistogramSnapshot resumed;
  listener.handshake(HandshakeKind(HandshakeResult::kOk, TlsVersion::kTls13, true))
      .MergeInto(resumed);
  EXPECT_EQ(resumed.sum_ns, 200'000u);
}

TEST(ListenerShard, CountsByReasonVerdictCodeAndDirection) {
  ListenerShard listener;
  listener.CountRejection(4);
  listener.CountVerdict(ChainVerdict::kRejected, 4);
  listener.CountVerdict(ChainVerdict::kAccepted);
  listener.CountVerdict(ChainVerdict::kNone);
  listener.CountRequest(200);
  listener.CountRequest(299);
  listener.CountRequest(504);
  listener.CountBytes(Side::kBackend, Direction::kSend, 100);
  EXPECT_EQ(listener.rejections(4), 1u);
  EXPECT_EQ(listener.rejected_chains(4), 1u);
  EXPECT_EQ(listener.verdicts(ChainVerdict::kRejected), 1u);
  EXPECT_EQ(listener.verdicts(ChainVerdict::kAccepted), 1u);
  EXPECT_EQ(listener.verdicts(ChainVerdict::kNone), 1u);
  EXPECT_EQ(listener.requests(1), 2u);
  EXPECT_EQ(listener.requests(4), 1u);
  EXPECT_EQ(listener.bytes(Side::kBackend, Direction::kSend), 100u);
  EXPECT_EQ(listener.bytes(Side::kClient, Direction::kSend), 0u);
}

TEST(WorkerShardDeathTest, CountingForWhatWasNotAddedIsABug) {
  WorkerShard shard;
  EXPECT_DEATH((void)shard.listener(0), "part != nullptr");
  EXPECT_DEATH((void)shard.backend(kMaxBackends), "id < N");
}

TEST(ListenerShardDeathTest, NoReasonIsNoRejection) {
  ListenerShard listener;
  EXPECT_DEATH(listener.CountRejection(0), "reason > 0");
  EXPECT_DEATH(listener.CountVerdict(ChainVerdict::kRejected, 0), "reason == 0");
  EXPECT_DEATH(listener.CountVerdict(ChainVerdict::kAccepted, 3), "reason == 0");
  EXPECT_DEATH(listener.CountRequest(99), "code");
}

// A reload adds listeners while the worker counts and an admin thread looks.
TEST(WorkerShard, ListenersMayBeAddedWhileAWorkerCounts) {
  constexpr uint64_t kTotal = 20'000;
  WorkerShard shard;
  shard.AddListener(0);
  std::atomic<size_t> published{1};
  std::atomic<bool> done{false};
  std::thread worker([&] {
    for (uint64_t i = 0; i < kTotal; ++i) {
      const size_t known = published.load(std::memory_order_acquire);
      shard.listener(i % known).accepted.Add();
    }
    done = true;
  });
  std::thread reader([&] {
    while (!done) {
      uint64_t accepted = 0;
      for (size_t id = 0; id < kMaxListeners; ++id) {
        const ListenerShard* listener = shard.FindListener(id);
        if (listener != nullptr) accepted += listener->accepted.value();
      }
      ASSERT_LE(accepted, kTotal);
    }
  });
  for (size_t id = 1; id < kMaxListeners; ++id) {
    shard.AddListener(id);
    published.store(id + 1, std::memory_order_release);
  }
  worker.join();
  reader.join();
  uint64_t accepted = 0;
  for (size_t id = 0; id < kMaxListeners; ++id) accepted += shard.listener(id).accepted.value();
  EXPECT_EQ(accepted, kTotal);
}

}  // namespace
}  // namespace portcullis::metrics
