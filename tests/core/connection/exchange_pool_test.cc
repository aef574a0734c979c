#include "core/connection/exchange_pool.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace portcullis::connection {
namespace {

struct Responses final : http::ResponseEvents {
  void OnInterim(http::ResponseHead& /*head*/) override {}
  void OnResponseHead(http::ResponseHead& head) override { status = head.status; }
  void OnResponseData(std::span<const uint8_t> /*data*/) override {}
  void OnResponseTrailers(http::HeaderList& /*trailers*/) override {}
  void OnResponseEnd() override {}

  int status = 0;
};

class ExchangePoolTest : public ::testing::Test {
 protected:
  // Sends a request, as far as the codec is concerned, and gives it `response`.
  void Run(http::Http1ClientCodec& codec, std::string_view response) {
    http::RequestHead head;
    head.method = "GET";
    head.path = "/";
    const http::ByteSink nowhere{nullptr, [](void*, const uint8_t*, size_t) {}};
    codec.EncodeRequestHead(head, nowhere);
    codec.EncodeEnd(nowhere);
    size_t consumed = 0;
    last_ =
        codec.Feed({reinterpret_cast<const uint8_t*>(response.data()), response.size()}, consumed);
  }

  const http::Http1Limits limits_;
  Responses events_;
  ExchangePool pool_;
  http::FeedResult last_ = http::FeedResult::kNeedMore;
};

constexpr std::string_view kClean = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

TEST_F(ExchangePoolTest, ACodecWhoseExchangeEndedServesTheNext) {
  auto codec = pool_.TakeCodec(limits_, events_);
  Run(*codec, kClean);
  ASSERT_EQ(last_, http::FeedResult::kMessageEnd);
  const void* const first = codec.get();
  pool_.GiveCodec(std::move(codec));
  Responses others;
  codec = pool_.TakeCodec(limits_, others);
  EXPECT_EQ(codec.get(), first);
  EXPECT_FALSE(codec->response_begun());
  Run(*codec, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(others.status, 404);
  EXPECT_EQ(events_.status, 200) << "the first exchange hears no more";
}

TEST_F(ExchangePoolTest, ACodecWithAnExchangeUnderWayOrFailedIsNotKept) {
  for (const std::string_view response :
       {std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"),
        std::string_view("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
        std::string_view("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")}) {
    auto codec = pool_.TakeCodec(limits_, events_);
    Run(*codec, response);
    pool_.GiveCodec(std::move(codec));
    codec = pool_.TakeCodec(limits_, events_);
    EXPECT_FALSE(codec->request_started()) << response;
    Run(*codec, kClean);
    EXPECT_EQ(last_, http::FeedResult::kMessageEnd) << response;
  }
  pool_.GiveCodec(nullptr);
}

TEST_F(ExchangePoolTest, AChangeOfLimitsHoldsFromTheNextExchangeOn) {
  auto codec = pool_.TakeCodec(limits_, events_);
  Run(*codec, kClean);
  pool_.GiveCodec(std::move(codec));
  const http::Http1Limits narrow{.max_head_bytes = 30};
  codec = pool_.TakeCodec(narrow, events_);
  Run(*codec, kClean);
  EXPECT_EQ(last_, http::FeedResult::kError);
}

TEST_F(ExchangePoolTest, BuffersComeBackEmptyAndNoneIsKeptThatGrewLarge) {
  std::vector<uint8_t> buffer(100, 'x');
  const uint8_t* const place = buffer.data();
  pool_.GiveBuffer(std::move(buffer));
  buffer = pool_.TakeBuffer();
  EXPECT_TRUE(buffer.empty());
  EXPECT_GE(buffer.capacity(), 100U);
  EXPECT_EQ(buffer.data(), place);
  pool_.GiveBuffer(std::vector<uint8_t>(ExchangePool::kMaxBufferBytes + 1));
  EXPECT_EQ(pool_.TakeBuffer().capacity(), 0U);
}

TEST_F(ExchangePoolTest, NoMoreAreKeptThanItsBound) {
  for (size_t i = 0; i < ExchangePool::kMaxKept + 1; ++i) {
    pool_.GiveBuffer(std::vector<uint8_t>(10));
  }
  for (size_t i = 0; i < ExchangePool::kMaxKept; ++i) EXPECT_GE(pool_.TakeBuffer().capacity(), 10U);
  EXPECT_EQ(pool_.TakeBuffer().capacity(), 0U);
}

}  // namespace
}  // namespace portcullis::connection
