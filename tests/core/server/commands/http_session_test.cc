#include "core/server/commands/http_session.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace portcullis::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class HttpSessionTest : public ::testing::Test {
 protected:
  // Feeds `input`, as a loop would: what is not taken is offered again after output was pulled.
  // Returns the output, without the Date headers.
  std::string Ask(std::string_view input, size_t limit = 1 << 20) {
    std::string out;
    bool moved = true;
    while (moved) {
      moved = false;
      if (!input.empty() && session_.wants_input()) {
        const size_t taken =
            session_.Feed({reinterpret_cast<const uint8_t*>(input.data()), input.size()});
        input.remove_prefix(taken);
        moved = taken > 0;
      }
      const size_t before = out.size();
      session_.Produce(out, limit, now_);
      moved = moved || out.size() > before;
    }
    left_ = std::string(input);
    for (size_t at = out.find("Date: "); at != out.npos; at = out.find("Date: ")) {
      out.erase(at, out.find('\n', at) - at + 1);
    }
    return out;
  }

  HttpSession session_;
  Session::Clock::time_point now_{};
  std::string left_;  // of the input
};

TEST_F(HttpSessionTest, AnswersAndWaitsForTheNext) {
  EXPECT_EQ(Ask("GET /status/404 HTTP/1.1\r\nHost: h\r\n\r\n"),
            "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Length: 11\r\n\r\nstatus 404\n");
  EXPECT_FALSE(session_.finished());
  EXPECT_TRUE(session_.wants_input());
  EXPECT_THAT(Ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpSessionTest, AnswersPipelinedRequestsInOrder) {
  std::string input;
  std::string expected;
  for (int status = 400; status < 420; ++status) {
    absl::StrAppend(&input, "GET /status/", status, " HTTP/1.1\r\nHost: h\r\n\r\n");
  }
  const std::string out = Ask(input);
  EXPECT_EQ(left_, "");
  size_t at = 0;
  for (int status = 400; status < 420; ++status) {
    at = out.find(absl::StrCat("HTTP/1.1 ", status, " "), at);
    ASSERT_NE(at, out.npos) << status;
  }
}

TEST_F(HttpSessionTest, KeepsOrClosesAsTheClientSays) {
  EXPECT_THAT(Ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
              HasSubstr("\r\nConnection: keep-alive\r\n"));
  EXPECT_FALSE(session_.finished());
  EXPECT_THAT(Ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), Not(HasSubstr("Connection:")));
  EXPECT_THAT(Ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /left HTTP/1.1\r\n"),
              HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_TRUE(session_.finished());
  EXPECT_EQ(left_, "GET /left HTTP/1.1\r\n");
}

TEST_F(HttpSessionTest, ClosesForAnHttp10Client) {
  EXPECT_THAT(Ask("GET / HTTP/1.0\r\n\r\n"), HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_TRUE(session_.finished());
}

TEST_F(HttpSessionTest, LeavesOutBodiesThatMustNotBe) {
  const std::string home = Ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(Ask("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"), home.substr(0, home.find("\r\n\r\n") + 4));
  EXPECT_EQ(Ask("GET /status/204 HTTP/1.1\r\nHost: h\r\n\r\n"), "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(Ask("GET /status/304 HTTP/1.1\r\nHost: h\r\n\r\n"),
            "HTTP/1.1 304 Not Modified\r\n\r\n");
  EXPECT_EQ(Ask("GET /status/205 HTTP/1.1\r\nHost: h\r\n\r\n"),
            "HTTP/1.1 205 Status\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(
      Ask("HEAD /bytes/100 HTTP/1.1\r\nHost: h\r\n\r\n"),
      "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 100\r\n\r\n");
}

TEST_F(HttpSessionTest, SaysWhatIsAllowed) {
  EXPECT_THAT(Ask("DELETE / HTTP/1.1\r\nHost: h\r\n\r\n"), HasSubstr("\r\nAllow: GET, HEAD\r\n"));
}

TEST_F(HttpSessionTest, ProducesBytesPieceByPiece) {
  std::string expected;
  AppendSiteBytes(0, 100000, expected);
  const std::string out = Ask("GET /bytes/100000 HTTP/1.1\r\nHost: h\r\n\r\n", 777);
  EXPECT_THAT(out, HasSubstr("\r\nContent-Length: 100000\r\n"));
  EXPECT_EQ(out.substr(out.find("\r\n\r\n") + 4), expected);
}

TEST_F(HttpSessionTest, EchoesALengthAsALengthWhileItComes) {
  EXPECT_EQ(
      Ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\nContent-Type: a/b\r\n\r\nabc"),
      "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 6\r\n\r\nabc");
  EXPECT_EQ(Ask("d"), "d");
  EXPECT_EQ(Ask("efGET /status/404 HTTP/1.1\r\nHost: h\r\n\r\n").substr(0, 14), "efHTTP/1.1 404");
}

TEST_F(HttpSessionTest, EchoesChunksAsChunksWhileTheyCome) {
  EXPECT_EQ(Ask("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
            "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  EXPECT_EQ(Ask("1\r\nd\r\n2\r\nef\r\n"), "3\r\ndef\r\n");
  EXPECT_EQ(Ask("0\r\n\r\n"), "0\r\n\r\n");
  EXPECT_FALSE(session_.finished());
}

TEST_F(HttpSessionTest, EchoesNothingForNoBody) {
  EXPECT_THAT(Ask("POST /echo HTTP/1.1\r\nHost: h\r\n\r\n"),
              HasSubstr("\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_TRUE(session_.wants_input());
}

TEST_F(HttpSessionTest, StopsReadingWhileItsEchoIsNotTaken) {
  const std::string head =
      absl::StrCat("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: ", 1 << 30, "\r\n\r\n");
  const std::string piece(HttpSession::kHeldBytes / 4, 'x');
  const auto feed = [this](const std::string& text) {
    return session_.Feed({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  };
  EXPECT_EQ(feed(head), head.size());
  int fed = 0;
  while (session_.wants_input() && fed < 100) {
    EXPECT_EQ(feed(piece), piece.size());
    ++fed;
  }
  EXPECT_EQ(fed, 4);
  EXPECT_EQ(feed(piece), 0u);
  std::string out;
  session_.Produce(out, 1 << 20, now_);
  EXPECT_TRUE(session_.wants_input());
}

TEST_F(HttpSessionTest, DigestsWhatItSinks) {
  EXPECT_EQ(Ask("PUT /sink HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na"), "");
  const std::string out = Ask("bc");
  const nlohmann::json page = nlohmann::json::parse(out.substr(out.find("\r\n\r\n") + 4));
  EXPECT_EQ(page["bytes"], 3);
  EXPECT_EQ(page["sha256"], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // The next one starts afresh.
  const std::string empty = Ask("PUT /sink HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(empty, HasSubstr("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
}

TEST_F(HttpSessionTest, InvitesABodyThatWaitsForIt) {
  const std::string head =
      "PUT /sink HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n";
  EXPECT_EQ(Ask(head), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_THAT(Ask("x"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpSessionTest, DropsABodyNobodyAskedFor) {
  EXPECT_THAT(Ask("GET /status/404 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nGE"),
              StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Ask("T GET / HTTP/1.1\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpSessionTest, DelaysByTheClock) {
  EXPECT_EQ(Ask("GET /delay/50 HTTP/1.1\r\nHost: h\r\n\r\n"), "");
  ASSERT_TRUE(session_.wake_at().has_value());
  EXPECT_EQ(*session_.wake_at(), now_ + std::chrono::milliseconds(50));
  now_ += std::chrono::milliseconds(49);
  EXPECT_EQ(Ask(""), "");
  now_ += std::chrono::milliseconds(1);
  EXPECT_THAT(Ask(""), HasSubstr("after 50 ms"));
  EXPECT_FALSE(session_.wake_at().has_value());
}

TEST_F(HttpSessionTest, RefusesWhatIsNoRequestAndEnds) {
  EXPECT_EQ(Ask("NONSENSE\r\n\r\nGET / HTTP/1.1\r\n"),
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Length: 12\r\nConnection: close\r\n\r\nBad Request\n");
  EXPECT_TRUE(session_.finished());
}

TEST_F(HttpSessionTest, RefusesAHeadBeyondTheLimit) {
  EXPECT_THAT(Ask("GET /" + std::string(RequestParser::kMaxHeadBytes, 'x')),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_TRUE(session_.finished());
}

TEST_F(HttpSessionTest, EndsWithoutAWordWhenTheBodyBreaksAfterTheAnswerBegan) {
  EXPECT_THAT(Ask("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"),
              HasSubstr("1\r\na\r\n"));
  EXPECT_EQ(Ask("nonsense\r\n"), "");
  EXPECT_TRUE(session_.finished());
}

TEST_F(HttpSessionTest, RefusesABodyThatBreaksBeforeTheAnswerBegan) {
  Ask("PUT /sink HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
  EXPECT_THAT(Ask("nonsense\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_TRUE(session_.finished());
}

TEST_F(HttpSessionTest, EndsAtTheClientsEnd) {
  session_.FeedEnd();
  EXPECT_TRUE(session_.finished());
}

TEST_F(HttpSessionTest, EndsAmidARequestWhenTheClientDoes) {
  Ask("PUT /sink HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na");
  session_.FeedEnd();
  EXPECT_TRUE(session_.finished());
}

TEST_F(HttpSessionTest, StillAnswersAWholeRequestAfterTheClientsEnd) {
  EXPECT_EQ(Ask("GET /delay/5 HTTP/1.1\r\nHost: h\r\n\r\n"), "");
  session_.FeedEnd();
  EXPECT_FALSE(session_.finished());
  now_ += std::chrono::milliseconds(5);
  EXPECT_THAT(Ask(""), HasSubstr("after 5 ms"));
  EXPECT_TRUE(session_.finished());
}

}  // namespace
}  // namespace portcullis::server
