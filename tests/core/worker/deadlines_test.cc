// What does not come, or is not taken, in time; and targets that cannot be reached.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/core/worker/ring_test_fixture.h"
#include "tests/core/worker/worker_rig.h"

namespace portcullis::worker {
namespace {

using config::milliseconds;
using config::StageMode;
using metrics::ConnectResult;
using ::testing::StartsWith;

constexpr char kAsk[] = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";

class DeadlinesTest : public RingTest {
 protected:
  RigOptions Options(StageMode mode = StageMode::kHttp) const {
    return {.ring = GetParam(), .mode = mode};
  }
};

INSTANTIATE_TEST_SUITE_P(Rings, DeadlinesTest, AllRings(), RingName);

TEST_P(DeadlinesTest, ARequestIsTriedOnTheNextTargetWhereTheFirstRefuses) {
  const DeadTarget dead(DeadTarget::Kind::kRefuses);
  RigOptions options = Options();
  options.first_target = dead.port();
  WorkerRig rig(options);
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  rig.ExpectServed(client);
  EXPECT_EQ(rig.shard().backend(0).connects(ConnectResult::kRefused), 1U);
}

TEST_P(DeadlinesTest, ARequestIsTriedOnTheNextTargetWhereTheFirstDoesNotAnswer) {
  const DeadTarget dead(DeadTarget::Kind::kSilent);
  RigOptions options = Options();
  options.first_target = dead.port();
  options.connect_timeout = milliseconds(50);
  WorkerRig rig(options);
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  rig.ExpectServed(client);
  EXPECT_EQ(rig.shard().backend(0).connects(ConnectResult::kTimeout), 1U);
}

TEST_P(DeadlinesTest, AStreamIsCarriedToTheNextTargetWhereTheFirstIsDead) {
  for (const auto kind : {DeadTarget::Kind::kRefuses, DeadTarget::Kind::kSilent}) {
    const DeadTarget dead(kind);
    RigOptions options = Options(StageMode::kTcp);
    options.first_target = dead.port();
    options.connect_timeout = milliseconds(50);
    WorkerRig rig(options);
    TlsWire client = rig.Connect(rig.Client());
    ASSERT_TRUE(client.Handshake());
    client.Send("said at once");
    EXPECT_EQ(rig.AcceptBackend().ReceiveUntil("at once"), "said at once");
  }
}

TEST_P(DeadlinesTest, WithoutATargetThatAnswersARequestGetsAPageAndAStreamBreaks) {
  RigOptions options = Options();
  options.connect_timeout = milliseconds(50);
  {
    const DeadTarget dead(DeadTarget::Kind::kSilent);
    options.only_target = dead.port();
    WorkerRig rig(options);
    TlsWire client = rig.Connect(rig.Client());
    ASSERT_TRUE(client.Handshake());
    client.Send(kAsk);
    EXPECT_THAT(client.ReceiveUntil("</html>"), StartsWith("HTTP/1.1 504 Gateway Time-out\r\n"));
  }
  const DeadTarget dead(DeadTarget::Kind::kRefuses);
  options.only_target = dead.port();
  {
    WorkerRig rig(options);
    TlsWire client = rig.Connect(rig.Client());
    ASSERT_TRUE(client.Handshake());
    client.Send(kAsk);
    EXPECT_THAT(client.ReceiveUntil("</html>"), StartsWith("HTTP/1.1 502 Bad Gateway\r\n"));
  }
  options.mode = StageMode::kTcp;
  WorkerRig rig(options);
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  EXPECT_EQ(client.ReceiveAll(), "");
  EXPECT_FALSE(client.clean_end());
}

TEST_P(DeadlinesTest, AClientNoLongerLetInIsNotKeptUntilItsTargetAnswers) {
  const DeadTarget dead(DeadTarget::Kind::kSilent);
  RigOptions options = Options(StageMode::kTcp);
  options.only_target = dead.port();
  options.connect_timeout = milliseconds(60'000);
  WorkerRig rig(options);
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  EXPECT_TRUE(
      WorkerRig::Eventually([&] { return rig.counts().handshakes_in_progress.value() == 0; }));
  rig.Publish(rig.MakeStricterRuntime(), -1);
  EXPECT_EQ(client.ReceiveAll(), "");
  EXPECT_TRUE(client.clean_end());
  EXPECT_EQ(rig.counts().lapses(static_cast<size_t>(tls::Rejection::kUnknownCa)), 1U);
}

TEST_P(DeadlinesTest, AnAnswerThatDoesNotComeIsA504) {
  RigOptions options = Options();
  options.timeouts.response = milliseconds(50);
  WorkerRig rig(options);
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  client.Send(kAsk);
  const Wire backend = rig.AcceptBackend();
  EXPECT_THAT(client.ReceiveUntil("</html>"), StartsWith("HTTP/1.1 504 Gateway Time-out\r\n"));
}

TEST_P(DeadlinesTest, AHeadThatDoesNotEndIsA408) {
  RigOptions options = Options();
  options.timeouts.request_head = milliseconds(100);
  WorkerRig rig(options);
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  client.Send("GET / HTTP/1.1\r\nHost: ");
  EXPECT_THAT(client.ReceiveAll(), StartsWith("HTTP/1.1 408 Request Time-out\r\n"));
  EXPECT_TRUE(client.clean_end());
}

TEST_P(DeadlinesTest, AKeptConnectionEndsCleanlyWhenItIsIdle) {
  RigOptions options = Options();
  options.timeouts.idle = milliseconds(50);
  WorkerRig rig(options);
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  rig.ExpectServed(client);
  EXPECT_EQ(client.ReceiveAll(), "");
  EXPECT_TRUE(client.clean_end());
}

TEST_P(DeadlinesTest, AnIdleStreamIsBrokenOnBothSides) {
  RigOptions options = Options(StageMode::kTcp);
  options.timeouts.idle = milliseconds(50);
  WorkerRig rig(options);
  TlsWire client = rig.Connect(rig.Client());
  ASSERT_TRUE(client.Handshake());
  Wire backend = rig.AcceptBackend();
  EXPECT_EQ(backend.ReceiveAll(), "");
  EXPECT_TRUE(backend.reset());
  EXPECT_EQ(client.ReceiveAll(), "");
  EXPECT_FALSE(client.clean_end());
}

TEST_P(DeadlinesTest, AClientThatTakesNothingIsCut) {
  const std::string much(size_t{256} * 1024, 'x');
  for (const StageMode mode : {StageMode::kHttp, StageMode::kTcp}) {
    RigOptions options = Options(mode);
    options.socket_buffer = 4096;
    options.timeouts.write_stall = milliseconds(100);
    WorkerRig rig(options);
    TlsWire client = rig.Connect(rig.Client());
    ASSERT_TRUE(client.Handshake());
    client.Send(kAsk);
    Wire backend = rig.AcceptBackend();
    (void)backend.ReceiveUntil("\r\n\r\n");
    backend.SendSome("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + much);
    EXPECT_TRUE(
        WorkerRig::Eventually([&] { return rig.counts().active_connections.value() == 0; }));
    (void)client.ReceiveAll();
    EXPECT_FALSE(client.clean_end());
  }
}

}  // namespace
}  // namespace portcullis::worker
