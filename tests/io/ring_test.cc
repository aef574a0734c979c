// The conformance suite: what a worker relies on in a ring, on the kernel's and on the scripted one
// alike.
#include "io/ring.h"

#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>

#include "io/buffer_ring.h"
#include "tests/io/ring_fixture.h"

namespace portcullis::io {
namespace {

constexpr uint16_t kGroup = 3;

class RingConformance : public RingFixture {
 protected:
  void Accept(const Fd& listener, uint64_t user_data) {
    io_uring_sqe* sqe = ring().GetSqe();
    io_uring_prep_multishot_accept(sqe, listener.get(), nullptr, nullptr, SOCK_CLOEXEC);
    sqe->user_data = user_data;
  }

  void Recv(const Fd& fd, uint64_t user_data) {
    io_uring_sqe* sqe = ring().GetSqe();
    io_uring_prep_recv_multishot(sqe, fd.get(), nullptr, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = kGroup;
    sqe->user_data = user_data;
  }

  void Send(const Fd& fd, std::string_view bytes, int flags, uint64_t user_data) {
    io_uring_sqe* sqe = ring().GetSqe();
    io_uring_prep_send(sqe, fd.get(), bytes.data(), bytes.size(), flags);
    sqe->user_data = user_data;
  }

  void CancelData(uint64_t victim, uint64_t user_data) {
    io_uring_sqe* sqe = ring().GetSqe();
    io_uring_prep_cancel64(sqe, victim, 0);
    sqe->user_data = user_data;
  }

  void CancelFd(const Fd& fd, uint64_t user_data) {
    io_uring_sqe* sqe = ring().GetSqe();
    io_uring_prep_cancel_fd(sqe, fd.get(), IORING_ASYNC_CANCEL_ALL);
    sqe->user_data = user_data;
  }

  void MakeBuffers(uint16_t entries, uint32_t bytes) {
    auto buffers = BufferRing::Create(ring(), kGroup, entries, bytes);
    ASSERT_TRUE(buffers.ok()) << buffers.status();
    buffers_ = *std::move(buffers);
  }

  // Submits, and takes what completes at once.
  std::vector<Cqe> Settle() {
    Cqe batch[64];
    const int count = ring().SubmitAndReap(std::chrono::nanoseconds::zero(), batch);
    EXPECT_GE(count, 0);
    return {batch, batch + std::max(count, 0)};
  }

  std::string Text(const Cqe& cqe) {
    const BufferLease lease(*buffers_, cqe);
    return {lease.bytes().begin(), lease.bytes().end()};
  }

  void TearDown() override { buffers_.reset(); }

  std::unique_ptr<BufferRing> buffers_;
};

// The first completion with `user_data`.
const Cqe& Find(const std::vector<Cqe>& all, uint64_t user_data) {
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const Cqe& cqe) { return cqe.user_data == user_data; });
  if (found != all.end()) return *found;
  ADD_FAILURE() << "no completion of " << user_data;
  static const Cqe kNone{};
  return kNone;
}

TEST_P(RingConformance, NopCompletesWithItsUserData) {
  io_uring_sqe* sqe = ring().GetSqe();
  io_uring_prep_nop(sqe);
  sqe->user_data = 0x1234567890ABCDEF;
  const std::vector<Cqe> all = Reap(1);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].user_data, 0x1234567890ABCDEF);
  EXPECT_EQ(all[0].res, 0);
  EXPECT_FALSE(all[0].more());
}

TEST_P(RingConformance, EntriesComeClearedAndBeyondTheQueueSubmitEarly) {
  constexpr uint64_t kMany = 150;  // the queue has 64
  for (uint64_t i = 0; i < kMany; ++i) {
    io_uring_sqe* sqe = ring().GetSqe();
    ASSERT_NE(sqe, nullptr);
    EXPECT_EQ(sqe->user_data, 0U);
    EXPECT_EQ(sqe->flags, 0);
    io_uring_prep_nop(sqe);
    sqe->user_data = i + 1;
  }
  EXPECT_GT(ring().counters().sq_full, 0U);
  const std::vector<Cqe> all = Reap(kMany);
  uint64_t sum = 0;
  for (const Cqe& cqe : all) sum += cqe.user_data;
  EXPECT_EQ(sum, kMany * (kMany + 1) / 2);
  EXPECT_EQ(ring().counters().submitted, kMany);
  EXPECT_EQ(ring().counters().completed, kMany);
}

TEST_P(RingConformance, WaitingEndsAtTheTimeoutAndZeroDoesNotWait) {
  Cqe batch[4];
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(ring().SubmitAndReap(std::chrono::nanoseconds::zero(), batch), 0);
  const auto after_zero = std::chrono::steady_clock::now();
  EXPECT_EQ(ring().SubmitAndReap(std::chrono::milliseconds(50), batch), 0);
  const auto after_wait = std::chrono::steady_clock::now();
  EXPECT_LT(after_zero - start, std::chrono::seconds(2));
  EXPECT_GE(after_wait - after_zero, std::chrono::milliseconds(45));
}

