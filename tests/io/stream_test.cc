// Stream on both rings: bytes, back-pressure, half-close, and the lifetime rule.
#include "io/stream.h"

#include <numeric>

#include "tests/io/stream_rig.h"

namespace portcullis::io {
namespace {

using namespace std::string_literals;

class StreamLifetime : public StreamFixture {};
class StreamFlow : public StreamFixture {};

std::string Pattern(size_t bytes) {
  std::string text(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>('A' + (i * 7 + i / 251) % 53);
  return text;
}

TEST_P(StreamFlow, DeliversBytesAndThenTheEnd) {
  TcpPair pair = MakeTcpPair();
  StreamRecord& record = rig().Open(std::move(pair.near));
  record.stream.StartRecv(env());
  record.stream.StartRecv(env());  // idempotent
  EXPECT_EQ(record.stream.inflight(), 1U);
  const std::string sent = Pattern(5000);
  Write(pair.far, sent);
  pair.far.Close();
  ASSERT_TRUE(rig().RunUntil([&] { return record.eof; }));
  EXPECT_EQ(record.received, sent);
  EXPECT_EQ(record.stream.bytes_received(), sent.size());
  EXPECT_EQ(record.stream.inflight(), 0U);
  EXPECT_TRUE(record.stream.eof());
  record.stream.StartRecv(env());
  EXPECT_EQ(record.stream.inflight(), 0U) << "nothing is armed behind the end";
}

TEST_P(StreamFlow, ReportsAResetAsAnError) {
  TcpPair pair = MakeTcpPair();
  StreamRecord& record = rig().Open(std::move(pair.near));
  record.stream.StartRecv(env());
  rig().Turn();
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(pair.far.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  pair.far.Close();
  ASSERT_TRUE(rig().RunUntil([&] { return record.recv_error != 0; }));
  EXPECT_EQ(record.recv_error, ECONNRESET);
  EXPECT_FALSE(record.eof);
}

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

TEST_P(StreamFlow, PauseHoldAndResumeKeepTheOrder) {
  TcpPair pair = MakeTcpPair();
  StreamRecord& record = rig().Open(std::move(pair.near));
  const std::string sent = Pattern(20000);
  // Consumes half of every delivery, then pauses with the rest held.
  record.consume = [&](std::span<const uint8_t> data) {
    record.stream.Pause(env());
    return data.size() / 2;
  };
  record.stream.StartRecv(env());
  for (size_t at = 0; at < sent.size(); at += 1000) Write(pair.far, sent.substr(at, 1000));
  pair.far.Close();
  ASSERT_TRUE(rig().RunUntil([&] {
    if (record.stream.paused()) rig().Resume(record);
    return record.eof;
  }));
  EXPECT_EQ(record.received, sent);
  EXPECT_GT(rig().counters().recv_pauses, 0U);
}

TEST_P(StreamFlow, WhatAPauseHeldComesBeforeWhatArrivesLater) {
  TcpPair pair = MakeTcpPair();
  StreamRecord& record = rig().Open(std::move(pair.near));
  bool pause = true;
  record.consume = [&](std::span<const uint8_t> data) {
    if (!pause) return data.size();
    pause = false;
    record.stream.Pause(env());
    Write(pair.far, " second");  // arrives while the cancel is on its way
    return size_t{0};
  };
  record.stream.StartRecv(env());
  Write(pair.far, "first");
  ASSERT_TRUE(rig().RunUntil([&] { return record.stream.inflight() == 0; }));
  EXPECT_EQ(record.received, "");
  Write(pair.far, " third");
  pair.far.Close();
  rig().Resume(record);
  ASSERT_TRUE(rig().RunUntil([&] { return record.eof; }));
  EXPECT_EQ(record.received, "first second third");
}

TEST_P(StreamFlow, APausedStreamLeavesBytesToTheKernel) {
  TcpPair pair = MakeTcpPair();
  StreamRecord& record = rig().Open(std::move(pair.near));
  record.stream.StartRecv(env());
  rig().Turn(std::chrono::nanoseconds::zero());
  record.stream.Pause(env());
  ASSERT_TRUE(rig().RunUntil([&] { return record.stream.inflight() == 0; }));
  Write(pair.far, "waits");
  for (int i = 0; i < 3; ++i) rig().Turn(std::chrono::milliseconds(2));
  EXPECT_FALSE(record.stream.has_held());
  EXPECT_EQ(record.received, "");
  rig().Resume(record);
  ASSERT_TRUE(rig().RunUntil([&] { return record.received == "waits"; }));
}

TEST_P(StreamFlow, PausesAreCounted) {
  TcpPair pair = MakeTcpPair();
  StreamRecord& record = rig().Open(std::move(pair.near));
  record.stream.Pause(env());
  record.stream.Pause(env());
  record.stream.StartRecv(env());
  EXPECT_EQ(record.stream.inflight(), 0U) << "a paused stream arms nothing";
  record.stream.Resume(env());
  EXPECT_EQ(record.stream.inflight(), 0U);
  record.stream.Resume(env());
  EXPECT_EQ(record.stream.inflight(), 1U);
  EXPECT_EQ(rig().counters().recv_pauses, 1U);
}

TEST_P(StreamFlow, ResumeBeforeThePauseTookEffectKeepsReceiving) {
  TcpPair pair = MakeTcpPair();
  StreamRecord& record = rig().Open(std::move(pair.near));
  record.stream.StartRecv(env());
  rig().Turn(std::chrono::nanoseconds::zero());
  std::string sent;
  for (int round = 0; round < 20; ++round) {
    record.stream.Pause(env());
    if (round % 3 == 1) rig().Turn(std::chrono::nanoseconds::zero());
    rig().Resume(record);
    if (round % 2 == 0) rig().Turn(std::chrono::nanoseconds::zero());
    sent += std::to_string(round);
    Write(pair.far, std::to_string(round));
  }
  ASSERT_TRUE(rig().RunUntil([&] { return record.received == sent; })) << record.received;
}

TEST_P(StreamFlow, ASecondPauseEndsTheReceiveArmedInBetween) {
  TcpPair pair = MakeTcpPair();
  StreamRecord& record = rig().Open(std::move(pair.near));
  record.stream.StartRecv(env());
  rig().Turn(std::chrono::nanoseconds::zero());
  for (int round = 0; round < 10; ++round) {
    record.stream.Pause(env());
    rig().Resume(record);
    for (int turn = 0; turn < round % 4; ++turn) rig().Turn(std::chrono::nanoseconds::zero());
  }
  record.stream.Pause(env());
  ASSERT_TRUE(rig().RunUntil([&] { return record.stream.inflight() == 0; }));
  Write(pair.far, "not read");
  rig().Turn(std::chrono::milliseconds(2));
  EXPECT_EQ(record.stream.bytes_received(), 0U);
}

TEST_P(StreamFlow, TheEndBehindHeldBytesWaitsForThem) {
  TcpPair pair = MakeTcpPair();
  StreamRecord& record = rig().Open(std::move(pair.near));
  Write(pair.far, "last words");
  pair.far.Close();
  record.consume = [&](std::span<const uint8_t>) {
    record.stream.Pause(env());
    return size_t{0};
  };
  record.stream.StartRecv(env());
  ASSERT_TRUE(rig().RunUntil([&] { return record.stream.inflight() == 0; }));
  EXPECT_FALSE(record.eof);
  EXPECT_TRUE(record.stream.has_held());
  rig().Resume(record);
  EXPECT_EQ(record.received, "last words");
  ASSERT_TRUE(rig().RunUntil([&] { return record.eof; }));
}

TEST_P(StreamFlow, AnEmptyBufferGroupStarvesNobodyForGood) {
  constexpr int kStreams = 6;
  MakeRig(4, 64);
  std::vector<Fd> far;
  std::vector<StreamRecord*> records;
  const std::string sent = Pattern(8000);
  for (int i = 0; i < kStreams; ++i) {
    TcpPair pair = MakeTcpPair();
    records.push_back(&rig().Open(std::move(pair.near)));
    Write(pair.far, sent);
    far.push_back(std::move(pair.far));
    records.back()->stream.StartRecv(env());
  }
  far.clear();
  // Every stream advances while the others still have to wait.
  size_t smallest_at_half = 0;
  ASSERT_TRUE(rig().RunUntil([&] {
    size_t largest = 0;
    size_t smallest = SIZE_MAX;
    bool all = true;
    for (const StreamRecord* record : records) {
      largest = std::max(largest, record->received.size());
      smallest = std::min(smallest, record->received.size());
      all = all && record->eof;
    }
    if (largest >= sent.size() / 2 && smallest_at_half == 0) smallest_at_half = smallest + 1;
    return all;
  }));
  for (const StreamRecord* record : records) EXPECT_EQ(record->received, sent);
  EXPECT_GT(rig().counters().recv_enobufs, 0U);
  EXPECT_GT(smallest_at_half, sent.size() / 8) << "not round robin";
}

TEST_P(StreamFlow, APauseTakesAStarvedStreamOffTheList) {
  MakeRig(1, 16);
  TcpPair pair = MakeTcpPair();
  StreamRecord& record = rig().Open(std::move(pair.near));
  Write(pair.far, Pattern(64));
  // While this lease is held the group is empty, so that the stream starves and stays so.
  record.stream.StartRecv(env());
  std::array<Cqe, 4> batch;
  int count = 0;
  while (count < 2) {
    const int more =
        ring().SubmitAndReap(kTick, std::span(batch).subspan(static_cast<size_t>(count)));
    ASSERT_GE(more, 0);
    count += more;
  }
  {
    const BufferLease lease(rig().buffers(), batch[0]);
    EXPECT_EQ(record.stream.OnRecv(env(), batch[0], lease.bytes()), RecvEvent::kData);
    EXPECT_EQ(record.stream.OnRecv(env(), batch[1], {}), RecvEvent::kNothing);
    EXPECT_FALSE(env().rearm.empty());
    RearmStarved(env());
    EXPECT_FALSE(env().rearm.empty()) << "nothing is free";
    record.stream.Pause(env());
    EXPECT_TRUE(env().rearm.empty());
  }
  EXPECT_EQ(record.stream.inflight(), 0U);
  rig().Resume(record);
  EXPECT_EQ(record.stream.inflight(), 1U);
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

TEST_P(StreamLifetime, AbortResetsSoThatNobodySeesACleanEnd) {
  TcpPair pair = MakeTcpPair();
  StreamRecord& record = rig().Open(std::move(pair.near));
  record.stream.StartRecv(env());
  rig().Send(record, "half a respon");
  ASSERT_TRUE(rig().RunUntil([&] { return record.drained == 1; }));
  rig().CloseAndRelease(record, /*abort=*/true);
  const std::string seen = ReadToEnd(pair.far);
  EXPECT_TRUE(seen.ends_with(" "s + std::to_string(ECONNRESET))) << seen;
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
