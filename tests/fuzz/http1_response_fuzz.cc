// Responses: any bytes, in any fragmentation, give the same events or the same error; and what was
// accepted can be written to a client and is read back with the same body. The first byte of the
// input chooses fragmentation and request.
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "core/http/header_rules.h"
#include "io/check.h"
#include "tests/core/http/transcripts.h"

namespace portcullis::http {
namespace {

constexpr Http1Limits kLimits = {.max_head_bytes = 2048,
                                 .max_headers = 16,
                                 .max_trailer_bytes = 256,
                                 .max_chunk_extension_bytes = 32,
                                 .max_body_bytes = 4096};

// What the client asked, from the input's first byte.
struct Asked {
  const char* method;
  const char* upgrade;
};

Asked Choose(uint8_t choice) {
  return {(choice & 1) != 0 ? "HEAD" : "GET", (choice & 2) != 0 ? "websocket, foo/2" : ""};
}

void CheckFragmentation(uint8_t choice, std::string_view wire) {
  const Asked asked = Choose(choice);
  const auto read = [&](const Cuts& cuts) {
    return ReadResponse(wire, cuts, asked.method, asked.upgrade, kLimits);
  };
  const std::string whole = read({});
  std::mt19937 random(choice);
  for (const Cuts& cuts : {Cuts{.fixed = 1}, Cuts{.pause = true}, Cuts{.keep = choice},
                           Cuts{.random = &random, .pause = true}}) {
    CHECK(read(cuts) == whole, "events depend on the fragmentation");
  }
}

// Relays a response to a client, as far as it goes.
class Relay final : public ResponseEvents {
 public:
  explicit Relay(std::string_view request) : server_({}, requests_) {
    size_t consumed = 0;
    CHECK(server_.Feed(Bytes(request), consumed) == FeedResult::kMessageEnd);
  }

  std::string wire;
  std::string body;
  bool ended = false;

  void OnInterim(ResponseHead& head) override {
    PrepareForClient(head);
    server_.EncodeInterim(head, Into(wire));
  }
  void OnResponseHead(ResponseHead& head) override {
    PrepareForClient(head);
    server_.EncodeHead(head, Into(wire));
  }
  void OnResponseData(std::span<const uint8_t> data) override {
    server_.EncodeData(data, Into(wire));
    body.append(reinterpret_cast<const char*>(data.data()), data.size());
  }
  void OnResponseTrailers(HeaderList& trailers) override {
    FilterTrailers(trailers);
    server_.EncodeTrailers(trailers, Into(wire));
  }
  void OnResponseEnd() override {
    server_.EncodeEnd(Into(wire));
    ended = true;
  }

 private:
  RequestRecorder requests_;
  Http1ServerCodec server_;
};

void CheckRelaying(uint8_t choice, std::string_view wire) {
  const Asked asked = Choose(choice);
  std::string request = std::string(asked.method) + " / HTTP/1.1\r\nHost: a\r\n";
  if (asked.upgrade[0] != '\0') {
    request += "Connection: upgrade\r\nUpgrade: " + std::string(asked.upgrade) + "\r\n";
  }
  Relay relay(request + "\r\n");
  Http1ClientCodec client(kLimits, relay);
  RequestHead head;
  head.method = asked.method;
  head.path = "/";
  head.upgrade = asked.upgrade;
  std::string out;
  client.EncodeRequestHead(head, Into(out));
  client.EncodeEnd(Into(out));
  size_t consumed = 0;
  const FeedResult result = client.Feed(Bytes(wire), consumed);
  if (result == FeedResult::kNeedMore && client.OnEof() == EofResult::kTruncated) return;
  if (!relay.ended) return;
  const std::string read = ReadResponse(relay.wire, {}, asked.method, asked.upgrade);
  CHECK(read.ends_with("end\nover, reusable, 0 bytes left\n"),
        "a relayed response reads otherwise");
  Transcript expected;
  if (!relay.body.empty()) expected.AddData(Bytes(relay.body));
  CHECK(read.find(expected.text()) != std::string::npos, "a relayed body reads otherwise");
}

}  // namespace
}  // namespace portcullis::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 8192) return 0;
  const std::string_view wire(reinterpret_cast<const char*>(data) + 1, size - 1);
  portcullis::http::CheckFragmentation(data[0], wire);
  portcullis::http::CheckRelaying(data[0], wire);
  return 0;
}
