#include "tls/span_bio.h"

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace portcullis::tls {
namespace {

std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

void Append(void* context, const uint8_t* bytes, size_t size) {
  static_cast<std::string*>(context)->append(reinterpret_cast<const char*>(bytes), size);
}

class SpanBioTest : public ::testing::Test {
 protected:
  std::string Read(int size) {
    std::array<char, 64> buffer;
    const int result = BIO_read(bio_.get(), buffer.data(), size);
    return result > 0 ? std::string(buffer.data(), static_cast<size_t>(result)) : "";
  }

  SpanIo io_;
  bssl::UniquePtr<BIO> bio_ = NewSpanBio(&io_);
  std::string sent_;
};

TEST_F(SpanBioTest, ReadsDrainTheInputAndThenAskForMore) {
  std::span<const uint8_t> input = BytesOf("abcdef");
  io_.input = &input;
  EXPECT_EQ(Read(4), "abcd");
  EXPECT_EQ(input.size(), 2U);
  EXPECT_EQ(Read(4), "ef");
  EXPECT_EQ(Read(4), "");
  EXPECT_TRUE(BIO_should_read(bio_.get()));
  input = BytesOf("g");
  EXPECT_EQ(Read(4), "g");
  EXPECT_FALSE(BIO_should_retry(bio_.get()));
}

TEST_F(SpanBioTest, WritesGoToTheSinkWhole) {
  io_.sink = {&sent_, Append};
  EXPECT_EQ(BIO_write(bio_.get(), "hello", 5), 5);
  EXPECT_EQ(BIO_write(bio_.get(), " you", 4), 4);
  EXPECT_EQ(BIO_flush(bio_.get()), 1);
  EXPECT_EQ(sent_, "hello you");
}

TEST_F(SpanBioTest, AnAlertInTheClearIsSeenAtTheEndHoweverItComes) {
  const std::string_view record("\x15\x03\x03\x00\x02\x02\x2a", 7);
  for (const int step : {1, 2, 5, 64}) {
    std::span<const uint8_t> input = BytesOf("some bytes before");
    io_.input = &input;
    while (!input.empty()) (void)Read(step);
    EXPECT_EQ(io_.LastClearAlert(), -1);
    input = BytesOf(record);
    while (!input.empty()) {
      EXPECT_EQ(io_.LastClearAlert(), -1);
      (void)Read(step);
    }
    EXPECT_EQ(io_.LastClearAlert(), 0x2a);
  }
}

TEST_F(SpanBioTest, WarningsAndOtherRecordsAreNoAlertInTheClear) {
  for (const std::string_view record : {std::string_view("\x15\x03\x03\x00\x02\x01\x00", 7),
                                        std::string_view("\x16\x03\x03\x00\x02\x02\x2a", 7),
                                        std::string_view("\x15\x03\x03\x00\x12\x02\x2a", 7)}) {
    std::span<const uint8_t> input = BytesOf(record);
    io_.input = &input;
    (void)Read(64);
    EXPECT_EQ(io_.LastClearAlert(), -1);
  }
}

struct Opening {
  std::string_view bytes;
  bool is_http;
};

class SpeaksHttpTest : public SpanBioTest, public ::testing::WithParamInterface<Opening> {};

TEST_P(SpeaksHttpTest, IsToldByTheFirstFiveBytesHoweverTheyCome) {
  for (const int step : {1, 2, 5}) {
    SpanIo io;
    const bssl::UniquePtr<BIO> bio = NewSpanBio(&io);
    io.sink = {&sent_, Append};
    std::span<const uint8_t> input = BytesOf(GetParam().bytes);
    io.input = &input;
    std::array<char, 8> buffer;
    while (!input.empty()) {
      EXPECT_FALSE(io.num_first < 5 && io.SpeaksHttp());
      BIO_read(bio.get(), buffer.data(), step);
    }
    EXPECT_EQ(io.SpeaksHttp(), GetParam().is_http);
    sent_.clear();
    EXPECT_EQ(BIO_write(bio.get(), "alert", 5), 5);
    EXPECT_EQ(sent_, GetParam().is_http ? "" : "alert");
  }
}

INSTANTIATE_TEST_SUITE_P(
    Openings, SpeaksHttpTest,
    ::testing::Values(Opening{"GET / HTTP/1.1\r\n", true}, Opening{"POST /", true},
                      Opening{"DELETE /", true}, Opening{"PRI * HTTP/2.0", true},
                      Opening{"OPTIONS *", true}, Opening{{"\x16\x03\x01\x02\x00\x01", 6}, false},
                      Opening{"get / ", false}, Opening{"GE\x01\x02\x03", false},
                      Opening{"GET", false}, Opening{"SSH-2.0-x", false},
                      Opening{{"\x80\x2e\x01\x03\x01", 5}, false}));

}  // namespace
}  // namespace portcullis::tls
