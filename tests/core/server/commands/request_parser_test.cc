#include "core/server/commands/request_parser.h"

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace portcullis::server {
namespace {

using Result = RequestParser::Result;

// Writes down what was parsed, one line a request.
class Recorder : public RequestEvents {
 public:
  void OnHead(const BackendRequest& request) override {
    text += request.method + " " + request.target + " 1." + std::to_string(request.minor_version);
    for (const auto& [name, value] : request.headers) text += " [" + name + "=" + value + "]";
    text += request.keep_alive ? " keep" : " close";
    if (request.chunked) text += " chunked";
    if (request.length) text += " length=" + std::to_string(*request.length);
    text += " {";
  }
  void OnBody(std::span<const uint8_t> bytes) override {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void OnEnd() override { text += "}\n"; }

  std::string text;
};

struct Parsed {
  Result result = Result::kNeedMore;  // of the last Feed
  std::string text;
};

// Parses `input` in pieces of the lengths that `next_length` gives, with Next() after each request.
template <typename NextLength>
Parsed ParseIn(std::string_view input, NextLength next_length) {
  Recorder recorder;
  RequestParser parser(recorder);
  Parsed parsed;
  while (!input.empty()) {
    // The parser gets a copy of its own size, so that reading past the end is found.
    const size_t length = std::min<size_t>(next_length(), input.size());
    std::vector<uint8_t> piece(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(length));
    size_t taken = 0;
    parsed.result = parser.Feed(piece, taken);
    EXPECT_LE(taken, length);
    input.remove_prefix(taken);
    if (parsed.result == Result::kEnd)
      parser.Next();
    else if (parsed.result != Result::kNeedMore)
      break;
    else
      EXPECT_EQ(taken, length);
  }
  parsed.text = recorder.text;
  return parsed;
}

Parsed Parse(std::string_view input) {
  return ParseIn(input, [] { return size_t{1} << 30; });
}

constexpr char kPipeline[] =
    "\r\nGET /a?b HTTP/1.1\r\nHost: h\r\nX-Empty:\r\nx-two:  a  b \t\r\n\r\n"
    "POST /p HTTP/1.1\r\nhost: h\r\nContent-Length: 5\r\n\r\nhello"
    "PUT /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
    "3\r\nabc\r\nA;ext=\"1\"\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
    "GET / HTTP/1.0\r\n\r\n"
    "GET / HTTP/1.0\r\nConnection: foo, Keep-Alive\r\n\r\n"
    "GET / HTTP/1.1\r\nHost: h\r\nConnection: CLOSE\r\nConnection: x\r\n\r\n";

constexpr char kPipelineParsed[] =
    "GET /a?b 1.1 [Host=h] [X-Empty=] [x-two=a  b] keep {}\n"
    "POST /p 1.1 [host=h] [Content-Length=5] keep length=5 {hello}\n"
    "PUT /c 1.1 [Host=h] [Transfer-Encoding=Chunked] keep chunked {abc0123456789}\n"
    "GET / 1.0 close {}\n"
    "GET / 1.0 [Connection=foo, Keep-Alive] keep {}\n"
    "GET / 1.1 [Host=h] [Connection=CLOSE] [Connection=x] close {}\n";

TEST(RequestParser, ReadsPipelinedRequestsWithEveryKindOfBody) {
  const Parsed parsed = Parse(kPipeline);
  EXPECT_EQ(parsed.text, kPipelineParsed);
  EXPECT_EQ(parsed.result, Result::kEnd);
}

TEST(RequestParser, ReadsTheSameHoweverTheBytesAreCut) {
  EXPECT_EQ(ParseIn(kPipeline, [] { return size_t{1}; }).text, kPipelineParsed);
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(ParseIn(kPipeline, [&random] { return 1 + random() % 40; }).text, kPipelineParsed);
  }
}

TEST(RequestParser, EveryPrefixOnlyNeedsMore) {
  const std::string_view request =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n";
  for (size_t length = 0; length < request.size(); ++length) {
    EXPECT_EQ(Parse(request.substr(0, length)).result, Result::kNeedMore) << length;
  }
  EXPECT_EQ(Parse(request).result, Result::kEnd);
}

TEST(RequestParser, RefusesWhatTwoReadersCouldReadInTwoWays) {
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
  const std::string bad[] = {
      "GET /\r\n",
      "GET  / HTTP/1.1\r\n",
      "GET / HTTP/1.1 \r\n",
      "GET / HTTP/1.2\r\n",
      "GET / HTTP/2.0\r\n",
      "GET / http/1.1\r\n",
      " GET / HTTP/1.1\r\n",
      "G(T / HTTP/1.1\r\n",
      "GET /a b HTTP/1.1\r\n",
      "GET /\x01 HTTP/1.1\r\n",
      "GET / HTTP/1.1\n",
      "GET / HTTP/1.1\r\nHost: h\nX: y\r\n",
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost : h\r\n\r\n",
      "GET / HTTP/1.1\r\n: h\r\n\r\n",
      "GET / HTTP/1.1\r\nHost\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nA: b\rc\r\n\r\n",
      std::string("GET / HTTP/1.1\r\nHost: h\r\nA: b") + '\0' + "c\r\n\r\n",
      post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
      post + "Content-Length: 1, 1\r\n\r\n",
      post + "Content-Length: +1\r\n\r\n",
      post + "Content-Length: -1\r\n\r\n",
      post + "Content-Length: 0x1\r\n\r\n",
      post + "Content-Length:\r\n\r\n",
      post + "Content-Length: 18446744073709551616\r\n\r\n",
      post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
      post + "Transfer-Encoding: gzip, chunked\r\n\r\n",
      post + "Transfer-Encoding: identity\r\n\r\n",
      post + "Transfer-Encoding: xchunked\r\n\r\n",
      "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
      chunked + "g\r\n",
      chunked + "\r\n",
      chunked + " 1\r\n",
      chunked + "1 \r\n",
      chunked + "0x1\r\n",
      chunked + "-1\r\n",
      chunked + "1\n",
      chunked + "1111111111111111\r\n",
      chunked + "1\r\nab\r\n",
  };
  for (const std::string& input : bad) {
    EXPECT_EQ(Parse(input).result, Result::kBad) << input;
    EXPECT_EQ(ParseIn(input, [] { return size_t{1}; }).result, Result::kBad) << input;
  }
}

TEST(RequestParser, BoundsHeadsHeadersSizeLinesAndTrailers) {
  const std::string much(RequestParser::kMaxHeadBytes, 'x');
  EXPECT_EQ(Parse("GET /" + much).result, Result::kTooLarge);
  EXPECT_EQ(Parse("GET / HTTP/1.1\r\nHost: h\r\nX: " + much).result, Result::kTooLarge);
  std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (size_t i = 1; i < RequestParser::kMaxHeaders; ++i) many += "a: b\r\n";
  EXPECT_EQ(Parse(many + "\r\n").result, Result::kEnd);
  EXPECT_EQ(Parse(many + "a: b\r\n").result, Result::kTooLarge);
  const std::string chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(Parse(chunked + "1;" + much).result, Result::kTooLarge);
  EXPECT_EQ(Parse(chunked + "0\r\nX: " + much).result, Result::kTooLarge);
  std::string trailers = chunked + "0\r\n";
  for (size_t i = 0; i < RequestParser::kMaxHeadBytes / 4; ++i) trailers += "a: b\r\n";
  EXPECT_EQ(Parse(trailers).result, Result::kTooLarge);
  // A long body in small chunks is no long line.
  std::string body = chunked;
  for (size_t i = 0; i < RequestParser::kMaxHeadBytes; ++i) body += "1\r\nx\r\n";
  EXPECT_EQ(Parse(body + "0\r\n\r\n").result, Result::kEnd);
}

TEST(RequestParser, FindsHeadersInAnyCase) {
  BackendRequest request;
  request.headers = {{"X-A", "1"}, {"x-a", "2"}};
  ASSERT_NE(request.Find("x-A"), nullptr);
  EXPECT_EQ(*request.Find("x-A"), "1");
  EXPECT_EQ(request.Count("X-a"), 2u);
  EXPECT_EQ(request.Find("x-b"), nullptr);
}

}  // namespace
}  // namespace portcullis::server
