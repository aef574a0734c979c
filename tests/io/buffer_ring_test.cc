// BufferRing on both rings, and what AddressSanitizer sees of buffers that the kernel owns.
#include "io/buffer_ring.h"

#include <set>

#include "io/poison.h"
#include "tests/io/ring_fixture.h"

namespace portcullis::io {
namespace {

class BufferRingTest : public RingFixture {
 protected:
  void TearDown() override { buffers_.reset(); }
  void MakeBuffers(uint16_t entries, uint32_t bytes, uint16_t window = 0) {
    auto buffers = BufferRing::Create(ring(), 9, entries, bytes, window);
    ASSERT_TRUE(buffers.ok()) << buffers.status();
    buffers_ = *std::move(buffers);
  }
  void Recv(const Fd& fd) {
    io_uring_sqe* sqe = ring().GetSqe();
    io_uring_prep_recv_multishot(sqe, fd.get(), nullptr, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = 9;
    sqe->user_data = 1;
  }
  std::unique_ptr<BufferRing> buffers_;
};

TEST_P(BufferRingTest, EveryBufferIsAvailableAtFirstAndAgainAfterItsLease) {
  MakeBuffers(8, 32);
  EXPECT_EQ(buffers_->available(), 8);
  EXPECT_EQ(buffers_->entries(), 8);
  EXPECT_EQ(buffers_->group(), 9);
  TcpPair pair = MakeTcpPair();
  Recv(pair.near);
  Write(pair.far, std::string(100, 'x'));
  const std::vector<Cqe> all = Reap(4);
  {
    std::vector<std::unique_ptr<BufferLease>> leases;
    size_t bytes = 0;
    for (const Cqe& cqe : all) {
      leases.push_back(std::make_unique<BufferLease>(*buffers_, cqe));
      bytes += leases.back()->bytes().size();
    }
    EXPECT_EQ(bytes, 100U);
    EXPECT_EQ(buffers_->available(), 4);
  }
  EXPECT_EQ(buffers_->available(), 8);
  pair.far.Close();
  Reap(1);
}

TEST_P(BufferRingTest, ALeaseOfACompletionWithoutBufferIsEmpty) {
  MakeBuffers(2, 32);
  const BufferLease lease(*buffers_, Cqe{.user_data = 1, .res = 7, .flags = 0});
  EXPECT_TRUE(lease.bytes().empty());
  EXPECT_EQ(buffers_->available(), 2);
}

TEST_P(BufferRingTest, GoesRoundManyTimesWithoutLosingABuffer) {
  MakeBuffers(4, 8);
  TcpPair pair = MakeTcpPair();
  std::string got;
  std::string sent;
  bool armed = false;
  for (int round = 0; round < 3000; ++round) {
    if (!armed) Recv(pair.near);
    armed = true;
    const std::string text = std::to_string(round);
    Write(pair.far, text);
    sent += text;
    while (got.size() < sent.size()) {
      for (const Cqe& cqe : Reap(1)) {
        const BufferLease lease(*buffers_, cqe);
        got.append(lease.bytes().begin(), lease.bytes().end());
        if (!cqe.more()) armed = false;
      }
      if (!armed) Recv(pair.near);
      armed = true;
      ASSERT_FALSE(HasFailure());
    }
  }
  EXPECT_EQ(got, sent);
  EXPECT_EQ(buffers_->available(), 4);
  pair.far.Close();
  Reap(1);
}

TEST_P(BufferRingTest, AWindowGoesRoundWidensWhenAskedAndNarrowsInTime) {
  MakeBuffers(16, 8, 2);
  EXPECT_EQ(buffers_->available(), 16) << "in reserve or with the kernel";
  TcpPair pair = MakeTcpPair();
  std::set<uint16_t> used;
  bool armed = false;
  // One message after the other.
  const auto exchange = [&](int messages) {
    for (int i = 0; i < messages && !HasFailure();) {
      if (!armed) Recv(pair.near);
      armed = true;
      Write(pair.far, "message");
      for (const Cqe& cqe : Reap(1)) {
        const BufferLease lease(*buffers_, cqe);
        if (!cqe.more()) armed = false;
        ASSERT_EQ(lease.bytes().size(), 7U);
        used.insert(cqe.buffer_id());
        ++i;
      }
    }
  };
  exchange(50);
  EXPECT_EQ(used.size(), 2U);
  buffers_->Widen();
  EXPECT_EQ(buffers_->window(), 4);
  exchange(50);
  EXPECT_EQ(used.size(), 4U);
  for (int i = 0; i < 5; ++i) buffers_->Widen();
  EXPECT_EQ(buffers_->window(), 16) << "never more than there are";
  exchange(3 * 64 * 16);
  EXPECT_EQ(buffers_->window(), 2);
  EXPECT_EQ(buffers_->available(), 16);
  pair.far.Close();
  Reap(1);
}

TEST_P(BufferRingTest, RefusesSizesThatTheKernelWould) {
  for (const auto& [entries, bytes] :
       {std::pair{uint16_t{3}, 16U}, {uint16_t{0}, 16U}, {uint16_t{4}, 0U}}) {
    const auto buffers = BufferRing::Create(ring(), 9, entries, bytes);
    EXPECT_EQ(buffers.status().code(), absl::StatusCode::kInvalidArgument) << entries;
  }
}

INSTANTIATE_ON_BOTH_RINGS(BufferRingTest);

TEST(BufferRingDeathTest, ABufferIdOutsideTheGroupAborts) {
  ScriptRing ring(ScriptOptions{});
  const auto buffers = BufferRing::Create(ring, 1, 2, 16);
  const Cqe wrong{
      .user_data = 1, .res = 1, .flags = 7U << IORING_CQE_BUFFER_SHIFT | IORING_CQE_F_BUFFER};
  EXPECT_DEATH(BufferLease(**buffers, wrong), "outside its group");
}

#ifdef PORTCULLIS_ASAN
TEST(BufferRingDeathTest, ReadingABufferAfterItsLeaseIsReported) {
  ScriptRing ring(ScriptOptions{});
  const auto buffers = BufferRing::Create(ring, 1, 2, 16);
  const Cqe cqe{.user_data = 1, .res = 4, .flags = IORING_CQE_F_BUFFER};
  const uint8_t* data = nullptr;
  {
    const BufferLease lease(**buffers, cqe);
    data = lease.bytes().data();
    EXPECT_EQ(*data, 0);
  }
  EXPECT_DEATH(static_cast<void>(*static_cast<const volatile uint8_t*>(data)), "use-after-poison");
}
#endif

}  // namespace
}  // namespace portcullis::io
