// Request smuggling: the classic ways to make two parsers see two requests. Each must be refused
// before anything of it is delivered; and whatever is accepted must, written anew for the backend,
// be exactly one message.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/core/http/transcripts.h"

namespace portcullis::http {
namespace {

using std::string_literals::operator""s;

std::string Post(std::string_view fields, std::string_view rest = "") {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n" + std::string(rest);
}

TEST(Http1Smuggling, ObfuscatedTransferEncodingIsRefused) {
  const std::string codings[] = {
      "Transfer-Encoding : chunked\r\n",
      "Transfer-Encoding\t: chunked\r\n",
      "Transfer-Encoding\n: chunked\r\n",
      "Transfer-Encoding:\n chunked\r\n",
      "Transfer-Encoding:\r\n chunked\r\n",
      "Transfer-Encoding:\x0b"
      "chunked\r\n",
      "Transfer-Encoding: \x0c"
      "chunked\r\n",
      "Transfer-Encoding: chunked\0\r\n"s,
      "\0Transfer-Encoding: chunked\r\n"s,
      "Transfer-Encoding: xchunked\r\n",
      "Transfer-Encoding: chunked x\r\n",
      "Transfer-Encoding: chunked;x\r\n",
      "Transfer-Encoding: \"chunked\"\r\n",
      "Transfer-Encoding: 'chunked'\r\n",
      "Transfer-Encoding: chunke\r\n",
      "Transfer-Encoding: \xff"
      "chunked\r\n",
      "Transfer-Encoding: chunked, identity\r\n",
      "Transfer-Encoding: identity, chunked\r\n",
      "Transfer-Encoding: chunked, chunked\r\n",
      "Transfer-Encoding: ,chunked\r\n",
      "Transfer-Encoding: chunked,\r\n",
      "Transfer-Encoding:\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
      "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
      "X: y\nTransfer-Encoding: chunked\r\n",
      "X: y\rTransfer-Encoding: chunked\r\n",
      "X: y\r\r\nTransfer-Encoding: chunked\r\n",
      " Transfer-Encoding: chunked\r\n",
      "X: y\r\n Transfer-Encoding: chunked\r\n",
      "Transfer-\r\nEncoding: chunked\r\n",
      "Transfer-Encoding chunked\r\n",
  };
  for (const std::string& coding : codings) {
    for (const std::string& length : {""s, "Content-Length: 5\r\n"s}) {
      for (const std::string& fields : {length + coding, coding + length}) {
        const std::string transcript =
            ServeAll(Post(fields, "0\r\n\r\nGET /evil HTTP/1.1\r\n\r\n"));
        EXPECT_TRUE(transcript.starts_with("error ")) << fields << "\n" << transcript;
      }
    }
  }
}

TEST(Http1Smuggling, ContradictoryLengthsAreRefused) {
  for (const std::string& fields : {
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"s,
           "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"s,
           "content-length: 0\r\ntransfer-encoding: CHUNKED\r\n"s,
           "Content-Length: 5\r\nContent-Length: 6\r\n"s,
           "Content-Length: 5\r\ncontent-length: 5\r\n"s,
           "Content-Length: 5, 6\r\n"s,
           "Content-Length: 5, 5\r\n"s,
           "Content-Length: -5\r\n"s,
           "Content-Length: +5\r\n"s,
           "Content-Length: 0x5\r\n"s,
           "Content-Length: 5.0\r\n"s,
           "Content-Length: 5e0\r\n"s,
           "Content-Length: 5 5\r\n"s,
           "Content-Length: \r\n"s,
           "Content-Length: 5\x0b\r\n"s,
           "Content-Length: \xd9\xa5\r\n"s,
           "Content-Length: 18446744073709551621\r\n"s,
           "Content-Length : 5\r\n"s,
           "Content-Length\r\n : 5\r\n"s,
       }) {
    const std::string transcript = ServeAll(Post(fields, "abcdeGET /evil HTTP/1.1\r\n\r\n"));
    EXPECT_TRUE(transcript.starts_with("error 400")) << fields << "\n" << transcript;
  }
}

TEST(Http1Smuggling, AmbiguousHostsAreRefused) {
  for (const std::string& wire : {
           "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost:\r\n\r\n"s,
           "GET / HTTP/1.1\r\n\r\n"s,
           "GET / HTTP/1.1\r\n Host: a\r\nHost: b\r\n\r\n"s,
           "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"s,
           "GET http://a@b/ HTTP/1.1\r\nHost: a\r\n\r\n"s,
           "GET http://a:1/ HTTP/1.1\r\nHost: a\r\n\r\n"s,
           "GET http://a\\@b/ HTTP/1.1\r\nHost: a\r\n\r\n"s,
       }) {
    EXPECT_TRUE(ServeAll(wire).starts_with("error 400")) << wire;
  }
}

TEST(Http1Smuggling, AnErrorEndsTheConnection) {
  // What follows a refused message is never read as a request.
  const std::string transcript =
      ServeAll("GET / HTTP/1.1\r\nHost: a\r\n\r\n" + Post("Content-Length: x\r\n", "") +
               "GET /evil HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(transcript,
            "request GET https [a] / 1.1 body none\nend\n"
            "error 400 malformed or contradictory framing fields\n");
}

// Passes requests on as a proxy would, into one string of backend bytes an exchange.
class Forwarder final : public RequestEvents {
 public:
  std::vector<std::string> forwarded;

