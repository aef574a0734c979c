// Stream on both rings: connecting, sending, half-close, and the lifetime rule.
#include "io/stream.h"

#include "tests/io/stream_rig.h"

namespace portcullis::io {
namespace {

class StreamLifetime : public StreamFixture {};
class StreamFlow : public StreamFixture {};

TEST_P(StreamFlow, SendsOneAtATimeAndCollectsWhatIsAppendedMeanwhile) {
  TcpPair pair = MakeTcpPair();
  StreamRecord& record = rig().Open(std::move(pair.near));
  const std::string sent = Pattern(5 * kBlockBytes);  // several pieces
  rig().Send(record, sent.substr(0, 100));
  EXPECT_TRUE(record.stream.send_in_flight());
  rig().Send(record, sent.substr(100));
  EXPECT_EQ(record.stream.inflight(), 1U);
  record.stream.ShutdownWriteWhenDrained();
  EXPECT_FALSE(record.stream.write_shut());
  ASSERT_TRUE(rig().RunUntil([&] { return record.stream.write_shut(); }));
  EXPECT_EQ(ReadToEnd(pair.far), sent);
  EXPECT_EQ(record.stream.bytes_sent(), sent.size());
  EXPECT_TRUE(record.stream.output().empty());
  EXPECT_EQ(rig().blocks().blocks_in_use(), 0U);
  EXPECT_GE(record.completions[Op::kSend], 2);
}

TEST_P(StreamFlow, HalfCloseStillReceives) {
  TcpPair pair = MakeTcpPair();
  StreamRecord& record = rig().Open(std::move(pair.near));
  record.stream.StartRecv(env());
  record.stream.ShutdownWriteWhenDrained();  // nothing to drain: at once
  EXPECT_TRUE(record.stream.write_shut());
  EXPECT_EQ(ReadToEnd(pair.far), "");
  Write(pair.far, "answer");
  pair.far.Close();
  ASSERT_TRUE(rig().RunUntil([&] { return record.eof; }));
  EXPECT_EQ(record.received, "answer");
}

TEST_P(StreamFlow, ConnectsAndIsRefused) {
  sockaddr_in address{};
  Fd listener = Listen(4, address);
  const auto dial = [&] {
    StreamRecord& record = rig().Open(Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)));
    {
      // The address is copied: the caller's may be gone when the kernel looks.
      const sockaddr_in temporary = address;
      record.stream.Connect(env(), reinterpret_cast<const sockaddr*>(&temporary), sizeof temporary);
    }
    EXPECT_TRUE(rig().RunUntil([&] { return record.connect_result >= 0; }));
    return &record;
  };
  StreamRecord* connected = dial();
  EXPECT_EQ(connected->connect_result, 0);
  const Fd accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  connected->stream.StartRecv(env());
  rig().Send(*connected, "hello");
  ASSERT_TRUE(rig().RunUntil([&] { return connected->drained == 1; }));
  char text[5];
  EXPECT_EQ(::recv(accepted.get(), text, sizeof text, MSG_WAITALL), 5);
  listener.Close();
  StreamRecord* refused = dial();
  EXPECT_EQ(refused->connect_result, ECONNREFUSED);
  EXPECT_EQ(refused->stream.error(), ECONNREFUSED);
}

TEST_P(StreamLifetime, WithNothingInFlightItIsReleasableAtOnce) {
  TcpPair pair = MakeTcpPair();
  StreamRecord& record = rig().Open(std::move(pair.near));
  EXPECT_FALSE(record.stream.releasable());
  record.stream.BeginClose(env());
  record.stream.BeginClose(env());
  EXPECT_TRUE(record.stream.releasable());
  record.stream.Release(env(), /*abort=*/false);
  EXPECT_FALSE(record.stream.open());
  EXPECT_EQ(ReadToEnd(pair.far), "");
}

TEST_P(StreamLifetime, SlotSurvivesUntilItsCancelledRecvCompletes) {
  TcpPair pair = MakeTcpPair();
  StreamRecord& record = rig().Open(std::move(pair.near));
  record.stream.StartRecv(env());
  rig().Turn(std::chrono::nanoseconds::zero());
  record.stream.BeginClose(env());
  EXPECT_EQ(record.stream.inflight(), 2U) << "the receive and its cancel";
  EXPECT_FALSE(record.stream.releasable());
  record.stream.BeginClose(env());
  EXPECT_EQ(record.stream.inflight(), 2U) << "a second close adds nothing";
  Write(pair.far, "too late");
  ASSERT_TRUE(rig().RunUntil([&] { return record.stream.releasable(); }));
  EXPECT_EQ(record.received, "");
  EXPECT_EQ(record.completions[Op::kCancel], 1);
  record.stream.Release(env(), /*abort=*/false);
}