TEST_P(RingConformance, SubmitHandsOverAndLeavesCompletionsToTheNextTurn) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  const Fd near(ends[0]);
  const Fd far(ends[1]);
  io_uring_sqe* sqe = ring().GetSqe();
  io_uring_prep_send(sqe, near.get(), "now", 3, 0);
  sqe->user_data = 7;
  char text[4] = {};
  EXPECT_EQ(recv(far.get(), text, sizeof(text), 0), -1) << "nothing has been submitted yet";
  ring().Submit();
  EXPECT_EQ(ring().counters().submitted, 1U);
  EXPECT_EQ(ring().counters().completed, 0U);
  const std::vector<Cqe> all = Reap(1);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].user_data, 7U);
  EXPECT_EQ(all[0].res, 3);
  const uint64_t enters = ring().counters().enters;
  ring().Submit();
  EXPECT_EQ(ring().counters().enters, enters)
      << "nothing to hand over, nothing asked of the kernel";
}

TEST_P(RingConformance, CompletionsBeyondTheBatchStayForTheNextTurn) {
  for (uint64_t i = 1; i <= 5; ++i) {
    io_uring_sqe* sqe = ring().GetSqe();
    io_uring_prep_nop(sqe);
    sqe->user_data = i;
  }
  uint64_t sum = 0;
  for (int turn = 0; turn < 5; ++turn) {
    Cqe one[1];
    ASSERT_EQ(ring().SubmitAndReap(kTick, one), 1);
    sum += one[0].user_data;
  }
  EXPECT_EQ(sum, 15U);
}

TEST_P(RingConformance, AcceptDeliversEveryConnectionOfOneArming) {
  sockaddr_in address{};
  const Fd listener = Listen(16, address);
  Accept(listener, 1);
  Settle();
  std::vector<Fd> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(ConnectTo(address));
  const std::vector<Cqe> all = Reap(3);
  for (const Cqe& cqe : all) {
    ASSERT_GE(cqe.res, 0);
    EXPECT_TRUE(cqe.more());
    const Fd accepted(cqe.res);
    char byte = 0;
    EXPECT_EQ(::recv(accepted.get(), &byte, 1, MSG_DONTWAIT), -1);
    EXPECT_EQ(errno, EAGAIN);
  }
  CancelData(1, 2);
  Reap(2);
}

TEST_P(RingConformance, RecvDeliversBytesAndThenTheEndWithoutABuffer) {
  MakeBuffers(8, 64);
  TcpPair pair = MakeTcpPair();
  Recv(pair.near, 1);
  Settle();
  Write(pair.far, "hello");
  std::vector<Cqe> all = Reap(1);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(all[0].more());
  ASSERT_TRUE(all[0].has_buffer());
  EXPECT_EQ(Text(all[0]), "hello");
  pair.far.Close();
  all = Reap(1);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].res, 0);
  EXPECT_FALSE(all[0].more());
  EXPECT_FALSE(all[0].has_buffer());
  EXPECT_EQ(buffers_->available(), 8);
}

TEST_P(RingConformance, RecvOnAnEmptyGroupFailsAtOnceEvenWithoutData) {
  MakeBuffers(1, 16);
  TcpPair first = MakeTcpPair();
  TcpPair second = MakeTcpPair();
  Recv(first.near, 1);
  Settle();
  Write(first.far, "takes the only buffer");
  std::vector<Cqe> all =
      ReapUntil([](const std::vector<Cqe>& seen) { return !seen.empty() && !seen.back().more(); });
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].res, 16);
  EXPECT_EQ(all[1].res, -ENOBUFS);
  Recv(second.near, 2);  // nothing has been sent to it
  const std::vector<Cqe> refused = Reap(1);
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].res, -ENOBUFS);
  EXPECT_FALSE(refused[0].more());
  EXPECT_EQ(Text(all[0]), "takes the only b");  // gives it back
  Recv(first.near, 3);
  all = Reap(1);
  EXPECT_EQ(Text(all[0]), "uffer");
}

