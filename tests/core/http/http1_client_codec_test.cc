// What is written to a backend, and which of its responses are accepted. As for the server codec,
// every response is fed in all ways of cutting it in two, byte by byte, and to a sink that pauses.
#include "core/http/http1_client_codec.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "tests/core/http/transcripts.h"

namespace portcullis::http {
namespace {

struct Case {
  const char* name;
  std::string wire;
  std::string transcript;
  const char* method = "GET";
  const char* upgrade = "";
};

void ExpectHowever(const Case& c, const Http1Limits& limits = {}) {
  SCOPED_TRACE(c.name);
  const auto read = [&](const Cuts& cuts) {
    return ReadResponse(c.wire, cuts, c.method, c.upgrade, limits);
  };
  EXPECT_EQ(read({}), c.transcript);
  EXPECT_EQ(read({.pause = true}), c.transcript) << "paused";
  EXPECT_EQ(read({.fixed = 1}), c.transcript) << "byte by byte";
  EXPECT_EQ(read({.fixed = 1, .pause = true}), c.transcript) << "paused, byte by byte";
  for (size_t keep = 1; keep < c.wire.size(); ++keep) {
    ASSERT_EQ(read({.keep = keep}), c.transcript) << "cut before the last " << keep << " bytes";
  }
}

const std::string kOk = "HTTP/1.1 200 OK\r\n";
const std::string kReusable = "end\nover, reusable, 0 bytes left\n";
const std::string kOver = "end\nover, 0 bytes left\n";

TEST(Http1ClientCodec, ReadsResponsesOfEveryFraming) {
  const Case cases[] = {
      {"nothing", "", "idle, 0 bytes left\n"},
      {"length", kOk + "X: y\r\nContent-Length: 3\r\n\r\nabc",
       "response 200 [OK] body length 3\n  X=[y]\ndata abc\x04\n" + kReusable},
      {"length zero", kOk + "Content-Length: 0\r\n\r\n",
       "response 200 [OK] body length 0\n" + kReusable},
      {"chunks and trailers",
       kOk + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;x=y\r\nd\r\n0\r\nT: u\r\n\r\n",
       "response 200 [OK] body stream\ndata abcd\x04\ntrailers\n  T=[u]\n" + kReusable},
      {"until the close", kOk + "\r\nabc",
       "response 200 [OK] body stream\ndata abc\x04\nend\nended by close, 0 bytes left\n"},
      {"until the close, empty", kOk + "\r\n",
       "response 200 [OK] body stream\nend\nended by close, 0 bytes left\n"},
      {"no reason", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
       "response 200 [] body length 0\n" + kReusable},
      {"no reason nor space", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
       "response 200 [] body length 0\n" + kReusable},
      {"reason with spaces and UTF-8",
       "HTTP/1.1 404 Not \xc3\xa9 Found\r\nContent-Length: 0\r\n\r\n",
       "response 404 [Not \xc3\xa9 Found] body length 0\n" + kReusable},
      {"odd status", "HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n",
       "response 999 [X] body length 0\n" + kReusable},
      {"1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na",
       "response 200 [OK] body length 1\ndata a\x04\n" + kOver},
      {"1.0 keep-alive", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na",
       "response 200 [OK] body length 1\n  Connection=[keep-alive]\ndata a\x04\n" + kReusable},
      {"close", kOk + "Connection: close\r\nContent-Length: 0\r\n\r\n",
       "response 200 [OK] body length 0\n  Connection=[close]\n" + kOver},
  };
  for (const Case& c : cases) ExpectHowever(c);
}

TEST(Http1ClientCodec, KnowsWhichResponsesHaveNoBody) {
  const Case cases[] = {
      {"HEAD, length", kOk + "Content-Length: 3\r\n\r\n",
       "response 200 [OK] body length 3\n" + kReusable, "HEAD"},
      {"HEAD, chunked", kOk + "Transfer-Encoding: chunked\r\n\r\n",
       "response 200 [OK] body stream\n" + kReusable, "HEAD"},
      {"HEAD, unsaid", kOk + "\r\n", "response 200 [OK] body none\n" + kReusable, "HEAD"},
      {"204", "HTTP/1.1 204 No Content\r\n\r\n",
       "response 204 [No Content] body none\n" + kReusable},
      {"204 with a length", "HTTP/1.1 204 N\r\nContent-Length: 0\r\n\r\n",
       "response 204 [N] body none\n" + kReusable},
      {"204 with a coding", "HTTP/1.1 204 N\r\nTransfer-Encoding: chunked\r\n\r\n",
       "response 204 [N] body none\n" + kOver},
      {"304", "HTTP/1.1 304 N\r\n\r\n", "response 304 [N] body none\n" + kReusable},
      {"304 with a length", "HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n",
       "response 304 [N] body length 5\n" + kReusable},
  };
  for (const Case& c : cases) ExpectHowever(c);
}

TEST(Http1ClientCodec, PassesInterimResponsesAndThenTheFinalOne) {
  const std::string hints = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
  const Case cases[] = {
      {"100", "HTTP/1.1 100 Continue\r\n\r\n" + kOk + "Content-Length: 1\r\n\r\na",
       "interim 100 [Continue] body none\nresponse 200 [OK] body length 1\ndata a\x04\n" +
           kReusable},
      {"several", hints + hints + kOk + "Content-Length: 0\r\n\r\n",
       "interim 103 [Early Hints] body none\n  Link=[</x>]\n"
       "interim 103 [Early Hints] body none\n  Link=[</x>]\n"
       "response 200 [OK] body length 0\n" +
           kReusable},
      {"before a response to HEAD", hints + kOk + "Content-Length: 7\r\n\r\n",
       "interim 103 [Early Hints] body none\n  Link=[</x>]\nresponse 200 [OK] body length 7\n" +
           kReusable,
       "HEAD"},
      {"only interim", hints,
       "interim 103 [Early Hints] body none\n  Link=[</x>]\n"
       "truncated, 0 bytes left\n"},
  };
  for (const Case& c : cases) ExpectHowever(c);
}

TEST(Http1ClientCodec, SwitchesProtocolsOnlyAsOffered) {
  const std::string to = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: ";
  ExpectHowever({"offered", to + "WebSocket\r\n\r\n",
                 "response 101 [Switching Protocols] body none upgrade [WebSocket]\n"
                 "  Connection=[upgrade]\n  Upgrade=[WebSocket]\nupgraded, 0 bytes left\n",
                 "GET", "foo/1, websocket"});
  ExpectHowever({"raw bytes follow", to + "foo/1\r\n\r\nHTTP",
                 "response 101 [Switching Protocols] body none upgrade [foo/1]\n"
                 "  Connection=[upgrade]\n  Upgrade=[foo/1]\nupgraded, 4 bytes left\n",
                 "GET", "foo/1, websocket"});
  const std::string refused = "error 502 101 to a protocol that was not offered\n";
  ExpectHowever({"not offered", to + "websocket\r\n\r\n", refused});
  ExpectHowever({"another", to + "h2c\r\n\r\n", refused, "GET", "websocket"});
  ExpectHowever({"none named", "HTTP/1.1 101 S\r\n\r\n", refused, "GET", "websocket"});
}

TEST(Http1ClientCodec, TellsTruncationFromEnd) {
  const Case cases[] = {
      {"in the status line", "HTTP/1.1 2", "truncated, 0 bytes left\n"},
      {"in the head", kOk + "Content-Le", "truncated, 0 bytes left\n"},
      {"before the body", kOk + "Content-Length: 3\r\n\r\n",
       "response 200 [OK] body length 3\ntruncated, 0 bytes left\n"},
      {"in a length", kOk + "Content-Length: 3\r\n\r\nab",
       "response 200 [OK] body length 3\ndata ab\x04\ntruncated, 0 bytes left\n"},
      {"in a chunk", kOk + "Transfer-Encoding: chunked\r\n\r\n3\r\nab",
       "response 200 [OK] body stream\ndata ab\x04\ntruncated, 0 bytes left\n"},
      {"between chunks", kOk + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
       "response 200 [OK] body stream\ndata ab\x04\ntruncated, 0 bytes left\n"},
      {"before the last line", kOk + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n",
       "response 200 [OK] body stream\ndata ab\x04\ntruncated, 0 bytes left\n"},
      {"in trailers", kOk + "Transfer-Encoding: chunked\r\n\r\n0\r\nT: u\r\n",
       "response 200 [OK] body stream\ntruncated, 0 bytes left\n"},
  };
  for (const Case& c : cases) ExpectHowever(c);
}

TEST(Http1ClientCodec, RefusesBadlyFramedResponses) {
  const Case cases[] = {
      {"not HTTP", "SSH-2.0-OpenSSH\r\n", "error 502 malformed start line\n"},
      {"HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", "error 502 HTTP version not supported\n"},
      {"status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "error 502 malformed status\n"},
      {"status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", "error 502 malformed status\n"},
      {"status in letters", "HTTP/1.1 OK\r\n\r\n", "error 502 malformed status\n"},
      {"status below 100", "HTTP/1.1 099 X\r\n\r\n", "error 502 status below 100\n"},
      {"empty line first", "\r\n" + kOk + "\r\n", "error 502 malformed start line\n"},
      {"both framings", kOk + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
       "error 502 malformed or contradictory framing fields\n"},
      {"two lengths", kOk + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n",
       "error 502 malformed or contradictory framing fields\n"},
      {"length in letters", kOk + "Content-Length: x\r\n\r\n",
       "error 502 malformed or contradictory framing fields\n"},
      {"another coding", kOk + "Transfer-Encoding: gzip, chunked\r\n\r\n",
       "error 502 transfer coding other than chunked\n"},
      {"another coding alone", kOk + "Transfer-Encoding: gzip\r\n\r\n",
       "error 502 transfer coding other than chunked\n"},
      {"coding in 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
       "error 502 Transfer-Encoding in HTTP/1.0\n"},
      {"bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", "error 502 bare CR or LF\n"},
      {"folded", kOk + "A: b\r\n c\r\n\r\n", "error 502 folded line\n"},
      {"space before the colon", kOk + "A : b\r\n\r\n", "error 502 malformed field\n"},
      {"control", kOk + "A: \x01\r\n\r\n", "error 502 control character\n"},
      {"bad chunk", kOk + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
       "response 200 [OK] body stream\nerror 502 malformed chunk size\n"},
  };
  for (const Case& c : cases) ExpectHowever(c);
  ExpectHowever({"long head", kOk + "A: b\r\n\r\n", "error 502 head or trailers too long\n"},
                {.max_head_bytes = 20});
}

TEST(Http1ClientCodec, NeverReusesAConnectionWithStrayBytes) {
  ExpectHowever({"behind the end", kOk + "Content-Length: 1\r\n\r\naHTTP/1.1 200 OK",
                 "response 200 [OK] body length 1\ndata a\x04\nend\nover, 15 bytes left\n"});
  ExpectHowever({"a body for HEAD", kOk + "Content-Length: 3\r\n\r\nabc",
                 "response 200 [OK] body length 3\nend\nover, 3 bytes left\n", "HEAD"});

  ResponseRecorder recorder;
  Http1ClientCodec before({}, recorder);
  size_t consumed = 0;
  EXPECT_EQ(before.Feed(Bytes(kOk + "Content-Length: 0\r\n\r\n"), consumed), FeedResult::kError);
  EXPECT_STREQ(before.error().reason, "unexpected bytes from the backend");
  EXPECT_EQ(recorder.transcript.text(), "");

  Http1ClientCodec later({}, recorder);
  RequestHead request;
  request.method = "GET";
  request.path = "/";
  std::string out;
  later.EncodeRequestHead(request, Into(out));
  later.EncodeEnd(Into(out));
  EXPECT_EQ(later.Feed(Bytes(kOk + "Content-Length: 0\r\n\r\n"), consumed),
            FeedResult::kMessageEnd);
  EXPECT_TRUE(later.reusable());
  EXPECT_EQ(later.Feed(Bytes("H"), consumed), FeedResult::kMessageEnd);
  EXPECT_EQ(consumed, 0u);
  EXPECT_FALSE(later.reusable()) << "bytes came while the connection was idle";
}

TEST(Http1ClientCodec, ServesOneExchangeAfterAnother) {
  ResponseRecorder first;
  ResponseRecorder second;
  Http1ClientCodec codec({}, first);
  RequestHead head;
  head.method = "HEAD";
  head.path = "/";
  std::string out;
  size_t consumed = 0;
  codec.EncodeRequestHead(head, Into(out));
  codec.EncodeEnd(Into(out));
  EXPECT_EQ(codec.Feed(Bytes(kOk + "Content-Length: 2\r\n\r\n"), consumed),
            FeedResult::kMessageEnd);
  ASSERT_TRUE(codec.reusable());
  codec.NextExchange(second);
  EXPECT_FALSE(codec.response_begun());
  head.method = "GET";
  codec.EncodeRequestHead(head, Into(out));
  EXPECT_FALSE(codec.reusable());
  codec.EncodeEnd(Into(out));
  EXPECT_EQ(codec.Feed(Bytes(kOk + "Content-Length: 2\r\n\r\nab"), consumed),
            FeedResult::kMessageEnd);
  EXPECT_TRUE(codec.reusable());
  EXPECT_EQ(second.transcript.text(), "response 200 [OK] body length 2\ndata ab\x04\nend\n");
  EXPECT_EQ(codec.OnEof(), EofResult::kAfterEnd);
  EXPECT_FALSE(codec.reusable());
}

TEST(Http1ClientCodec, IsNotReusableWhileTheRequestIsBeingSent) {
  ResponseRecorder recorder;
  Http1ClientCodec codec({}, recorder);
  RequestHead head;
  head.method = "PUT";
  head.path = "/";
  head.body = Body::Length(2);
  std::string out;
  size_t consumed = 0;
  codec.EncodeRequestHead(head, Into(out));
  EXPECT_EQ(codec.Feed(Bytes("HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n"), consumed),
            FeedResult::kMessageEnd);
  EXPECT_FALSE(codec.reusable());
  codec.EncodeData(Bytes("ab"), Into(out));
  codec.EncodeEnd(Into(out));
  EXPECT_TRUE(codec.reusable());
}

TEST(Http1ClientCodec, WritesRequestsFromTheParsedForm) {
  RequestHead head;
  head.method = "POST";
  head.authority = "a:8443";
  head.path = "/p?q";
  head.headers.Add("X", "y");
  head.headers.Add("host", "evil");
  head.headers.Add("Connection", "close");
  head.headers.Add("Content-Length", "77");
  head.headers.Add("Transfer-Encoding", "gzip");
  head.headers.Add("TE", "trailers");
  const std::string start = "POST /p?q HTTP/1.1\r\nHost: a:8443\r\nX: y\r\n";
  struct Row {
    Body body;
    const char* upgrade;
    std::string rest;
  };
  const Row rows[] = {
      {Body::None(), "", "\r\n"},
      {Body::Length(2), "", "Content-Length: 2\r\n\r\nab"},
      {Body::Stream(), "", "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nT: u\r\n\r\n"},
      {Body::None(), "websocket", "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"},
  };
  for (const Row& row : rows) {
    ResponseRecorder recorder;
    Http1ClientCodec codec({}, recorder);
    head.body = row.body;
    head.upgrade = row.upgrade;
    HeaderList trailers;
    trailers.Add("T", "u");
    std::string out;
    codec.EncodeRequestHead(head, Into(out));
    codec.EncodeData(Bytes("ab"), Into(out));
    codec.EncodeTrailers(trailers, Into(out));
    codec.EncodeEnd(Into(out));
    EXPECT_EQ(out, start + row.rest);
  }
}

}  // namespace
}  // namespace portcullis::http
