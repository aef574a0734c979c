// The faults that the scripted ring injects, each doing what its comment says; and what a Stream
// makes of those that only it can cause.
#include "io/script_ring.h"

#include <algorithm>
#include <set>

#include "tests/io/stream_rig.h"

namespace portcullis::io {
namespace {

using CancelOrder = ScriptFaults::CancelOrder;

constexpr int kTiny = 4096;  // socket buffers that block a send soon

class ScriptFault : public ::testing::Test {
 protected:
  ScriptFault() : rig_(ring_, 8, 256) {}

  StreamRecord& Open(int buffer_bytes = 0) {
    pairs_.push_back(MakeTcpPair(buffer_bytes));
    return rig_.Open(std::move(pairs_.back().near));
  }
  Fd& far() { return pairs_.back().far; }
  void Settle() { rig_.Turn(std::chrono::nanoseconds::zero()); }
  std::vector<Cqe> ReapOnce() {
    Cqe batch[64];
    const int count = ring_.SubmitAndReap(std::chrono::nanoseconds::zero(), batch);
    return {batch, batch + count};
  }
  // Cancels two sends that are blocked on one socket, which are told apart as kSend and kConnect,
  // and returns the order of the three completions.
  static std::vector<Op> OrderOfCancel(uint64_t seed, CancelOrder order) {
    ScriptRing ring(ScriptOptions{.seed = seed});
    ring.set_faults({.cancel_order = order});
    const TcpPair pair = MakeTcpPair(kTiny);
    const std::string much(kTiny, 'x');
    while (::send(pair.near.get(), much.data(), much.size(), MSG_DONTWAIT) > 0) {
    }
    for (const Op op : {Op::kSend, Op::kConnect}) {
      io_uring_sqe* sqe = ring.GetSqe();
      io_uring_prep_send(sqe, pair.near.get(), much.data(), much.size(), 0);
      sqe->user_data = Token{.op = op}.Encode();
    }
    Cqe batch[8];
    EXPECT_EQ(ring.SubmitAndReap(std::chrono::nanoseconds::zero(), batch), 0);
    io_uring_sqe* sqe = ring.GetSqe();
    io_uring_prep_cancel_fd(sqe, pair.near.get(), IORING_ASYNC_CANCEL_ALL);
    sqe->user_data = Token{.op = Op::kCancel}.Encode();
    const int count = ring.SubmitAndReap(std::chrono::nanoseconds::zero(), batch);
    EXPECT_EQ(count, 3);
    std::vector<Op> ops;
    for (int i = 0; i < count; ++i) ops.push_back(Token::Decode(batch[i].user_data).op);
    return ops;
  }

