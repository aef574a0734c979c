// What the client side accepts, refuses and writes. Every message here is also fed cut in two at
// every byte, byte by byte, and to a sink that pauses at every event: the transcript must not
// change.
#include "core/http/http1_server_codec.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/core/http/transcripts.h"

namespace portcullis::http {
namespace {

struct ServerCase {
  const char* name;
  std::string wire;
  std::string transcript;
};

void ExpectServerHowever(const ServerCase& c, const Http1Limits& limits = {}) {
  SCOPED_TRACE(c.name);
  EXPECT_EQ(ServeAll(c.wire, {}, limits), c.transcript);
  EXPECT_EQ(ServeAll(c.wire, {.fixed = 1}, limits), c.transcript) << "byte by byte";
  EXPECT_EQ(ServeAll(c.wire, {.pause = true}, limits), c.transcript) << "paused";
  EXPECT_EQ(ServeAll(c.wire, {.fixed = 1, .pause = true}, limits), c.transcript)
      << "paused, byte by byte";
  for (size_t keep = 1; keep < c.wire.size(); ++keep) {
    ASSERT_EQ(ServeAll(c.wire, {.keep = keep}, limits), c.transcript)
        << "cut before the last " << keep << " bytes";
  }
}

const std::string kChunkedPost = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string kChunkedHead = "request POST https [a] / 1.1 body stream\n";

std::string Get(std::string_view fields) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

TEST(Http1ServerCodec, AcceptsWellFormedRequests) {
  const ServerCase cases[] = {
      {"nothing", "", "idle\n"},
      {"a get", Get(""), "request GET https [a] / 1.1 body none\nend\nidle\n"},
      {"empty lines first", "\r\n\r\n" + Get(""),
       "request GET https [a] / 1.1 body none\nend\nidle\n"},
      {"fields kept in order, trimmed, case kept",
       Get("X-B:  1\t \r\nx-a:2\r\nE:\r\nX-B: \xc3\xa9\r\n"),
       "request GET https [a] / 1.1 body none\n  X-B=[1]\n  x-a=[2]\n  E=[]\n  X-B=[\xc3\xa9]\n"
       "end\nidle\n"},
      {"a length", "PUT /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
       "request PUT https [a] /p 1.1 body length 3\ndata abc\x04\nend\nidle\n"},
      {"length zero", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
       "request POST https [a] / 1.1 body length 0\nend\nidle\n"},
      {"chunks", kChunkedPost + "3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n",
       kChunkedHead + "data abc0123456789\x04\nend\nidle\n"},
      {"chunk extensions", kChunkedPost + "3;a=b;c=\"d;e\"\r\nabc\r\n0;last\r\n\r\n",
       kChunkedHead + "data abc\x04\nend\nidle\n"},
      {"no chunk but the last", kChunkedPost + "0\r\n\r\n", kChunkedHead + "end\nidle\n"},
      {"trailers", kChunkedPost + "3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-T:\r\n\r\n",
       kChunkedHead + "data abc\x04\ntrailers\n  X-Sum=[1]\n  X-T=[]\nend\nidle\n"},
      {"coding in any case",
       "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: Chunked\r\n\r\n0\r\n\r\n",
       kChunkedHead + "end\nidle\n"},
      {"an unusual method", "PROPFIND /x HTTP/1.1\r\nHost: a\r\n\r\n",
       "request PROPFIND https [a] /x 1.1 body none\nend\nidle\n"},
      {"part of a head", "GET / HT", "incomplete\n"},
      {"part of a body", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab",
       "request PUT https [a] / 1.1 body length 3\ndata ab\x04\nincomplete\n"},
  };
  for (const ServerCase& c : cases) ExpectServerHowever(c);
}

TEST(Http1ServerCodec, LeavesPipelinedRequestsForLater) {
  const std::string post = "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nGET ";
  const std::string chunked = kChunkedPost + "1\r\nx\r\n0\r\nT: u\r\n\r\n";
  ExpectServerHowever({"three", post + chunked + Get(""),
                       "request POST https [a] /1 1.1 body length 4\ndata GET \x04\nend\n" +
                           kChunkedHead + "data x\x04\ntrailers\n  T=[u]\nend\n" +
                           "request GET https [a] / 1.1 body none\nend\nidle\n"});

  RequestRecorder recorder;
  Http1ServerCodec codec({}, recorder);
  const std::string two = Get("") + Get("");
  size_t consumed = 0;
  EXPECT_EQ(codec.Feed(Bytes(two), consumed), FeedResult::kMessageEnd);
  EXPECT_EQ(consumed, two.size() / 2);
  EXPECT_EQ(codec.Feed(Bytes(two).subspan(consumed), consumed), FeedResult::kMessageEnd);
  EXPECT_EQ(consumed, 0u) << "nothing is read before NextRequest";
}

TEST(Http1ServerCodec, KeepsTheConnectionByVersionAndConnectionField) {
  const std::string v11 = "request GET https [a] / 1.1 body none\n";
  const std::string v10 = "request GET https [] / 1.0 body none\n";
  const ServerCase cases[] = {
      {"1.1", Get("") + "G", v11 + "end\nincomplete\n"},
      {"1.1 close", Get("Connection: close\r\n") + "G",
       v11 + "  Connection=[close]\nend\nclosed, 1 bytes left\n"},
      {"1.1 close in a list", Get("Connection: x, CLOSE ,y\r\n") + "G",
       v11 + "  Connection=[x, CLOSE ,y]\nend\nclosed, 1 bytes left\n"},
      {"1.1 close in a second field", Get("Connection: x\r\nConnection: close\r\n"),
       v11 + "  Connection=[x]\n  Connection=[close]\nend\nclosed, 0 bytes left\n"},
      {"1.0", "GET / HTTP/1.0\r\n\r\nG", v10 + "end\nclosed, 1 bytes left\n"},
      {"1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\nG",
       v10 + "  Connection=[Keep-Alive]\nend\nincomplete\n"},
      {"1.0 keep-alive and close", "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
       v10 + "  Connection=[keep-alive, close]\nend\nclosed, 0 bytes left\n"},
  };
  for (const ServerCase& c : cases) ExpectServerHowever(c);
}

TEST(Http1ServerCodec, TellsExpectationsAndUpgrades) {
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n";
  const ServerCase cases[] = {
      {"expects", post + "Expect: 100-Continue\r\n\r\nx",
       "request POST https [a] / 1.1 body length 1 expects-continue\n  Expect=[100-Continue]\n"
       "data x\x04\nend\nidle\n"},
      {"expects with no body", Get("Expect: 100-continue\r\n"),
       "request GET https [a] / 1.1 body none\n  Expect=[100-continue]\nend\nidle\n"},
      {"1.0 cannot expect", "POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\nx",
       "request POST https [] / 1.0 body length 1\ndata x\x04\nend\nclosed, 0 bytes left\n"},
      {"upgrade, refused by the 200",
       Get("Connection: Upgrade\r\nUpgrade: websocket\r\n") + Get(""),
       "request GET https [a] / 1.1 body none upgrade [websocket]\n  Connection=[Upgrade]\n"
       "  Upgrade=[websocket]\nend\nrequest GET https [a] / 1.1 body none\nend\nidle\n"},
      {"upgrade with a body", post + "Connection: upgrade\r\nUpgrade: x/1\r\n\r\ny" + Get(""),
       "request POST https [a] / 1.1 body length 1 upgrade [x/1]\n  Connection=[upgrade]\n"
       "  Upgrade=[x/1]\ndata y\x04\nend\nrequest GET https [a] / 1.1 body none\nend\nidle\n"},
      {"1.0 cannot upgrade", "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
       "request GET https [] / 1.0 body none\n  Connection=[upgrade]\n  Upgrade=[x]\nend\n"
       "closed, 0 bytes left\n"},
  };
  for (const ServerCase& c : cases) ExpectServerHowever(c);
}

TEST(Http1ServerCodec, RefusesWhatItDoesNotSpeak) {
  const auto line = [](std::string_view text) { return std::string(text) + "\r\nHost: a\r\n\r\n"; };
  const std::string version = "error 505 HTTP version not supported\n";
  const std::string method = "error 501 unknown method\n";
  const ServerCase cases[] = {
      {"HTTP/0.9 in words", line("GET / HTTP/0.9"), version},
      {"HTTP/1.2", line("GET / HTTP/1.2"), version},
      {"HTTP/2.0", line("GET / HTTP/2.0"), version},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", version},
      {"unknown method", line("BREW / HTTP/1.1"), method},
      {"lower case method", line("get / HTTP/1.1"), method},
      {"method of RTSP", line("DESCRIBE / HTTP/1.1"), method},
      {"CONNECT", line("CONNECT a:443 HTTP/1.1"), "error 405 method not allowed\n"},
      {"TRACE", line("TRACE / HTTP/1.1"), "error 405 method not allowed\n"},
      {"expectation", Get("Expect: gold\r\n"), "error 417 unknown expectation\n"},
      {"two expectations", Get("Expect: 100-continue\r\nExpect: 100-continue\r\n"),
       "error 417 unknown expectation\n"},
  };
  for (const ServerCase& c : cases) ExpectServerHowever(c);
}

TEST(Http1ServerCodec, RefusesMalformedStartLinesAndFields) {
  const auto line = [](std::string_view text) { return std::string(text) + "\r\nHost: a\r\n\r\n"; };
  const std::string start = "error 400 malformed start line\n";
  const std::string control = "error 400 control character\n";
  const std::string bare = "error 400 bare CR or LF\n";
  const std::string field = "error 400 malformed field\n";
  using std::string_literals::operator""s;
  const ServerCase cases[] = {
      {"HTTP/0.9", "GET /\r\n", start},
      {"RTSP", line("GET / RTSP/1.0"), start},
      {"lower case protocol", line("GET / http/1.1"), start},
      {"no minor", line("GET / HTTP/1"), start},
      {"long minor", line("GET / HTTP/1.10"), start},
      {"two spaces", line("GET  / HTTP/1.1"), start},
      {"two spaces before the version", line("GET /  HTTP/1.1"), start},
      {"space in the target", line("GET /a b HTTP/1.1"), start},
      {"space behind the version", line("GET / HTTP/1.1 "), start},
      {"leading space", line(" GET / HTTP/1.1"), start},
      {"tab", line("GET\t/ HTTP/1.1"), control},
      {"TLS to a plain port", "\x16\x03\x01\x02", control},
      {"8-bit target", line("GET /\xc3\xa9 HTTP/1.1"), control},
      {"DEL in the target", line("GET /\x7f HTTP/1.1"), control},
      {"bare LF after the start line", "GET / HTTP/1.1\nHost: a\r\n\r\n", bare},
      {"bare CR in the start line", "GET / \rHTTP/1.1\r\nHost: a\r\n\r\n", start},
      {"bare LF after a field", "GET / HTTP/1.1\r\nHost: a\n\r\n", bare},
      {"bare LF at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", bare},
      {"bare CR in a value", Get("A: b\rC: d\r\n"), bare},
      {"CR CR LF", Get("A: b\r\r\n"), bare},
      {"NUL in a value", Get("A: \0\r\n"s), control},
      {"ESC in a value", Get("A: \x1b[0m\r\n"), control},
      {"folded", Get("A: b\r\n c\r\n"), "error 400 folded line\n"},
      {"folded first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "error 400 folded line\n"},
      {"space before the colon", Get("A : b\r\n"), field},
      {"tab before the colon", Get("A\t: b\r\n"), field},
      {"no name", Get(": b\r\n"), field},
      {"no colon", Get("Ab\r\n"), field},
      {"8-bit name", Get("\xc3\xa9: b\r\n"), field},
      {"parenthesis in a name", Get("A(: b\r\n"), field},
  };
  for (const ServerCase& c : cases) ExpectServerHowever(c);
}

TEST(Http1ServerCodec, RefusesDoubtfulChunks) {
  const ServerCase cases[] = {
      {"hex prefix", "0x3\r\nabc\r\n", "error 400 malformed chunk size\n"},
      {"sign", "+3\r\nabc\r\n", "error 400 malformed chunk size\n"},
      {"no size", "\r\nabc\r\n", "error 400 malformed chunk size\n"},
      {"space behind the size", "3 \r\nabc\r\n", "error 400 malformed chunk size\n"},
      {"beyond 64 bits", "10000000000000000\r\n", "error 400 malformed chunk size\n"},
      {"bare LF behind the size", "3\nabc\r\n", "error 400 malformed message\n"},
      {"bare CR behind the size", "3\rabc\r\n", "error 400 malformed message\n"},
      {"LF in an extension", "3;a\nb\r\nabc\r\n", "error 400 malformed message\n"},
      {"CR in an extension", "3;a\rb\r\nabc\r\n", "error 400 malformed message\n"},
      {"control in an extension", "3;a\x01\r\nabc\r\n", "error 400 malformed message\n"},
      {"long data", "3\r\nabcd\r\n0\r\n\r\n", "data abc\x04\nerror 400 malformed message\n"},
      {"bare LF behind the data", "3\r\nabc\n0\r\n\r\n",
       "data abc\x04\nerror 400 malformed message\n"},
      {"bare CR behind the data", "3\r\nabc\r0\r\n\r\n",
       "data abc\x04\nerror 400 malformed message\n"},
      {"bare LF in trailers", "0\r\nA: b\n\r\n", "error 400 bare CR or LF\n"},
      {"bare LF at the end", "0\r\n\n", "error 400 bare CR or LF\n"},
      {"folded trailer", "0\r\nA: b\r\n c\r\n\r\n", "error 400 folded line\n"},
      {"space before a trailer's colon", "0\r\nA : b\r\n\r\n", "error 400 malformed field\n"},
  };
  for (const ServerCase& c : cases)
    ExpectServerHowever({c.name, kChunkedPost + c.wire, kChunkedHead + c.transcript});
}

TEST(Http1ServerCodec, HoldsItsLimitsToTheByte) {
  const std::string get = Get("A: 1\r\nB: 2\r\n");
  const auto size = static_cast<uint32_t>(get.size());
  EXPECT_TRUE(ServeAll(get, {}, {.max_head_bytes = size}).ends_with("end\nidle\n"));
  ExpectServerHowever({"head too long", get, "error 431 head or trailers too long\n"},
                      {.max_head_bytes = size - 1});
  ExpectServerHowever(
      {"empty lines count", std::string(100, '\r') + "\n", "error 400 bare CR or LF\n"},
      {.max_head_bytes = 40});
  ExpectServerHowever({"target too long", "GET /" + std::string(100, 'a') + " HTTP/1.1\r\n\r\n",
                       "error 414 request target too long\n"},
                      {.max_head_bytes = 40});
  EXPECT_TRUE(ServeAll(get, {}, {.max_headers = 3}).ends_with("end\nidle\n"));
  ExpectServerHowever({"too many fields", get, "error 431 too many fields\n"}, {.max_headers = 2});
}

TEST(Http1ServerCodec, LimitsBodiesExtensionsAndTrailers) {
  const Http1Limits body{.max_body_bytes = 3};
  ExpectServerHowever({"length", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd",
                       "error 413 body too large\n"},
                      body);
  ExpectServerHowever({"chunks", kChunkedPost + "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n",
                       kChunkedHead + "data abc\x04\nerror 413 body too large\n"},
                      body);
  ExpectServerHowever({"just within", kChunkedPost + "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
                       kChunkedHead + "data abc\x04\nend\nidle\n"},
                      body);

  const Http1Limits extension{.max_chunk_extension_bytes = 4};
  ExpectServerHowever({"extension", kChunkedPost + "2;abcde\r\nab\r\n0\r\n\r\n",
                       kChunkedHead + "error 400 chunk extension too long\n"},
                      extension);
  ExpectServerHowever({"several", kChunkedPost + "2;ab=c\r\nab\r\n2;ab=c\r\ncd\r\n0\r\n\r\n",
                       kChunkedHead + "data abcd\x04\nend\nidle\n"},
                      extension);

  ExpectServerHowever({"trailers", kChunkedPost + "0\r\nA: bcdefghij\r\n\r\n",
                       kChunkedHead + "error 431 head or trailers too long\n"},
                      {.max_trailer_bytes = 10});
  ExpectServerHowever({"trailer fields", kChunkedPost + "0\r\nA: b\r\nC: d\r\nE: f\r\n\r\n",
                       kChunkedHead + "error 431 too many fields\n"},
                      {.max_headers = 2});
}

// A response to `request`, encoded; `chunks` is its body.
std::string Respond(std::string_view request, const ResponseHead& response,
                    const std::vector<std::string>& chunks, bool& reusable,
                    const HeaderList& trailers = {}) {
  RequestRecorder recorder;
  Http1ServerCodec codec({}, recorder);
  size_t consumed = 0;
  EXPECT_EQ(codec.Feed(Bytes(request), consumed), FeedResult::kMessageEnd);
  std::string out;
  codec.EncodeHead(response, Into(out));
  for (const std::string& chunk : chunks) codec.EncodeData(Bytes(chunk), Into(out));
  if (!trailers.empty()) codec.EncodeTrailers(trailers, Into(out));
  codec.EncodeEnd(Into(out));
  reusable = codec.reusable();
  return out;
}

ResponseHead MakeResponse(uint16_t status, Body body) {
  ResponseHead head;
  head.status = status;
  head.reason = "R";
  head.headers.Add("X", "y");
  head.body = body;
  return head;
}

TEST(Http1ServerCodec, FramesResponsesForTheRequestAtHand) {
  const std::string get = Get("");
  const std::string close = Get("Connection: close\r\n");
  const std::string head = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string get10 = "GET / HTTP/1.0\r\n\r\n";
  const std::string keep10 = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
  struct Row {
    const char* name;
    std::string request;
    uint16_t status;
    Body body;
    std::string rest;  // behind "HTTP/1.1 <status> R\r\nX: y\r\n"
    bool reusable;
  };
  const Row rows[] = {
      {"length", get, 200, Body::Length(4), "Content-Length: 4\r\n\r\nabcd", true},
      {"length, close", close, 200, Body::Length(4),
       "Content-Length: 4\r\nConnection: close\r\n\r\nabcd", false},
      {"stream", get, 200, Body::Stream(),
       "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", true},
      {"stream to 1.0", get10, 200, Body::Stream(), "Connection: close\r\n\r\nabcd", false},
      {"stream to 1.0 keep-alive", keep10, 200, Body::Stream(), "Connection: close\r\n\r\nabcd",
       false},
      {"length to 1.0", get10, 200, Body::Length(4),
       "Content-Length: 4\r\nConnection: close\r\n\r\nabcd", false},
      {"length to 1.0 keep-alive", keep10, 200, Body::Length(4),
       "Content-Length: 4\r\nConnection: keep-alive\r\n\r\nabcd", true},
      {"HEAD, length", head, 200, Body::Length(4), "Content-Length: 4\r\n\r\n", true},
      {"HEAD, stream", head, 200, Body::Stream(), "Transfer-Encoding: chunked\r\n\r\n", true},
      {"HEAD, stream to 1.0", "HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200,
       Body::Stream(), "Connection: keep-alive\r\n\r\n", true},
      {"HEAD, unsaid", head, 200, Body::None(), "\r\n", true},
      {"204", get, 204, Body::Length(4), "\r\n", true},
      {"304, length", get, 304, Body::Length(4), "Content-Length: 4\r\n\r\n", true},
      {"304, unsaid", get, 304, Body::None(), "\r\n", true},
      {"304 to 1.0 keep-alive", keep10, 304, Body::None(), "Connection: keep-alive\r\n\r\n", true},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    bool reusable = false;
    EXPECT_EQ(Respond(row.request, MakeResponse(row.status, row.body), {"ab", "", "cd"}, reusable),
              "HTTP/1.1 " + std::to_string(row.status) + " R\r\nX: y\r\n" + row.rest);
    EXPECT_EQ(reusable, row.reusable);
  }
  bool reusable = false;
  EXPECT_EQ(Respond(get, MakeResponse(200, Body::None()), {}, reusable),
            "HTTP/1.1 200 R\r\nX: y\r\nContent-Length: 0\r\n\r\n");
}

TEST(Http1ServerCodec, SendsTrailersOnlyInChunks) {
  HeaderList trailers;
  trailers.Add("T", "u");
  trailers.Add("Content-Length", "9");
  bool reusable = false;
  EXPECT_TRUE(Respond(Get(""), MakeResponse(200, Body::Stream()), {"ab"}, reusable, trailers)
                  .ends_with("2\r\nab\r\n0\r\nT: u\r\n\r\n"));
  EXPECT_TRUE(reusable);
  EXPECT_TRUE(Respond(Get(""), MakeResponse(200, Body::Length(2)), {"ab"}, reusable, trailers)
                  .ends_with("\r\n\r\nab"));
  EXPECT_TRUE(Respond("GET / HTTP/1.0\r\n\r\n", MakeResponse(200, Body::Stream()), {"ab"}, reusable,
                      trailers)
                  .ends_with("\r\n\r\nab"));
}

TEST(Http1ServerCodec, WritesNoHopByHopFieldOfTheBackend) {
  ResponseHead response = MakeResponse(200, Body::Length(0));
  response.headers.Add("Connection", "keep-alive");
  response.headers.Add("Keep-Alive", "timeout=5");
  response.headers.Add("transfer-encoding", "gzip");
  response.headers.Add("content-length", "77");
  response.headers.Add("Upgrade", "h2c");
  bool reusable = false;
  EXPECT_EQ(Respond(Get(""), response, {}, reusable),
            "HTTP/1.1 200 R\r\nX: y\r\nContent-Length: 0\r\n\r\n");
}

TEST(Http1ServerCodec, RelaysInterimResponsesButNotToHttp10) {
  for (const bool http10 : {false, true}) {
    RequestRecorder recorder;
    Http1ServerCodec codec({}, recorder);
    const std::string request = http10 ? "GET / HTTP/1.0\r\n\r\n" : Get("");
    size_t consumed = 0;
    EXPECT_EQ(codec.Feed(Bytes(request), consumed), FeedResult::kMessageEnd);
    ResponseHead hints;
    hints.status = 103;
    hints.reason = "Early Hints";
    hints.headers.Add("Link", "</x>");
    std::string out;
    codec.EncodeInterim(hints, Into(out));
    codec.EncodeInterim(hints, Into(out));
    const std::string once = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    EXPECT_EQ(out, http10 ? "" : once + once);
    EXPECT_FALSE(codec.response_started());
  }
}

TEST(Http1ServerCodec, BecomesRawAfterSwitchingProtocols) {
  RequestRecorder recorder;
  Http1ServerCodec codec({}, recorder);
  std::string wire = Get("Connection: upgrade\r\nUpgrade: websocket\r\n") + "\x81\x00GET";
  size_t consumed = 0;
  EXPECT_EQ(codec.Feed(Bytes(wire), consumed), FeedResult::kMessageEnd);
  ResponseHead response;
  response.status = 101;
  response.reason = "Switching Protocols";
  response.headers.Add("Sec-WebSocket-Accept", "x");
  response.upgrade = "websocket";
  std::string out;
  codec.EncodeHead(response, Into(out));
  EXPECT_EQ(out,
            "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n"
            "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_EQ(codec.Feed(Bytes(wire).subspan(consumed), consumed), FeedResult::kUpgraded);
  EXPECT_EQ(consumed, 0u);
  EXPECT_FALSE(codec.reusable());
  EXPECT_FALSE(codec.keep_alive());
}

TEST(Http1ServerCodec, ClosesAfterAnErrorAndWhenAsked) {
  RequestRecorder recorder;
  size_t consumed = 0;
  const std::string head =
      "HTTP/1.1 400 R\r\nX: y\r\nContent-Length: 3\r\nConnection: close\r\n\r\n";
  // The method counts as soon as it is known, also where the head is never understood.
  for (const auto& [wire, body] :
       {std::pair("HEAD / HTTP/1.1\r\n\r\n", ""), std::pair("HEAD / HTTP/1.1\r\nbad\r\n", ""),
        std::pair("GET / HTTP/1.1\r\nbad\r\n", "abc"), std::pair("G\x01", "abc")}) {
    Http1ServerCodec codec({}, recorder);
    EXPECT_EQ(codec.Feed(Bytes(wire), consumed), FeedResult::kError);
    EXPECT_EQ(codec.Feed(Bytes(Get("")), consumed), FeedResult::kError) << "nothing is read on";
    std::string out;
    codec.EncodeHead(MakeResponse(400, Body::Length(3)), Into(out));
    codec.EncodeData(Bytes("abc"), Into(out));
    EXPECT_EQ(out, head + body);
  }

  Http1ServerCodec draining({}, recorder);
  EXPECT_EQ(draining.Feed(Bytes(Get("")), consumed), FeedResult::kMessageEnd);
  draining.CloseAfterResponse();
  std::string out;
  draining.EncodeHead(MakeResponse(200, Body::Length(0)), Into(out));
  draining.EncodeEnd(Into(out));
  EXPECT_TRUE(out.ends_with("Content-Length: 0\r\nConnection: close\r\n\r\n"));
  EXPECT_FALSE(draining.reusable());
}

TEST(Http1ServerCodec, IsNotReusableBeforeTheRequestHasEnded) {
  RequestRecorder recorder;
  Http1ServerCodec codec({}, recorder);
  size_t consumed = 0;
  const std::string start = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na";
  EXPECT_EQ(codec.Feed(Bytes(start), consumed), FeedResult::kNeedMore);
  std::string out;
  codec.EncodeHead(MakeResponse(200, Body::Length(0)), Into(out));
  codec.EncodeEnd(Into(out));
  EXPECT_TRUE(codec.keep_alive());
  EXPECT_FALSE(codec.reusable());
  EXPECT_EQ(codec.Feed(Bytes("bc"), consumed), FeedResult::kMessageEnd);
  EXPECT_TRUE(codec.reusable());
  codec.NextRequest();
  EXPECT_TRUE(codec.idle());
}

}  // namespace
}  // namespace portcullis::http
