// What is special to the kernel's ring. With no io_uring here all of it is skipped, and the binary
// fails for that.
#include "io/uring_ring.h"

#include <sys/eventfd.h>

#include <thread>

#include "tests/io/ring_fixture.h"

namespace portcullis::io {
namespace {

class UringRingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto ring = UringRing::Create({.sq_entries = 4, .cq_entries = 8});
    ASSERT_TRUE(ring.ok()) << ring.status();
    ring_ = *std::move(ring);
  }

  void Nop(uint64_t user_data) {
    io_uring_sqe* sqe = ring_->GetSqe();
    io_uring_prep_nop(sqe);
    sqe->user_data = user_data;
  }

  std::unique_ptr<UringRing> ring_;
};

TEST_F(UringRingTest, TheDefaultSizesAreAccepted) {
  const auto ring = UringRing::Create({});
  EXPECT_TRUE(ring.ok()) << ring.status();
}

TEST_F(UringRingTest, SubmittingFarMoreThanBothQueuesHoldLosesNothing) {
  constexpr uint64_t kMany = 5000;
  for (uint64_t i = 1; i <= kMany; ++i) Nop(i);
  uint64_t sum = 0;
  uint64_t count = 0;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (count < kMany && std::chrono::steady_clock::now() < deadline) {
    Cqe batch[16];
    const int reaped = ring_->SubmitAndReap(kTick, batch);
    ASSERT_GE(reaped, 0);
    for (int i = 0; i < reaped; ++i) sum += batch[i].user_data;
    count += static_cast<uint64_t>(reaped);
  }
  EXPECT_EQ(count, kMany);
  EXPECT_EQ(sum, kMany * (kMany + 1) / 2);
  EXPECT_EQ(ring_->counters().submitted, kMany);
  EXPECT_EQ(ring_->counters().completed, kMany);
  EXPECT_GT(ring_->counters().sq_full, 0U);
}

TEST_F(UringRingTest, CountsTurnsThatSawAnOverflow) {
  const Fd event(::eventfd(0, EFD_CLOEXEC));
  uint64_t values[32];
  // More reads complete at once than the completion queue holds.
  for (uint64_t& value : values) {
    io_uring_sqe* sqe = ring_->GetSqe();
    io_uring_prep_read(sqe, event.get(), &value, sizeof value, 0);
    sqe->user_data = 1;
  }
  Cqe batch[4];
  ASSERT_EQ(ring_->SubmitAndReap(std::chrono::nanoseconds::zero(), batch), 0);
  io_uring_sqe* sqe = ring_->GetSqe();
  io_uring_prep_cancel_fd(sqe, event.get(), IORING_ASYNC_CANCEL_ALL);
  sqe->user_data = 2;
  int count = 0;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (count < 33 && std::chrono::steady_clock::now() < deadline) {
    const int reaped = ring_->SubmitAndReap(kTick, batch);
    ASSERT_GE(reaped, 0);
    count += reaped;
  }
  EXPECT_EQ(count, 33);
  EXPECT_GT(ring_->counters().cq_overflow, 0U);
}

TEST_F(UringRingTest, EachThreadMayHaveItsOwn) {
  int reaped = 0;
  std::thread other([&] {
    const auto ring = UringRing::Create({.sq_entries = 4, .cq_entries = 8});
    ASSERT_TRUE(ring.ok());
    io_uring_sqe* sqe = (*ring)->GetSqe();
    io_uring_prep_nop(sqe);
    Cqe batch[4];
    reaped = (*ring)->SubmitAndReap(kPatience, batch);
  });
  other.join();
  EXPECT_EQ(reaped, 1);
}

TEST_F(UringRingTest, ImpossibleSizesAreRefusedWithACause) {
  const auto ring = UringRing::Create({.sq_entries = 0, .cq_entries = 0});
  ASSERT_FALSE(ring.ok());
  EXPECT_NE(std::string(ring.status().message()).find("io_uring: "), std::string::npos);
}

}  // namespace
}  // namespace portcullis::io
