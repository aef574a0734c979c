#include "io/polled_socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>

#include "gtest/gtest.h"

namespace portcullis::io {
namespace {

using Result = PolledSocket::Result;

class PolledSocketTest : public ::testing::Test {
 protected:
  void SetUp() override {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const absl::StatusOr<SocketAddress> any = SocketAddress::Parse("127.0.0.1:0");
    ASSERT_TRUE(any.ok());
    ASSERT_EQ(::bind(listener_, any->data(), any->length()), 0);
    ASSERT_EQ(::listen(listener_, 1), 0);
    address_ = LocalOf(listener_);
  }
  void TearDown() override {
    if (listener_ >= 0) ::close(listener_);
    if (peer_ >= 0) ::close(peer_);
  }

  // Connects, and accepts on the other side.
  void Meet() {
    Result result = socket_.Connect(address_);
    ASSERT_NE(result, Result::kFailed);
    if (result == Result::kAgain) {
      Await(PollSet::For::kOutput);
      ASSERT_EQ(socket_.FinishConnect(), Result::kDone);
    }
    peer_ = ::accept(listener_, nullptr, nullptr);
    ASSERT_GE(peer_, 0);
  }
  void Await(PollSet::For what) {
    poll_.Clear();
    poll_.Add(socket_, what);
    poll_.Wait(-1);
    ASSERT_TRUE(poll_.ready(0));
  }

  int listener_ = -1;
  int peer_ = -1;
  SocketAddress address_;
  PolledSocket socket_;
  PollSet poll_;
};

TEST_F(PolledSocketTest, SaysAndHearsWithoutWaiting) {
  Meet();
  std::array<char, 16> buffer;
  size_t size = 1;
  EXPECT_EQ(socket_.Receive(buffer, size), Result::kAgain);
  EXPECT_EQ(size, 0U);
  ASSERT_EQ(socket_.Send("question", size), Result::kDone);
  EXPECT_EQ(size, 8U);
  ASSERT_EQ(::recv(peer_, buffer.data(), buffer.size(), 0), 8);
  ASSERT_EQ(::send(peer_, "answer", 6, MSG_NOSIGNAL), 6);
  Await(PollSet::For::kInput);
  ASSERT_EQ(socket_.Receive(buffer, size), Result::kDone);
  EXPECT_EQ(std::string(buffer.data(), size), "answer");
}

TEST_F(PolledSocketTest, ThePeersEndIsNothingReceived) {
  Meet();
  ASSERT_EQ(::shutdown(peer_, SHUT_WR), 0);
  Await(PollSet::For::kInput);
  std::array<char, 16> buffer;
  size_t size = 1;
  EXPECT_EQ(socket_.Receive(buffer, size), Result::kDone);
  EXPECT_EQ(size, 0U);
}

TEST_F(PolledSocketTest, AFullSocketAsksToBeAskedAgain) {
  Meet();
  const std::string much(1 << 20, 'x');
  size_t size = 0;
  Result result = Result::kDone;
  for (int i = 0; i < 1000 && result == Result::kDone; ++i) result = socket_.Send(much, size);
  EXPECT_EQ(result, Result::kAgain);
  EXPECT_EQ(size, 0U);
}

TEST_F(PolledSocketTest, WhoeverDoesNotListenIsAFailure) {
  ASSERT_EQ(::close(listener_), 0);
  listener_ = -1;
  Result result = socket_.Connect(address_);
  if (result == Result::kAgain) {
    Await(PollSet::For::kOutput);
    result = socket_.FinishConnect();
  }
  EXPECT_EQ(result, Result::kFailed);
}

TEST_F(PolledSocketTest, AReusedSocketIsANewOne) {
  Meet();
  ::close(peer_);
  Meet();
  size_t size = 0;
  EXPECT_EQ(socket_.Send("again", size), Result::kDone);
}

TEST_F(PolledSocketTest, AWakeUpEndsTheWaiting) {
  Meet();
  const absl::StatusOr<std::unique_ptr<WakeEvent>> wake = WakeEvent::Create();
  ASSERT_TRUE(wake.ok());
  poll_.Clear();
  poll_.Add(socket_, PollSet::For::kInput);
  poll_.Add(**wake);
  poll_.Wait(0);
  EXPECT_FALSE(poll_.ready(1));
  (*wake)->Signal();
  (*wake)->Signal();
  poll_.Wait(-1);
  EXPECT_FALSE(poll_.ready(0));
  EXPECT_TRUE(poll_.ready(1));
  (*wake)->Consume();
  poll_.Wait(0);
  EXPECT_FALSE(poll_.ready(1));
}

}  // namespace
}  // namespace portcullis::io