// A full completion queue ends multishot receives although they had data; none of it may be lost.
TEST_P(RingConformance, OverflowingCompletionsLoseNoData) {
  ring_.reset();
  Make({.sq_entries = 8, .cq_entries = 8});
  if (IsSkipped()) return;
  MakeBuffers(64, 4);
  TcpPair pair = MakeTcpPair();
  std::string sent;
  for (int i = 0; i < 160; ++i) sent += static_cast<char>('a' + i % 26);
  Write(pair.far, sent);
  std::string got;
  int endings_with_data = 0;
  size_t handled = 0;
  Recv(pair.near, 1);
  ReapUntil([&](const std::vector<Cqe>& seen) {
    for (; handled < seen.size(); ++handled) {
      const Cqe& cqe = seen[handled];
      got += Text(cqe);
      if (cqe.more()) continue;
      if (cqe.res > 0) ++endings_with_data;
      if (got.size() < sent.size()) Recv(pair.near, 1);
    }
    return got.size() >= sent.size();
  });
  EXPECT_EQ(got, sent);
  EXPECT_GT(endings_with_data, 0);
  EXPECT_EQ(buffers_->available(), 64);
  pair.far.Close();
  CancelFd(pair.near, 2);
  ReapUntil([](const std::vector<Cqe>& seen) {
    return std::any_of(seen.begin(), seen.end(), [](const Cqe& cqe) { return cqe.user_data == 2; });
  });
}