TEST_P(StreamLifetime, ACancelledSendMayHaveMovedAPartAndKeepsItsBlocks) {
  TcpPair pair = MakeTcpPair(/*buffer_bytes=*/4096);
  StreamRecord& record = rig().Open(std::move(pair.near));
  const std::string sent = Pattern(4 << 20);
  rig().Send(record, sent);
  for (int i = 0; i < 3; ++i) rig().Turn(std::chrono::milliseconds(1));
  ASSERT_TRUE(record.stream.send_in_flight());
  record.stream.BeginClose(env());
  EXPECT_GT(rig().blocks().blocks_in_use(), 0U);
  ASSERT_TRUE(rig().RunUntil([&] { return record.stream.releasable(); }));
  const uint64_t moved = record.stream.bytes_sent();
  EXPECT_GT(moved, 0U);
  EXPECT_LT(moved, kMaxIovecs * kBlockBytes) << "the first send was to be cut short";
  record.stream.Release(env(), /*abort=*/false);
  EXPECT_EQ(rig().blocks().blocks_in_use(), 0U);
  const std::string got = ReadToEnd(pair.far);
  EXPECT_EQ(got.size(), moved) << "what the kernel took is what was counted";
  EXPECT_EQ(got, sent.substr(0, got.size()));
}

TEST_P(StreamLifetime, CloseCancelsASendThatIsStillThereWhenTheReceiveIsCancelled) {
  TcpPair pair = MakeTcpPair(/*buffer_bytes=*/4096);
  StreamRecord& record = rig().Open(std::move(pair.near));
  record.stream.StartRecv(env());
  rig().Send(record, Pattern(4 << 20));
  for (int i = 0; i < 3; ++i) rig().Turn(std::chrono::milliseconds(1));
  ASSERT_TRUE(record.stream.send_in_flight());
  record.stream.BeginClose(env());
  ASSERT_TRUE(rig().RunUntil([&] { return record.stream.releasable(); }));
  EXPECT_EQ(record.completions[Op::kCancel], 2) << "the receive's and, by descriptor, the send's";
  record.stream.Release(env(), /*abort=*/false);
  EXPECT_EQ(rig().blocks().blocks_in_use(), 0U);
}

TEST_P(StreamLifetime, CloseRightBehindASendNeedsOneCancelAndTheSendArrives) {
  TcpPair pair = MakeTcpPair();
  StreamRecord& record = rig().Open(std::move(pair.near));
  record.stream.StartRecv(env());
  rig().Turn(std::chrono::nanoseconds::zero());
  rig().Send(record, "farewell");
  ASSERT_TRUE(record.stream.send_in_flight());
  record.stream.BeginClose(env());
  ASSERT_TRUE(rig().RunUntil([&] { return record.stream.releasable(); }));
  EXPECT_EQ(record.completions[Op::kCancel], 1);
  record.stream.Release(env(), /*abort=*/false);
  EXPECT_EQ(ReadToEnd(pair.far), "farewell");
}

TEST_P(StreamLifetime, AbortResetsSoThatNobodySeesACleanEnd) {
  TcpPair pair = MakeTcpPair();
  StreamRecord& record = rig().Open(std::move(pair.near));
  record.stream.StartRecv(env());
  rig().Send(record, "half a respon");
  ASSERT_TRUE(rig().RunUntil([&] { return record.drained == 1; }));
  rig().CloseAndRelease(record, /*abort=*/true);
  const std::string seen = ReadToEnd(pair.far);
  EXPECT_TRUE(seen.ends_with(" " + std::to_string(ECONNRESET))) << seen;
}

TEST_P(StreamLifetime, CloseEndsAPendingConnect) {
  sockaddr_in address{};
  const Fd listener = Listen(0, address);
  std::vector<Fd> queued;  // fill the backlog: further connects stay unanswered
  for (int i = 0; i < 2; ++i) {
    queued.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ::connect(queued.back().get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
  StreamRecord& record = rig().Open(Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)));
  record.stream.Connect(env(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  rig().Turn(std::chrono::nanoseconds::zero());
  EXPECT_EQ(record.connect_result, -1);
  rig().CloseAndRelease(record, /*abort=*/false);
  EXPECT_EQ(record.connect_result, ECANCELED);
}

TEST_P(StreamLifetime, AReleasedObjectStartsAfresh) {
  TcpPair first = MakeTcpPair();
  StreamRecord& record = rig().Open(std::move(first.near));
  record.stream.StartRecv(env());
  rig().Send(record, "x");
  Write(first.far, "y");
  ASSERT_TRUE(rig().RunUntil([&] { return record.received == "y" && record.drained == 1; }));
  record.stream.Pause(env());
  record.stream.ShutdownWriteWhenDrained();
  rig().CloseAndRelease(record, /*abort=*/false);

  TcpPair second = MakeTcpPair();
  record.stream.Open(second.near.Release(),
                     {.owner = Owner::kDownstream, .generation = 1, .slot = record.slot});
  EXPECT_FALSE(record.stream.paused());
  EXPECT_FALSE(record.stream.write_shut());
  EXPECT_FALSE(record.stream.eof());
  EXPECT_FALSE(record.stream.closing());
  EXPECT_EQ(record.stream.bytes_sent(), 0U);
  EXPECT_EQ(record.stream.bytes_received(), 0U);
  record.stream.StartRecv(env());
  Write(second.far, "z");
  ASSERT_TRUE(rig().RunUntil([&] { return record.received == "yz"; }));
}

TEST(StreamDeathTest, DestroyingAnOpenStreamAborts) {
  EXPECT_DEATH(
      {
        Stream stream;
        stream.Open(::dup(0), {});
      },
      "destroyed under the kernel");
}

INSTANTIATE_ON_BOTH_RINGS(StreamFlow);
INSTANTIATE_ON_BOTH_RINGS(StreamLifetime);

}  // namespace
}  // namespace portcullis::io
