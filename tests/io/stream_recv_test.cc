// The receiving half of Stream on both rings: bytes and their end, back-pressure, starvation.
#include "tests/io/stream_rig.h"

namespace portcullis::io {
namespace {

class StreamRecv : public StreamFixture {};

TEST_P(StreamRecv, DeliversBytesAndThenTheEnd) {
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

TEST_P(StreamRecv, ReportsAResetAsAnError) {
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

TEST_P(StreamRecv, PauseHoldAndResumeKeepTheOrder) {
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

TEST_P(StreamRecv, WhatAPauseHeldComesBeforeWhatArrivesLater) {
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

// A caller may sit on bytes while the next completion is dispatched already.
TEST_P(StreamRecv, WhatTheCallerHoldsComesBeforeWhatWasHeldAlready) {
  TcpPair pair = MakeTcpPair();
  StreamRecord& record = rig().Open(std::move(pair.near));
  record.stream.StartRecv(env());
  Write(pair.far, "first ");
  const Cqe first = Reap(1).at(0);
  Write(pair.far, "second");
  const Cqe second = Reap(1).at(0);
  const BufferLease in_hand(rig().buffers(), first);
  ASSERT_EQ(record.stream.OnRecv(env(), first, in_hand.bytes()), RecvEvent::kData);
  record.stream.Pause(env());
  rig().Dispatch(second);
  EXPECT_TRUE(record.stream.has_held());
  record.stream.Hold(in_hand.bytes());
  rig().Resume(record);
  EXPECT_EQ(record.received, "first second");
}

TEST_P(StreamRecv, BytesDoNotOvertakeHeldOnesThatNobodyHasTakenYet) {
  TcpPair pair = MakeTcpPair();
  StreamRecord& record = rig().Open(std::move(pair.near));
  record.stream.StartRecv(env());
  Write(pair.far, "first ");
  const Cqe first = Reap(1).at(0);
  record.stream.Pause(env());
  rig().Dispatch(first);
  record.stream.Resume(env());  // and no TakeHeld
  Write(pair.far, "second");
  ASSERT_TRUE(rig().RunUntil([&] { return record.stream.bytes_received() == 12; }));
  EXPECT_EQ(record.received, "");
  const std::vector<uint8_t> held = record.stream.TakeHeld();
  EXPECT_EQ(std::string(held.begin(), held.end()), "first second");
}

TEST_P(StreamRecv, APausedStreamLeavesBytesToTheKernel) {
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

TEST_P(StreamRecv, PausesAreCounted) {
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

TEST_P(StreamRecv, ResumeBeforeThePauseTookEffectKeepsReceiving) {
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

TEST_P(StreamRecv, ASecondPauseEndsTheReceiveArmedInBetween) {
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

TEST_P(StreamRecv, TheEndBehindHeldBytesWaitsForThem) {
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

TEST_P(StreamRecv, AnEmptyBufferGroupStarvesNobodyForGood) {
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

TEST_P(StreamRecv, APauseTakesAStarvedStreamOffTheList) {
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

INSTANTIATE_ON_BOTH_RINGS(StreamRecv);

}  // namespace
}  // namespace portcullis::io
