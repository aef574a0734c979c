// Every operation of a Stream, ended with every errno, in every state it can fly in: nothing
// crashes, nothing stays in flight, no buffer or block is lost. On the scripted ring, which can end
// operations at will.
#include <functional>
#include <string>
#include <vector>

#include "tests/io/stream_rig.h"

namespace portcullis::io {
namespace {

// The results to end operations with: every errno that Linux has, EOF or nothing moved, and
// io_uring's own.
std::vector<int> Results() {
  std::vector<int> results = {0, -512 /* ERESTARTSYS, the kernel's own */};
  for (int error = 1; error <= 133; ++error) results.push_back(-error);
  return results;
}

struct State {
  const char* name;
  Op op;  // which operation to end
  std::function<void(StreamRig&, StreamRecord&)> enter;
};

void Settle(StreamRig& rig) { rig.Turn(std::chrono::nanoseconds::zero()); }

void Arm(StreamRig& rig, StreamRecord& record) {
  record.stream.StartRecv(rig.env());
  Settle(rig);
}

void SendMuch(StreamRig& rig, StreamRecord& record) {
  // More than the socket takes.
  rig.Send(record, std::string(256 << 10, 'x'));
  Settle(rig);
  EXPECT_TRUE(record.stream.send_in_flight());
}

void Dial(StreamRig& rig, StreamRecord& record) {
  const sockaddr_in nowhere = Loopback(1);
  record.stream.Connect(rig.env(), reinterpret_cast<const sockaddr*>(&nowhere), sizeof nowhere);
}

std::vector<State> States() {
  return {
      {"armed", Op::kRecv, Arm},
      {"pausing", Op::kRecv,
       [](StreamRig& rig, StreamRecord& record) {
         Arm(rig, record);
         record.stream.Pause(rig.env());
       }},
      {"pause taken back", Op::kRecv,
       [](StreamRig& rig, StreamRecord& record) {
         Arm(rig, record);
         record.stream.Pause(rig.env());
         rig.Resume(record);
       }},
      {"armed, closing", Op::kRecv,
       [](StreamRig& rig, StreamRecord& record) {
         Arm(rig, record);
         record.stream.BeginClose(rig.env());
       }},
      {"sending", Op::kSend, SendMuch},
      {"sending, to be shut when drained", Op::kSend,
       [](StreamRig& rig, StreamRecord& record) {
         SendMuch(rig, record);
         record.stream.ShutdownWriteWhenDrained();
       }},
      {"sending while armed", Op::kSend,
       [](StreamRig& rig, StreamRecord& record) {
         Arm(rig, record);
         SendMuch(rig, record);
       }},
      {"armed while sending", Op::kRecv,
       [](StreamRig& rig, StreamRecord& record) {
         Arm(rig, record);
         SendMuch(rig, record);
       }},
      {"sending, closing", Op::kSend,
       [](StreamRig& rig, StreamRecord& record) {
         SendMuch(rig, record);
         record.stream.BeginClose(rig.env());
       }},
      {"connecting", Op::kConnect, Dial},
      {"connecting, closing", Op::kConnect,
       [](StreamRig& rig, StreamRecord& record) {
         Dial(rig, record);
         record.stream.BeginClose(rig.env());
       }},
      {"pausing, its cancel", Op::kCancel,
       [](StreamRig& rig, StreamRecord& record) {
         Arm(rig, record);
         record.stream.Pause(rig.env());
       }},
      {"pause taken back, its cancel", Op::kCancel,
       [](StreamRig& rig, StreamRecord& record) {
         Arm(rig, record);
         record.stream.Pause(rig.env());
         rig.Resume(record);
       }},
      {"closing, its cancel", Op::kCancel,
       [](StreamRig& rig, StreamRecord& record) {
         Arm(rig, record);
         SendMuch(rig, record);
         record.stream.BeginClose(rig.env());
       }},
  };
}

// Makes the operation in question end with `result` on its way: those not yet submitted fail when
// they are, those that fly are ended.
void End(ScriptRing& ring, const State& state, const StreamRecord& record, int result) {
  if (state.op == Op::kCancel) {
    // Ends the cancel without it having cancelled anything.
    if (result < 0) ring.Fail(IORING_OP_ASYNC_CANCEL, 1, -result);
    return;
  }
  const Token token{
      .owner = Owner::kDownstream, .op = state.op, .generation = 1, .slot = record.slot};
  if (state.op == Op::kConnect) {
    if (result < 0) ring.Fail(IORING_OP_CONNECT, 1, -result);
    return;
  }
  static_cast<void>(ring.Finish(token.Encode(), result));
}

TEST(StreamTable, EveryOperationMayEndWithAnyErrnoInAnyState) {
  for (const State& state : States()) {
    for (const int result : Results()) {
      for (const uint64_t seed : {1U, 2U, 3U}) {
        SCOPED_TRACE(std::string(state.name) + ", result " + std::to_string(result) + ", seed " +
                     std::to_string(seed));
        ScriptRing ring(ScriptOptions{.seed = seed});
        StreamRig rig(ring, 8, 256);
        TcpPair pair = MakeTcpPair();
        StreamRecord& record =
            rig.Open(state.op == Op::kConnect ? Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
                                              : std::move(pair.near));
        state.enter(rig, record);
        End(ring, state, record, result);
        Write(pair.far, "more");
        for (int turn = 0; turn < 4; ++turn) Settle(rig);
        if (!record.stream.closing() && record.stream.paused()) rig.Resume(record);
        for (int turn = 0; turn < 2; ++turn) Settle(rig);
        rig.CloseAndRelease(record, /*abort=*/true);
        ASSERT_EQ(record.stream.inflight(), 0U);
        ASSERT_EQ(ring.pending(), 0U);
        if (HasFailure()) return;
      }
    }
  }
}

// A receive that fails for good is reported once, with its errno, unless the stream is closing.
TEST(StreamTable, LastingErrorsAreReportedAndPassingOnesAreNot) {
  for (int error = 1; error <= 133; ++error) {
    SCOPED_TRACE(error);
    const bool passing = error == EAGAIN || error == EINTR || error == ENOBUFS;
    ScriptRing ring(ScriptOptions{.seed = 1});
    StreamRig rig(ring, 8, 256);
    TcpPair pair = MakeTcpPair();
    StreamRecord& record = rig.Open(std::move(pair.near));
    ring.Fail(IORING_OP_RECV, 1, error);
    ring.Fail(IORING_OP_SEND, 1, error);
    record.stream.StartRecv(rig.env());
    rig.Send(record, "x");
    Write(pair.far, "more");
    for (int turn = 0; turn < 4; ++turn) Settle(rig);
    EXPECT_EQ(record.recv_error, passing || error == ECANCELED ? 0 : error);
    EXPECT_EQ(record.received, passing || error == ECANCELED ? "more" : "");
    const bool resent = error == EAGAIN || error == EINTR;
    EXPECT_EQ(record.send_error, resent ? 0 : error);
    EXPECT_EQ(record.drained, resent ? 1 : 0);
  }
}

}  // namespace
}  // namespace portcullis::io
