// Single attempts at operations, as the scripted ring makes them. What the kernel does is the
// conformance suite's.
#include "io/script_ops.h"

#include <poll.h>

#include <array>
#include <string>

#include "tests/io/ring_fixture.h"

namespace portcullis::io {
namespace {

using Kind = ScriptOutcome::Kind;

class ScriptOpsTest : public ::testing::Test {
 protected:
  ScriptOpsTest() {
    for (uint16_t id = 0; id < 2; ++id) {
      entries_[id].addr = reinterpret_cast<uintptr_t>(memory_[id].data());
      entries_[id].len = static_cast<uint32_t>(memory_[id].size());
      entries_[id].bid = static_cast<uint16_t>(id + 5);
    }
    entries_[0].resv = 2;  // the tail
  }

  ScriptOp Recv(bool multishot) {
    ScriptOp op{.fd = pair_.near.get()};
    if (multishot) {
      io_uring_prep_recv_multishot(&op.sqe, op.fd, nullptr, 0, 0);
    } else {
      io_uring_prep_recv(&op.sqe, op.fd, nullptr, 0, 0);
    }
    op.sqe.flags |= IOSQE_BUFFER_SELECT;
    return op;
  }

  TcpPair pair_ = MakeTcpPair(/*buffer_bytes=*/4096);
  std::array<std::array<char, 8>, 2> memory_{};
  std::array<io_uring_buf, 2> entries_{};
  ScriptGroup group_{.entries = entries_.data(), .mask = 1, .head = 0};
};

TEST_F(ScriptOpsTest, AReceiveWaitsThenTakesABufferThenReportsTheEndWithoutOne) {
  ScriptOp op = Recv(/*multishot=*/true);
  EXPECT_EQ(Attempt(op, &group_, 0).kind, Kind::kWait);
  EXPECT_EQ(group_.available(), 2) << "waiting uses no buffer";
  Write(pair_.far, "hello");
  ScriptOutcome outcome = Attempt(op, &group_, 0);
  EXPECT_EQ(outcome.kind, Kind::kMore);
  EXPECT_EQ(outcome.res, 5);
  EXPECT_EQ(outcome.flags >> IORING_CQE_BUFFER_SHIFT, 5U);
  EXPECT_EQ(std::string(memory_[0].data(), 5), "hello");
  EXPECT_EQ(group_.available(), 1);
  pair_.far.Close();
  outcome = Attempt(op, &group_, 0);
  EXPECT_EQ(outcome.kind, Kind::kDone);
  EXPECT_EQ(outcome.res, 0);
  EXPECT_EQ(outcome.flags & IORING_CQE_F_BUFFER, 0U);
  EXPECT_EQ(group_.available(), 1);
}

TEST_F(ScriptOpsTest, AReceiveTakesAtMostWhatItIsToldAndOneshotEnds) {
  Write(pair_.far, "hello");
  ScriptOp op = Recv(/*multishot=*/false);
  const ScriptOutcome outcome = Attempt(op, &group_, 2);
  EXPECT_EQ(outcome.kind, Kind::kDone);
  EXPECT_EQ(outcome.res, 2);
}

TEST_F(ScriptOpsTest, AReceiveWithoutAGroupOrBuffersFails) {
  ScriptOp op = Recv(/*multishot=*/true);
  EXPECT_EQ(Attempt(op, nullptr, 0).res, -ENOBUFS);
  group_.head = 2;
  EXPECT_EQ(Attempt(op, &group_, 0).res, -ENOBUFS);
  op.sqe.flags = 0;
  EXPECT_EQ(Attempt(op, &group_, 0).res, -EINVAL);
}

TEST_F(ScriptOpsTest, AWaitallSendRemembersHowFarItCame) {
  const std::string much(1 << 20, 'x');
  ScriptOp op{.fd = pair_.near.get()};
  io_uring_prep_send(&op.sqe, op.fd, much.data(), much.size(), MSG_NOSIGNAL | MSG_WAITALL);
  EXPECT_EQ(op.events(), POLLOUT);
  EXPECT_EQ(Attempt(op, nullptr, 0).kind, Kind::kWait);
  const size_t first = op.done;
  EXPECT_GT(first, 0U);
  EXPECT_LT(first, much.size());
  std::string got;
  ScriptOutcome outcome;
  while (outcome.kind == Kind::kWait) {
    char buffer[65536];
    const ssize_t length = ::recv(pair_.far.get(), buffer, sizeof buffer, 0);
    ASSERT_GT(length, 0);
    got.append(buffer, static_cast<size_t>(length));
    outcome = Attempt(op, nullptr, 0);
  }
  EXPECT_EQ(outcome.res, static_cast<int>(much.size()));
  pair_.near.Close();
  got += ReadToEnd(pair_.far);
  EXPECT_EQ(got, much);
}

TEST_F(ScriptOpsTest, ASendThatFailsOnItsWayReportsWhatItMoved) {
  const std::string much(1 << 20, 'x');
  ScriptOp op{.fd = pair_.near.get()};
  io_uring_prep_send(&op.sqe, op.fd, much.data(), much.size(), MSG_NOSIGNAL | MSG_WAITALL);
  EXPECT_EQ(Attempt(op, nullptr, 0).kind, Kind::kWait);
  pair_.far.Close();  // with unread bytes: a reset
  ScriptOutcome outcome = Attempt(op, nullptr, 0);
  EXPECT_EQ(outcome.kind, Kind::kDone);
  EXPECT_EQ(outcome.res, static_cast<int>(op.done));
  op.done = 0;
  EXPECT_EQ(Attempt(op, nullptr, 0).res, -EPIPE);
}

TEST_F(ScriptOpsTest, SendmsgResumesInTheMiddleOfAPiece) {
  std::string one = "abc";
  std::string two = "defgh";
  iovec pieces[2] = {{one.data(), one.size()}, {two.data(), two.size()}};
  msghdr message{};
  message.msg_iov = pieces;
  message.msg_iovlen = 2;
  ScriptOp op{.fd = pair_.near.get()};
  io_uring_prep_sendmsg(&op.sqe, op.fd, &message, MSG_NOSIGNAL | MSG_WAITALL);
  EXPECT_EQ(Attempt(op, nullptr, 5).res, 5);
  EXPECT_EQ(Attempt(op, nullptr, 0).res, 8);
  pair_.near.Close();
  EXPECT_EQ(ReadToEnd(pair_.far), "abcdefgh");
}

TEST_F(ScriptOpsTest, ConnectLeavesTheDescriptorBlocking) {
  sockaddr_in address{};
  const Fd listener = Listen(4, address);
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ScriptOp op{.fd = fd.get()};
  io_uring_prep_connect(&op.sqe, op.fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  ScriptOutcome outcome;
  while (outcome.kind == Kind::kWait && std::chrono::steady_clock::now() < deadline) {
    outcome = Attempt(op, nullptr, 0);
  }
  EXPECT_EQ(outcome.kind, Kind::kDone);
  EXPECT_EQ(outcome.res, 0);
  EXPECT_EQ(::fcntl(fd.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(ScriptOpsTest, UnknownOperationsAreInvalid) {
  ScriptOp op{.fd = pair_.near.get()};
  io_uring_prep_fsync(&op.sqe, op.fd, 0);
  EXPECT_EQ(Attempt(op, nullptr, 0).res, -EINVAL);
}

}  // namespace
}  // namespace portcullis::io
