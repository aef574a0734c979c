// Inbox on both rings: wakes, order from one sender, and real threads (ThreadSanitizer runs this).
#include "io/inbox.h"

#include <array>
#include <memory>
#include <thread>

#include "tests/io/ring_fixture.h"

namespace portcullis::io {
namespace {

struct Message {
  size_t sender;
  int number;
};

using TestInbox = Inbox<std::unique_ptr<Message>>;

class InboxTest : public RingFixture {
 protected:
  void SetUp() override {
    RingFixture::SetUp();
    if (ring_ == nullptr) return;
    inbox_ = *TestInbox::Create();
    inbox_->Arm(ring(), {.owner = Owner::kWorker, .generation = 0, .slot = 3});
  }

  void TearDown() override {
    if (inbox_ == nullptr) return;
    inbox_->BeginClose(ring());
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (inbox_->inflight() > 0 && std::chrono::steady_clock::now() < deadline) Turn(kTick);
    EXPECT_EQ(inbox_->inflight(), 0U);
    inbox_.reset();
  }

  void Turn(std::chrono::nanoseconds timeout) {
    Cqe batch[8];
    const int count = ring().SubmitAndReap(timeout, batch);
    ASSERT_GE(count, 0);
    for (int i = 0; i < count; ++i) {
      const Token token = Token::Decode(batch[i].user_data);
      EXPECT_EQ(token.slot, 3U);
      if (token.op == Op::kCancel) {
        inbox_->OnCancel(batch[i]);
        continue;
      }
      EXPECT_EQ(token.op, Op::kWake);
      inbox_->OnWake(ring(), batch[i]);
      inbox_->Drain(
          [&](std::unique_ptr<Message>&& message) { got_.push_back(std::move(message)); });
    }
  }

  std::unique_ptr<TestInbox> inbox_;
  std::vector<std::unique_ptr<Message>> got_;
};

TEST_P(InboxTest, APushWakesTheRingAndKeepsTheOrder) {
  EXPECT_EQ(inbox_->inflight(), 1U);
  for (int round = 0; round < 3; ++round) {
    got_.clear();
    for (int i = 0; i < 4; ++i) inbox_->Push(std::make_unique<Message>(Message{0, i}));
    Turn(kPatience);
    ASSERT_EQ(got_.size(), 4U);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(got_[static_cast<size_t>(i)]->number, i);
  }
}

TEST_P(InboxTest, AWakeWithoutItemsIsHarmless) {
  inbox_->wake().Signal();
  Turn(kPatience);
  EXPECT_TRUE(got_.empty());
  EXPECT_EQ(inbox_->inflight(), 1U) << "armed again";
}

TEST_P(InboxTest, NothingOfManySendersIsLost) {
  constexpr size_t kSenders = 4;
  constexpr int kEach = 500;
  std::vector<std::thread> threads;
  for (size_t sender = 0; sender < kSenders; ++sender) {
    threads.emplace_back([this, sender] {
      for (int i = 0; i < kEach; ++i) inbox_->Push(std::make_unique<Message>(Message{sender, i}));
    });
  }
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (got_.size() < kSenders * kEach && std::chrono::steady_clock::now() < deadline) Turn(kTick);
  for (std::thread& thread : threads) thread.join();
  ASSERT_EQ(got_.size(), kSenders * kEach);
  std::array<int, kSenders> next{};
  for (const auto& message : got_) EXPECT_EQ(message->number, next[message->sender]++);
}

INSTANTIATE_ON_BOTH_RINGS(InboxTest);

TEST(Inbox, ItemsLeftBehindAreFreedWithIt) {
  const auto item = std::make_shared<int>(1);
  {
    auto inbox = *Inbox<std::shared_ptr<int>>::Create();
    inbox->Push(item);
    inbox->Push(item);
    EXPECT_EQ(item.use_count(), 3);
  }
  EXPECT_EQ(item.use_count(), 1);
}

TEST(Inbox, AMissedCancelStillEndsTheRead) {
  ScriptRing ring(ScriptOptions{.seed = 1});
  ring.set_faults({.cancel_miss = 100});
  const auto wake = *WakeEvent::Create();
  wake->Arm(ring, {});
  Cqe batch[4];
  ASSERT_EQ(ring.SubmitAndReap(std::chrono::nanoseconds::zero(), batch), 0);
  wake->BeginClose(ring);
  for (int turn = 0; turn < 10 && wake->inflight() > 0; ++turn) {
    const int count = ring.SubmitAndReap(kTick, batch);
    for (int i = 0; i < count; ++i) {
      if (Token::Decode(batch[i].user_data).op == Op::kCancel) {
        wake->OnCancel(batch[i]);
      } else {
        wake->OnWake(ring, batch[i]);
      }
    }
  }
  EXPECT_EQ(wake->inflight(), 0U);
}

}  // namespace
}  // namespace portcullis::io
