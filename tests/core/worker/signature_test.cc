// Handshakes whose signature a helper makes, and what can happen meanwhile. The helper is kept busy
// by a key that the test holds back.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/core/signing/held_key.h"
#include "tests/core/worker/ring_test_fixture.h"
#include "tests/core/worker/worker_rig.h"

namespace portcullis::worker {
namespace {

using metrics::KeyResult;
using metrics::SigningThread;

class SignatureTest : public RingTest {
 protected:
  RigOptions Options() const { return {.ring = GetParam(), .sign_on_helper = true}; }
};

INSTANTIATE_TEST_SUITE_P(Rings, SignatureTest, AllRings(), RingName);

class Nobody final : public signing::ResultSink {
 public:
  void Take(signing::Result /*result*/) override {}
};

// Tasks in front of the worker's.
class Hold {
 public:
  Hold(WorkerRig& rig, uint32_t count) : count_(count) {
    static Nobody nobody;  // outlives every helper
    for (uint32_t i = 0; i < count; ++i) {
      signing::Task task{.job = {.key = key_, .scheme = 0, .input = {}}, .sink = &nobody};
      EXPECT_TRUE(rig.signers().Submit(0, task));
    }
    key_->WaitBegun();
  }
  ~Hold() { Release(); }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  void Release() {
    if (!released_) key_->Release(static_cast<int>(count_));
    released_ = true;
  }

 private:
  std::shared_ptr<signing::HeldKey> key_ = std::make_shared<signing::HeldKey>();
  uint32_t count_;
  bool released_ = false;
};

uint64_t Count(WorkerRig& rig, SigningThread thread, KeyResult result) {
  return rig.shard().key_operations(metrics::KeyOperationKind(0, thread, result));
}

// Sends a ClientHello and waits until the worker has taken it.
void Greet(WorkerRig& rig, TlsWire& client) {
  client.Greet();
  EXPECT_TRUE(WorkerRig::Eventually([&] { return rig.signers().num_tasks(0) == 2; }));
}

TEST_P(SignatureTest, MadeByTheHelperItLetsTheClientIn) {
  WorkerRig rig(Options());
  for (int i = 0; i < 3; ++i) {
    TlsWire client = rig.Connect(rig.Client());
    ASSERT_TRUE(client.Handshake());
    rig.ExpectServed(client);
  }
  EXPECT_EQ(Count(rig, SigningThread::kHelper, KeyResult::kOk), 3U);
  EXPECT_EQ(Count(rig, SigningThread::kWorker, KeyResult::kOk), 0U);
}

TEST_P(SignatureTest, WithoutRoomAtTheHelperTheWorkerSigns) {
  WorkerRig rig(Options());
  Hold hold(rig, signing::Pool::kMaxTasks);
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  rig.ExpectServed(client);
  EXPECT_EQ(Count(rig, SigningThread::kWorker, KeyResult::kOk), 1U);
}

TEST_P(SignatureTest, OthersAreServedMeanwhile) {
  WorkerRig rig(Options());
  TlsWire served = rig.Connect(rig.Client());
  ASSERT_TRUE(served.Handshake());
  Hold hold(rig, 1);
  TlsWire waiting = rig.Connect(rig.Client());
  Greet(rig, waiting);
  rig.ExpectServed(served);
  hold.Release();
  ASSERT_TRUE(waiting.Handshake());
  rig.ExpectServed(waiting);
}

TEST_P(SignatureTest, AClientThatLeavesMeanwhileIsForgotten) {
  WorkerRig rig(Options());
  Hold hold(rig, 1);
  {
    TlsWire leaving = rig.Connect(rig.Client());
    Greet(rig, leaving);
  }
  EXPECT_TRUE(WorkerRig::Eventually([&] { return rig.counts().active_connections.value() == 0; }));
  EXPECT_TRUE(WorkerRig::Eventually([&] { return rig.shard().connection_slots.value() == 0; }));
  EXPECT_EQ(Count(rig, SigningThread::kHelper, KeyResult::kAbandoned), 1U);
  // Its slot may be the next one's when its signature comes.
  TlsWire next = rig.Connect(rig.Client());
  hold.Release();
  ASSERT_TRUE(next.Handshake());
  rig.ExpectServed(next);
}

TEST_P(SignatureTest, TheHandshakesDeadlineHoldsMeanwhile) {
  RigOptions options = Options();
  options.timeouts.handshake = std::chrono::milliseconds(100);
  WorkerRig rig(options);
  Hold hold(rig, 1);
  TlsWire client = rig.Connect(rig.Client());
  Greet(rig, client);
  EXPECT_FALSE(client.Handshake());
  EXPECT_EQ(client.client().alert(), SSL_AD_INTERNAL_ERROR);
  EXPECT_EQ(rig.counts().rejections(static_cast<size_t>(tls::Rejection::kTimeout)), 1U);
  hold.Release();
}

TEST_P(SignatureTest, AReloadMeanwhileChangesNothingForIt) {
  WorkerRig rig(Options());
  Hold hold(rig, 1);
  TlsWire client = rig.Connect(rig.Client());
  Greet(rig, client);
  rig.Publish(rig.MakeRuntime(), -1);
  hold.Release();
  ASSERT_TRUE(client.Handshake());
  rig.ExpectServed(client);
}

TEST_P(SignatureTest, WhatTheClientSaysMeanwhileIsReadAfterwards) {
  WorkerRig rig(Options());
  Hold hold(rig, 1);
  TlsWire chatty = rig.Connect(rig.Client());
  Greet(rig, chatty);
  // Records that no key opens, and more of them than are kept: the rest is not read.
  const std::string record = std::string("\x17\x03\x03\x40", 4) + std::string(1 + 0x4000, '\0');
  for (int i = 0; i < 20; ++i) chatty.wire().Send(record);
  TlsWire next = rig.Connect(rig.Client());
  hold.Release();
  ASSERT_TRUE(next.Handshake());
  EXPECT_TRUE(WorkerRig::Eventually([&] {
    return rig.counts().rejections(static_cast<size_t>(tls::Rejection::kBadMessage)) == 1;
  }));
}

TEST_P(SignatureTest, ADrainCutsWhatStillWaits) {
  WorkerRig rig(Options());
  Hold hold(rig, 1);
  TlsWire client = rig.Connect(rig.Client());
  Greet(rig, client);
  rig.worker().Post(Drain{std::chrono::milliseconds(0)});
  EXPECT_FALSE(client.Handshake());
  rig.worker().Join();
}

}  // namespace
}  // namespace portcullis::worker
