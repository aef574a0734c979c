// Requests: any bytes, in any fragmentation, give the same events or the same error; and what was
// accepted is, written anew as for a backend, read back as the same message. The first byte of the
// input chooses the fragmentation.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "core/http/header_rules.h"
#include "core/http/identity.h"
#include "io/check.h"
#include "tests/core/http/transcripts.h"

namespace portcullis::http {
namespace {

constexpr Http1Limits kLimits = {.max_head_bytes = 2048,
                                 .max_headers = 16,
                                 .max_trailer_bytes = 256,
                                 .max_chunk_extension_bytes = 32,
                                 .max_body_bytes = 4096};

// Writes each request as for a backend, and notes what that should be read as.
class Rewriter final : public RequestEvents {
 public:
  std::string wire;
  Transcript expected;

  void OnRequestHead(RequestHead& head) override {
    PrepareForBackend({.context = {.client_ip = "192.0.2.1", .server_port = 443}}, head);
    for (const Header header : head.headers) {
      CHECK(!IsIdentityHeader(header.name), "an identity claimed by the client got through");
    }
    // A head read back has these again, and its version.
    if (head.authority.empty()) head.authority = "none";
    RequestHead read = head;
    read.version_minor = 1;
    read.expect_continue = false;
    if (!head.upgrade.empty()) {
      read.headers.Add("Connection", "upgrade");
      read.headers.Add("Upgrade", head.upgrade);
    }
    if (head.headers.Has("Expect")) read.expect_continue = HasBody(head.body);
    expected.Add(Describe(read));
    codec_.emplace(kLimits, responses_);
    codec_->EncodeRequestHead(head, Into(wire));
  }
  void OnRequestData(std::span<const uint8_t> data) override {
    codec_->EncodeData(data, Into(wire));
    expected.AddData(data);
  }
  void OnRequestTrailers(HeaderList& trailers) override {
    FilterTrailers(trailers);
    codec_->EncodeTrailers(trailers, Into(wire));
    if (!trailers.empty()) expected.Add("trailers\n" + Describe(trailers));
  }
  void OnRequestEnd() override {
    codec_->EncodeEnd(Into(wire));
    expected.Add("end\n");
  }

 private:
  static bool HasBody(const Body& body) {
    return body.kind == BodyKind::kStream || (body.kind == BodyKind::kLength && body.length != 0);
  }

  ResponseRecorder responses_;
  std::optional<Http1ClientCodec> codec_;
};

void CheckRewriting(std::string_view wire) {
  Rewriter rewriter;
  Http1ServerCodec codec(kLimits, rewriter);
  size_t consumed = 0;
  if (codec.Feed(Bytes(wire), consumed) != FeedResult::kMessageEnd) return;
  // Our own fields take room too.
  const std::string read = ServeAll(rewriter.wire, {}, {});
  CHECK(read == rewriter.expected.text() + "idle\n", "a rewritten request reads otherwise");
}

void CheckFragmentation(uint8_t choice, std::string_view wire) {
  const std::string whole = ServeAll(wire, {}, kLimits);
  std::mt19937 random(choice);
  for (const Cuts& cuts : {Cuts{.fixed = 1}, Cuts{.pause = true}, Cuts{.keep = choice},
                           Cuts{.random = &random, .pause = true}}) {
    CHECK(ServeAll(wire, cuts, kLimits) == whole, "events depend on the fragmentation");
  }
}

}  // namespace
}  // namespace portcullis::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 8192) return 0;
  const std::string_view wire(reinterpret_cast<const char*>(data) + 1, size - 1);
  portcullis::http::CheckFragmentation(data[0], wire);
  portcullis::http::CheckRewriting(wire);
  return 0;
}