  void OnRequestHead(RequestHead& head) override {
    forwarded.emplace_back();
    codec_.emplace(Http1Limits(), responses_);
    codec_->EncodeRequestHead(head, Into(forwarded.back()));
  }
  void OnRequestData(std::span<const uint8_t> data) override {
    codec_->EncodeData(data, Into(forwarded.back()));
  }
  void OnRequestTrailers(HeaderList& trailers) override {
    codec_->EncodeTrailers(trailers, Into(forwarded.back()));
  }
  void OnRequestEnd() override { codec_->EncodeEnd(Into(forwarded.back())); }

 private:
  ResponseRecorder responses_;
  std::optional<Http1ClientCodec> codec_;
};

TEST(Http1Smuggling, WhatIsForwardedIsOneMessageWithTheSameBody) {
  const std::string evil = "GET /evil HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string length = "Content-Length: " + std::to_string(evil.size()) + "\r\n";
  const std::string chunk = "1f\r\n" + evil.substr(0, 31) + "\r\n0\r\n\r\n";
  for (const std::string& wire :
       {Post(length, evil), Post("Transfer-Encoding: chunked\r\n", chunk),
        Post("Content_Length: 5\r\n" + length, evil), Post("X-Content-Length: 5\r\n"),
        Post("Connection: Content-Length, Transfer-Encoding, Host\r\n" + length, evil),
        Post("Connection: upgrade\r\nUpgrade: websocket\r\n" + length, evil)}) {
    SCOPED_TRACE(wire);
    Forwarder forwarder;
    Http1ServerCodec codec({}, forwarder);
    size_t consumed = 0;
    ASSERT_EQ(codec.Feed(Bytes(wire), consumed), FeedResult::kMessageEnd);
    ASSERT_EQ(forwarder.forwarded.size(), 1u);
    const std::string again = ServeAll(forwarder.forwarded[0]);
    EXPECT_EQ(again.find("request "), 0u);
    EXPECT_EQ(again.rfind("request "), 0u) << "one request, not two";
    const auto body = [](const std::string& transcript) {
      const size_t at = transcript.find("data ");
      return at == std::string::npos ? std::string() : transcript.substr(at);
    };
    EXPECT_EQ(body(again), body(ServeAll(wire)));
    EXPECT_TRUE(again.ends_with("end\nidle\n")) << again;
  }
}

}  // namespace
}  // namespace portcullis::http
