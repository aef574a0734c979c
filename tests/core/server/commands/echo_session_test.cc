#include "core/server/commands/echo_session.h"

#include <string>

#include "gtest/gtest.h"

namespace portcullis::server {
namespace {

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string Produced(EchoSession& session, size_t limit) {
  std::string out;
  session.Produce(out, limit, Session::Clock::time_point());
  return out;
}

TEST(EchoSession, ReturnsBytesInOrderWithinTheLimit) {
  EchoSession session;
  EXPECT_EQ(session.Feed(Bytes("hello ")), 6u);
  EXPECT_EQ(session.Feed(Bytes("world")), 5u);
  EXPECT_EQ(Produced(session, 4), "hell");
  EXPECT_EQ(Produced(session, 100), "o world");
  EXPECT_EQ(Produced(session, 100), "");
  EXPECT_FALSE(session.finished());
}

TEST(EchoSession, EndsOnlyAfterAllWasReturned) {
  EchoSession session;
  EXPECT_EQ(session.Feed(Bytes("abc")), 3u);
  session.FeedEnd();
  EXPECT_FALSE(session.wants_input());
  EXPECT_FALSE(session.finished());
  EXPECT_EQ(Produced(session, 2), "ab");
  EXPECT_FALSE(session.finished());
  EXPECT_EQ(Produced(session, 2), "c");
  EXPECT_TRUE(session.finished());
}

TEST(EchoSession, HoldsABoundedAmount) {
  EchoSession session;
  const std::string much(EchoSession::kHeldBytes - 1, 'x');
  EXPECT_EQ(session.Feed(Bytes(much)), much.size());
  EXPECT_TRUE(session.wants_input());
  EXPECT_EQ(session.Feed(Bytes("yz")), 1u);
  EXPECT_FALSE(session.wants_input());
  EXPECT_EQ(Produced(session, 1), "x");
  EXPECT_TRUE(session.wants_input());
}

}  // namespace
}  // namespace portcullis::server
