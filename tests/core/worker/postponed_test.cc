// What is said to clients a moment later: tickets, and the reply to a close_notify. That a ticket
// shares its send with the answer is the engine's to show (tests/tls/engine_test.cc).
#include "core/connection/postponed.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/core/worker/ring_test_fixture.h"
#include "tests/core/worker/worker_rig.h"

namespace portcullis::worker {
namespace {

class PostponedTest : public RingTest {};

INSTANTIATE_TEST_SUITE_P(Rings, PostponedTest, AllRings(), RingName);

// In either mode: who says nothing, or hears nothing, has its ticket all the same.
TEST_P(PostponedTest, ATicketThatFindsNoCompanyComesAlone) {
  for (const config::StageMode mode : {config::StageMode::kHttp, config::StageMode::kTcp}) {
    WorkerRig rig({.ring = GetParam(), .mode = mode});
    TlsWire client = rig.Connect(rig.Client());
    ASSERT_TRUE(client.Handshake());
    EXPECT_TRUE(WorkerRig::Eventually([&client] { return client.wire().readable(); }));
    const std::string ticket = client.wire().Receive();
    client.client().Feed({reinterpret_cast<const uint8_t*>(ticket.data()), ticket.size()});
    (void)client.client().Read();
    EXPECT_EQ(client.client().num_tickets(), 1U);
  }
}

TEST_P(PostponedTest, ACloseNotifyIsAnsweredWhileTheClientIsThere) {
  WorkerRig rig({.ring = GetParam()});
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  rig.ExpectServed(client);
  client.CloseNotify();
  EXPECT_EQ(client.ReceiveAll(), "");
  EXPECT_TRUE(client.clean_end());
  EXPECT_TRUE(
      WorkerRig::Eventually([&rig] { return rig.counts().active_connections.value() == 0; }));
}

// The kernel would answer what is sent to a closed socket with a reset.
TEST_P(PostponedTest, ToWhoHasClosedNothingIsSaid) {
  WorkerRig rig({.ring = GetParam()});
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  rig.ExpectServed(client);
  // Until the ring has said that the answer is sent, there is something left to say.
  rig.TakeTurns(50);
  client.wire().ShutdownWrite();
  EXPECT_EQ(client.wire().Receive(), "");
  EXPECT_FALSE(client.clean_end());
  EXPECT_TRUE(
      WorkerRig::Eventually([&rig] { return rig.counts().active_connections.value() == 0; }));
}

}  // namespace
}  // namespace portcullis::worker
