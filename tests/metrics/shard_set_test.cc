#include "metrics/shard_set.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

namespace portcullis::metrics {
namespace {

Reasons TwoReasons() { return {{"none", false}, {"expired", true}, {"eof", false}}; }

TEST(ShardSet, GivesEveryWorkerRoomForANewName) {
  ShardSet shards(2, TwoReasons());
  const size_t id = *shards.AddListener("edge");
  shards.shard(0).listener(id).accepted.Add(1);
  shards.shard(1).listener(id).accepted.Add(2);
  const Snapshot snapshot = shards.Take();
  ASSERT_EQ(snapshot.listeners.size(), 1u);
  EXPECT_EQ(snapshot.listeners[0].name, "edge");
  EXPECT_EQ(snapshot.listeners[0].accepted, 3u);
}

TEST(ShardSet, ANameThatComesBackFindsItsNumbers) {
  ShardSet shards(1, TwoReasons());
  const size_t id = *shards.AddBackend("app");
  shards.shard(0).backend(id).CountConnect(ConnectResult::kOk);
  const size_t other = *shards.AddBackend("other");
  EXPECT_NE(id, other);
  EXPECT_EQ(*shards.AddBackend("app"), id);
  EXPECT_EQ(shards.Take().backends[id].connects[0], 1u);
}

TEST(ShardSet, RunsOutOfListenersOnlyAfterAllSlotsAndKeepsThose) {
  ShardSet shards(1, TwoReasons());
  for (size_t i = 0; i < kMaxListeners; ++i) {
    ASSERT_TRUE(shards.AddListener(absl::StrCat("listener-", i)).ok());
  }
  EXPECT_EQ(shards.AddListener("one more").status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(shards.AddListener("listener-7").ok());
  EXPECT_EQ(shards.Take().listeners.size(), kMaxListeners);
}

TEST(ShardSetDeathTest, NeedsBetweenOneReasonAndTheMost) {
  EXPECT_DEATH(ShardSet(1, Reasons{}), "reasons_");
  EXPECT_DEATH(ShardSet(1, Reasons(kMaxReasons + 1)), "reasons_");
}

// Workers count, the supervisor adds names, and snapshots are taken, all at once: no total ever
// falls, and in the end nothing is missing.
TEST(ShardSet, SnapshotsMayBeTakenWhileAllWorkersCount) {
  constexpr uint64_t kTotal = 10'000;
  constexpr size_t kWorkers = 3;
  ShardSet shards(kWorkers, TwoReasons());
  const size_t id = *shards.AddListener("edge");
  std::atomic<size_t> running{kWorkers};
  std::vector<std::thread> workers;
  for (size_t w = 0; w < kWorkers; ++w) {
    workers.emplace_back([&shards, &running, id, w] {
      ListenerShard& listener = shards.shard(w).listener(id);
      for (uint64_t i = 0; i < kTotal; ++i) {
        listener.accepted.Add();
        listener.active_connections.Add();
        listener.RecordHandshake(HandshakeResult::kOk, TlsVersion::kTls13, false, 1'000'000);
        listener.CountRejection(1);
        listener.active_connections.Sub();
      }
      --running;
    });
  }
  uint64_t last = 0;
  int extra = 0;
  while (running > 0) {
    if (extra < 20) {
      ASSERT_TRUE(shards.AddBackend(absl::StrCat("backend-", extra++)).ok());
    }
    const Snapshot snapshot = shards.Take();
    ASSERT_GE(snapshot.listeners[id].accepted, last);
    last = snapshot.listeners[id].accepted;
  }
  for (std::thread& worker : workers) worker.join();
  const Snapshot snapshot = shards.Take();
  const ListenerSnapshot& listener = snapshot.listeners[id];
  EXPECT_EQ(listener.accepted, kTotal * kWorkers);
  EXPECT_EQ(listener.active_connections, 0);
  EXPECT_EQ(listener.rejections[1], kTotal * kWorkers);
  const size_t kind = HandshakeKind(HandshakeResult::kOk, TlsVersion::kTls13, false);
  EXPECT_EQ(listener.handshakes[kind].Count(), kTotal * kWorkers);
}

}  // namespace
}  // namespace portcullis::metrics