TEST_P(RingConformance, SendWithoutWaitallReportsAPartAndWithItAll) {
  const std::string big(16 << 20, 'x');
  TcpPair pair = MakeTcpPair();
  Send(pair.near, big, MSG_NOSIGNAL, 1);
  const std::vector<Cqe> part = Reap(1);
  ASSERT_EQ(part.size(), 1U);
  EXPECT_GT(part[0].res, 0);
  EXPECT_LT(part[0].res, static_cast<int>(big.size()));

  TcpPair waited = MakeTcpPair();
  Send(waited.near, big, MSG_NOSIGNAL | MSG_WAITALL, 2);
  size_t drained = 0;
  std::vector<char> buffer(1 << 20);
  const std::vector<Cqe> whole = ReapUntil([&](const std::vector<Cqe>& seen) {
    while (true) {
      const ssize_t length = ::recv(waited.far.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (length <= 0) break;
      drained += static_cast<size_t>(length);
    }
    return !seen.empty();
  });
  ASSERT_EQ(whole.size(), 1U);
  EXPECT_EQ(whole[0].res, static_cast<int>(big.size()));
}

TEST_P(RingConformance, SendmsgGathersItsPieces) {
  TcpPair pair = MakeTcpPair();
  std::string head = "one ";
  std::string tail = "two";
  iovec pieces[2] = {{head.data(), head.size()}, {tail.data(), tail.size()}};
  msghdr message{};
  message.msg_iov = pieces;
  message.msg_iovlen = 2;
  io_uring_sqe* sqe = ring().GetSqe();
  io_uring_prep_sendmsg(sqe, pair.near.get(), &message, MSG_NOSIGNAL | MSG_WAITALL);
  sqe->user_data = 1;
  EXPECT_EQ(Reap(1).at(0).res, 7);
  pair.near.Close();
  EXPECT_EQ(ReadToEnd(pair.far), "one two");
}

TEST_P(RingConformance, SendToAResetPeerIsAnErrorAndNoSignal) {
  TcpPair pair = MakeTcpPair();
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(pair.far.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  pair.far.Close();
  Send(pair.near, "x", MSG_NOSIGNAL, 1);
  const int first = Reap(1).at(0).res;
  EXPECT_TRUE(first == -EPIPE || first == -ECONNRESET) << first;
  Send(pair.near, "x", MSG_NOSIGNAL, 2);
  EXPECT_EQ(Reap(1).at(0).res, -EPIPE);
}

TEST_P(RingConformance, ConnectSucceedsOrIsRefused) {
  sockaddr_in address{};
  Fd listener = Listen(4, address);
  for (const int expected : {0, -ECONNREFUSED}) {
    const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    io_uring_sqe* sqe = ring().GetSqe();
    io_uring_prep_connect(sqe, fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    sqe->user_data = 1;
    EXPECT_EQ(Reap(1).at(0).res, expected);
    listener.Close();
  }
}

TEST_P(RingConformance, OperationsOnABadDescriptorFailWithEbadf) {
  MakeBuffers(2, 16);
  const Fd none(-1);
  Recv(none, 1);
  Send(none, "x", MSG_NOSIGNAL, 2);
  const std::vector<Cqe> all = Reap(2);
  EXPECT_EQ(Find(all, 1).res, -EBADF);
  EXPECT_EQ(Find(all, 2).res, -EBADF);
}

TEST_P(RingConformance, CancelByUserDataEndsThatOperationOnly) {
  MakeBuffers(4, 64);
  TcpPair pair = MakeTcpPair();
  TcpPair other = MakeTcpPair();
  Recv(pair.near, 1);
  Recv(other.near, 2);
  Settle();
  CancelData(1, 3);
  std::vector<Cqe> all = Reap(2);
  EXPECT_EQ(Find(all, 3).res, 0);
  EXPECT_EQ(Find(all, 1).res, -ECANCELED);
  EXPECT_FALSE(Find(all, 1).more());
  Write(other.far, "still there");
  all = Reap(1);
  EXPECT_EQ(Text(Find(all, 2)), "still there");
  CancelData(1, 4);
  EXPECT_EQ(Reap(1).at(0).res, -ENOENT);
  CancelData(2, 5);
  Reap(2);
}

TEST_P(RingConformance, CancelByDescriptorEndsAllOfItsOperations) {
  MakeBuffers(4, 64);
  const std::string big(32 << 20, 'x');
  TcpPair pair = MakeTcpPair();
  TcpPair other = MakeTcpPair();
  Recv(pair.near, 1);
  Send(pair.near, big, MSG_NOSIGNAL | MSG_WAITALL, 2);
  Recv(other.near, 3);
  EXPECT_TRUE(Settle().empty());
  CancelFd(pair.near, 4);
  std::vector<Cqe> all = Reap(3);
  EXPECT_EQ(Find(all, 4).res, 2);
  EXPECT_EQ(Find(all, 1).res, -ECANCELED);
  // What a cancelled send has moved it reports.
  EXPECT_GT(Find(all, 2).res, 0);
  EXPECT_LT(Find(all, 2).res, static_cast<int>(big.size()));
  CancelFd(pair.near, 5);
  EXPECT_EQ(Reap(1).at(0).res, 0) << "cancelling all of nothing";
  CancelFd(other.near, 6);
  all = Reap(2);
  EXPECT_EQ(Find(all, 3).res, -ECANCELED);
}

TEST_P(RingConformance, ClosingTheDescriptorDoesNotEndAPendingRecv) {
  MakeBuffers(4, 64);
  TcpPair pair = MakeTcpPair();
  Recv(pair.near, 1);
  Settle();
  pair.near.Close();
  Write(pair.far, "late");
  std::vector<Cqe> all = Reap(1);
  EXPECT_EQ(Text(Find(all, 1)), "late");
  EXPECT_TRUE(Find(all, 1).more());
  char byte = 0;
  EXPECT_EQ(::recv(pair.far.get(), &byte, 1, MSG_DONTWAIT), -1)
      << "the connection must still be open";
  CancelData(1, 2);
  all = Reap(2);
  EXPECT_EQ(Find(all, 1).res, -ECANCELED);
  EXPECT_EQ(ReadToEnd(pair.far), "");
}

TEST_P(RingConformance, ShutdownCompletesAPendingRecv) {
  MakeBuffers(4, 64);
  TcpPair pair = MakeTcpPair();
  Recv(pair.near, 1);
  Settle();
  ::shutdown(pair.near.get(), SHUT_RDWR);
  const std::vector<Cqe> all = Reap(1);
  EXPECT_EQ(all.at(0).res, 0);
  EXPECT_FALSE(all.at(0).more());
}

TEST_P(RingConformance, CancelEndsAPendingConnectAndAccept) {
  sockaddr_in address{};
  const Fd listener = Listen(0, address);
  std::vector<Fd> queued;  // fill the backlog: further connects stay unanswered
  for (int i = 0; i < 2; ++i) {
    queued.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ::connect(queued.back().get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  io_uring_sqe* sqe = ring().GetSqe();
  io_uring_prep_connect(sqe, fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  sqe->user_data = 1;
  EXPECT_TRUE(Settle().empty());
  CancelFd(fd, 2);
  EXPECT_EQ(Find(Reap(2), 1).res, -ECANCELED);

  sockaddr_in idle_address{};
  const Fd idle = Listen(4, idle_address);
  Accept(idle, 3);
  EXPECT_TRUE(Settle().empty());
  CancelData(3, 4);
  EXPECT_EQ(Find(Reap(2), 3).res, -ECANCELED);
}

TEST_P(RingConformance, EventfdReadCompletesWhenSignalled) {
  const Fd event(::eventfd(0, EFD_CLOEXEC));
  uint64_t value = 0;
  io_uring_sqe* sqe = ring().GetSqe();
  io_uring_prep_read(sqe, event.get(), &value, sizeof value, 0);
  sqe->user_data = 1;
  EXPECT_TRUE(Settle().empty());
  const uint64_t signal = 3;
  ASSERT_EQ(::write(event.get(), &signal, sizeof signal), 8);
  EXPECT_EQ(Reap(1).at(0).res, 8);
  EXPECT_EQ(value, 3U);
}

TEST_P(RingConformance, ABufferGroupIsRegisteredOnceAndFreeAgainAfterwards) {
  MakeBuffers(4, 64);
  EXPECT_FALSE(BufferRing::Create(ring(), kGroup, 4, 64).ok());
  buffers_.reset();
  MakeBuffers(4, 64);
}

INSTANTIATE_ON_BOTH_RINGS(RingConformance);

}  // namespace
}  // namespace portcullis::io
