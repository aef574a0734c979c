#include "metrics/snapshot.h"

#include <gtest/gtest.h>

namespace portcullis::metrics {
namespace {

TEST(Snapshot, AddsListenersAndBackendsAndKeepsWorkersApart) {
  WorkerShard one;
  WorkerShard two;
  for (WorkerShard* shard : {&one, &two}) {
    shard->AddListener(0);
    shard->AddListener(1);
    shard->AddBackend(0);
  }
  one.listener(0).accepted.Add(5);
  one.listener(1).accepted.Add(1);
  one.listener(0).active_connections.Set(4);
  two.listener(0).active_connections.Set(-1);  // a reader between two writes may see so
  two.listener(1).accepted.Add(7);
  one.backend(0).CountConnect(ConnectResult::kTimeout);
  two.backend(0).CountConnect(ConnectResult::kTimeout);
  two.backend(0).idle_connections.Set(3);
  two.backend(0).connect_duration.Record(1'000'000);
  one.busy_ns.Add(10);
  two.turn_duration.Record(50'000);
  two.ring_enters.MirrorTotal(99);

  Snapshot snapshot;
  snapshot.listeners.resize(2);
  snapshot.backends.resize(1);
  snapshot.MergeWorker(one);
  snapshot.MergeWorker(two);

  EXPECT_EQ(snapshot.listeners[0].accepted, 5u);
  EXPECT_EQ(snapshot.listeners[1].accepted, 8u);
  EXPECT_EQ(snapshot.listeners[0].active_connections, 3);
  EXPECT_EQ(snapshot.backends[0].connects[static_cast<size_t>(ConnectResult::kTimeout)], 2u);
  EXPECT_EQ(snapshot.backends[0].idle_connections, 3);
  EXPECT_EQ(snapshot.backends[0].connect_duration.Count(), 1u);
  ASSERT_EQ(snapshot.workers.size(), 2u);
  EXPECT_EQ(snapshot.workers[0].accepted, 6u);
  EXPECT_EQ(snapshot.workers[0].busy_ns, 10u);
  EXPECT_EQ(snapshot.workers[1].accepted, 7u);
  EXPECT_EQ(snapshot.workers[1].ring_enters, 99u);
  EXPECT_EQ(snapshot.turn_duration.Count(), 1u);
}

TEST(Snapshot, LeavesOutWhatAShardDoesNotHave) {
  const WorkerShard shard;
  Snapshot snapshot;
  snapshot.listeners.resize(1);
  snapshot.backends.resize(1);
  snapshot.MergeWorker(shard);
  EXPECT_EQ(snapshot.listeners[0].accepted, 0u);
  EXPECT_EQ(snapshot.workers.size(), 1u);
}

}  // namespace
}  // namespace portcullis::metrics