  ScriptRing ring_{ScriptOptions{.seed = 5}};
  StreamRig rig_;
  std::vector<TcpPair> pairs_;
};

TEST_F(ScriptFault, ShortSendsMoveEverythingInTheEnd) {
  ring_.set_faults({.short_send = 100});
  StreamRecord& record = Open();
  rig_.Send(record, std::string(20000, 'x'));
  ASSERT_TRUE(rig_.RunUntil([&] { return record.drained == 1; }));
  EXPECT_GT(record.completions[Op::kSend], 3);
  EXPECT_EQ(record.stream.bytes_sent(), 20000U);
}

TEST_F(ScriptFault, ShortReceivesSplitWhatIsThere) {
  ring_.set_faults({.short_recv = 100});
  StreamRecord& record = Open();
  record.stream.StartRecv(rig_.env());
  Write(far(), std::string(1000, 'y'));
  ASSERT_TRUE(rig_.RunUntil([&] { return record.received.size() == 1000; }));
  EXPECT_GE(record.completions[Op::kRecv], 1000 / 64);
}

TEST_F(ScriptFault, LosingMoreEndsTheMultishotWithItsData) {
  ring_.set_faults({.lose_more = 100});
  StreamRecord& record = Open();
  record.stream.StartRecv(rig_.env());
  Write(far(), std::string(1000, 'z'));
  ASSERT_TRUE(rig_.RunUntil([&] { return record.received.size() == 1000; }));
  EXPECT_EQ(record.stream.inflight(), 1U) << "armed again every time";
}

TEST_F(ScriptFault, NoBuffersStarvesAndTheStreamIsRearmed) {
  ring_.set_faults({.no_buffers = 100});
  StreamRecord& record = Open();
  record.stream.StartRecv(rig_.env());
  Settle();
  EXPECT_EQ(rig_.counters().recv_enobufs, 1U);
  ring_.set_faults({});
  Write(far(), "w");
  ASSERT_TRUE(rig_.RunUntil([&] { return record.received == "w"; }));
}

TEST_F(ScriptFault, AMissedPauseIsCountedAndTriedAgainWhenBytesArrive) {
  StreamRecord& record = Open();
  record.stream.StartRecv(rig_.env());
  Settle();
  ring_.set_faults({.cancel_miss = 100});
  record.stream.Pause(rig_.env());
  Settle();
  EXPECT_EQ(record.stream.inflight(), 1U) << "still armed";
  Settle();
  EXPECT_EQ(rig_.counters().cancel_misses, 0U) << "no spinning while nothing arrives";
  ring_.set_faults({});
  Write(far(), "one");
  ASSERT_TRUE(rig_.RunUntil([&] { return record.stream.inflight() == 0; }));
  EXPECT_EQ(rig_.counters().cancel_misses, 1U);
  EXPECT_TRUE(record.stream.has_held());
  rig_.Resume(record);
  Write(far(), " two");
  ASSERT_TRUE(rig_.RunUntil([&] { return record.received == "one two"; }));
}

TEST_F(ScriptFault, ResumingAfterAMissedPauseGoesOnWithTheSameReceive) {
  StreamRecord& record = Open();
  record.stream.StartRecv(rig_.env());
  Settle();
  ring_.set_faults({.cancel_miss = 100});
  record.stream.Pause(rig_.env());
  Settle();
  rig_.Resume(record);
  EXPECT_EQ(record.stream.inflight(), 1U);
  Write(far(), "on");
  ASSERT_TRUE(rig_.RunUntil([&] { return record.received == "on"; }));
  ring_.set_faults({});
  record.stream.Pause(rig_.env());
  ASSERT_TRUE(rig_.RunUntil([&] { return record.stream.inflight() == 0; }))
      << "a new pause cancels anew";
}

TEST_F(ScriptFault, ACloseThatCannotCancelResetsTheConnection) {
  StreamRecord& record = Open(kTiny);
  record.stream.StartRecv(rig_.env());
  rig_.Send(record, std::string(1 << 20, 'x'));
  Settle();
  ring_.set_faults({.cancel_miss = 100});
  rig_.CloseAndRelease(record, /*abort=*/false);
  EXPECT_TRUE(ReadToEnd(far()).ends_with(" " + std::to_string(ECONNRESET)));
}

TEST_F(ScriptFault, CancelsThatOverlapAndFindNothingResetNobody) {
  StreamRecord& record = Open();
  record.stream.StartRecv(rig_.env());
  rig_.Send(record, "farewell");
  Settle();
  ::shutdown(far().get(), SHUT_WR);  // which ends the receive, whatever cancels do
  ring_.set_faults({.cancel_miss = 100});
  record.stream.Pause(rig_.env());
  const std::vector<Cqe> batch = ReapOnce();
  ASSERT_EQ(batch.size(), 2U) << "the pause's cancel, and the end";
  record.stream.BeginClose(rig_.env());
  for (const Cqe& cqe : batch) rig_.Dispatch(cqe);
  ASSERT_TRUE(rig_.RunUntil([&] { return record.stream.releasable(); }));
  record.stream.Release(rig_.env(), /*abort=*/false);
  EXPECT_EQ(ReadToEnd(far()), "farewell");
}

TEST_F(ScriptFault, LateVictimsKeepTheSlot) {
  ring_.set_faults({.late_victim = 100});
  StreamRecord& record = Open();
  record.stream.StartRecv(rig_.env());
  Settle();
  record.stream.BeginClose(rig_.env());
  Settle();
  EXPECT_EQ(record.completions[Op::kCancel], 1);
  EXPECT_EQ(record.stream.inflight(), 1U);
  EXPECT_FALSE(record.stream.releasable());
  ASSERT_TRUE(rig_.RunUntil([&] { return record.stream.releasable(); }));
}

TEST_F(ScriptFault, ACancelledSendReportsAPart) {
  ring_.set_faults({.partial_cancel = 100});
  const std::string much(16 << 20, 'x');
  StreamRecord& record = Open(kTiny);
  rig_.Send(record, much);
  Settle();
  record.stream.BeginClose(rig_.env());
  ASSERT_TRUE(rig_.RunUntil([&] { return record.stream.releasable(); }));
  const uint64_t moved = record.stream.bytes_sent();
  EXPECT_GT(moved, 0U);
  EXPECT_LT(moved, much.size());
  record.stream.Release(rig_.env(), /*abort=*/false);
  EXPECT_EQ(ReadToEnd(far()).size(), moved);
}

TEST_F(ScriptFault, CancelsCompleteBeforeOrAfterTheirVictimsAsTold) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    EXPECT_EQ(OrderOfCancel(seed, CancelOrder::kCancelFirst).front(), Op::kCancel);
    EXPECT_EQ(OrderOfCancel(seed, CancelOrder::kVictimsFirst).back(), Op::kCancel);
  }
}

TEST_F(ScriptFault, ShufflingGivesEveryOrderAndTheSameOneForTheSameSeed) {
  std::set<std::vector<Op>> orders;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    const std::vector<Op> order = OrderOfCancel(seed, CancelOrder::kAny);
    EXPECT_EQ(order, OrderOfCancel(seed, CancelOrder::kAny)) << seed;
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 6U);
}

TEST_F(ScriptFault, TheNthOperationOfAKindFails) {
  ring_.Fail(IORING_OP_NOP, 2, EIO);
  for (uint64_t i = 1; i <= 3; ++i) {
    io_uring_sqe* sqe = ring_.GetSqe();
    io_uring_prep_nop(sqe);
    sqe->user_data = i;
  }
  const std::vector<Cqe> all = ReapOnce();
  ASSERT_EQ(all.size(), 3U);
  for (const Cqe& cqe : all) EXPECT_EQ(cqe.res, cqe.user_data == 2 ? -EIO : 0);
}

TEST_F(ScriptFault, FinishEndsAPendingOperationAndOnlyThat) {
  StreamRecord& record = Open();
  record.stream.StartRecv(rig_.env());
  const Token token{
      .owner = Owner::kDownstream, .op = Op::kRecv, .generation = 1, .slot = record.slot};
  EXPECT_TRUE(ring_.Finish(token.Encode(), -ETIMEDOUT));
  EXPECT_FALSE(ring_.Finish(token.Encode(), -ETIMEDOUT));
  Settle();
  EXPECT_EQ(record.recv_error, ETIMEDOUT);
}

TEST_F(ScriptFault, UnknownOperationsAreInvalid) {
  io_uring_sqe* sqe = ring_.GetSqe();
  io_uring_prep_fsync(sqe, 0, 0);
  sqe->user_data = 1;
  EXPECT_EQ(ReapOnce().at(0).res, -EINVAL);
}

}  // namespace
}  // namespace portcullis::io
