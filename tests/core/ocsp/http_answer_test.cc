#include "core/ocsp/http_answer.h"

#include "gtest/gtest.h"

namespace portcullis::ocsp {
namespace {

constexpr const char* kOk = "HTTP/1.0 200 OK\r\n";

// The body, "more" or "bad".
std::string Read(const std::string& bytes, bool ended = false) {
  std::string_view body;
  switch (ReadHttpAnswer(bytes, ended, body)) {
    case AnswerState::kMore:
      return "more";
    case AnswerState::kBad:
      return "bad";
    case AnswerState::kDone:
      break;
  }
  return "[" + std::string(body) + "]";
}

TEST(HttpAnswer, EndsByItsLengthOrByTheConnection) {
  const std::string by_length = std::string(kOk) + "content-length:  4 \r\n\r\n";
  EXPECT_EQ(Read(by_length + "abc"), "more");
  EXPECT_EQ(Read(by_length + "abcd"), "[abcd]");
  EXPECT_EQ(Read(by_length + "abcdef"), "[abcd]");
  EXPECT_EQ(Read(by_length + "abc", true), "bad") << "cut short";
  const std::string by_end = "HTTP/1.1 200\r\nServer: x\r\n\r\n";
  EXPECT_EQ(Read(by_end + "abc"), "more");
  EXPECT_EQ(Read(by_end + "abc", true), "[abc]");
}

TEST(HttpAnswer, ComesInAnyPieces) {
  const std::string whole = std::string(kOk) + "Content-Length: 3\r\n\r\nabc";
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(Read(whole.substr(0, size)), "more") << size;
    EXPECT_EQ(Read(whole.substr(0, size), true), "bad") << size;
  }
  EXPECT_EQ(Read(whole), "[abc]");
}

TEST(HttpAnswer, OthersAreOfNoUse) {
  EXPECT_EQ(Read("HTTP/1.0 404 Not Found\r\n\r\n", true), "bad");
  EXPECT_EQ(Read("HTTP/1.0 2000 OK\r\n\r\n", true), "bad");
  EXPECT_EQ(Read("HTTP/2 200 OK\r\n\r\n", true), "bad");
  EXPECT_EQ(Read(std::string(kOk) + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", true),
            "bad");
  EXPECT_EQ(Read(std::string(kOk) + "Content-Length: -1\r\n\r\n", true), "bad");
  EXPECT_EQ(Read(std::string(kOk) + "Content-Length: 99999999999999999999\r\n\r\n", true), "bad");
  EXPECT_EQ(Read(std::string(kOk) + "Content-Length: 70000\r\n\r\n"), "bad") << "too long";
  EXPECT_EQ(Read(std::string(kOk) + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "bad");
  EXPECT_EQ(Read(std::string(kOk) + std::string(kMaxAnswerBytes, 'x')), "bad") << "too long a head";
}

TEST(HttpAnswer, RequestsSayWhatTheyCarry) {
  const HttpUrl url = {.host = "a", .port = 81, .authority = "a:81", .target = "/o"};
  EXPECT_EQ(MakeHttpRequest(url, "abc"),
            "POST /o HTTP/1.0\r\nHost: a:81\r\nContent-Type: application/ocsp-request\r\n"
            "Accept: application/ocsp-response\r\nContent-Length: 3\r\n\r\nabc");
}

}  // namespace
}  // namespace portcullis::ocsp
