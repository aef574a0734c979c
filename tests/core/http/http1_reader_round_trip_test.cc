// Properties of reader and writer together, on random messages: parse(serialise(message)) is the
// message, whatever the fragmentation; and random damage to a message never changes with the
// fragmentation, crashes or hangs. The seed is printed.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/core/http/transcripts.h"

namespace portcullis::http {
namespace {

constexpr int kRounds = 1000;

// A message of random shape.
class Maker {
 public:
  explicit Maker(uint32_t seed) : random_(seed) {}

  std::mt19937& random() { return random_; }
  size_t Upto(size_t most) { return std::uniform_int_distribution<size_t>(0, most)(random_); }
  bool Coin() { return Upto(1) == 1; }

  std::string Text(std::string_view alphabet, size_t least, size_t most) {
    std::string text(least + Upto(most - least), ' ');
    for (char& c : text) c = alphabet[Upto(alphabet.size() - 1)];
    return text;
  }

  void AddFields(size_t most, HeaderList& headers) {
    for (size_t i = Upto(most); i > 0; --i) {
      const std::string middle = Text("ab \t:,;\"\\\x80\xff()<>", 0, 12);
      // Outer whitespace is not part of a value.
      headers.Add("X" + Text("abAB09-_.!~", 0, 8), middle.empty() ? "" : "v" + middle + "v");
    }
  }

  RequestHead Request() {
    constexpr const char* kMethods[] = {"GET",   "POST",    "PUT",     "DELETE",
                                        "PATCH", "OPTIONS", "PROPFIND"};
    RequestHead head;
    head.method = kMethods[Upto(std::size(kMethods) - 1)];
    head.scheme = "https";
    head.authority = Text("abz019.-", 1, 10) + (Coin() ? ":8443" : "");
    head.path = "/" + Text("abz/?&=%2e;.~!$'()*+,:@[]{}|\\^`\"<>", 0, 30);
    AddFields(12, head.headers);
    head.body = SomeBody();
    return head;
  }

  ResponseHead Response() {
    constexpr uint16_t kStatuses[] = {200, 201, 302, 404, 500, 599};
    ResponseHead head;
    head.status = kStatuses[Upto(std::size(kStatuses) - 1)];
    head.reason = Text("ab \xe9", 0, 5) + "c";
    if (head.reason.front() == ' ') head.reason.front() = 'x';
    AddFields(12, head.headers);
    head.body = Coin() ? Body::Stream() : Body::Length(0);
    return head;
  }

  // Body bytes in pieces; sets the length that `body` declares.
  std::vector<std::string> Pieces(Body& body) {
    std::vector<std::string> pieces;
    if (body.kind == BodyKind::kNone) return pieces;
    body.length = 0;
    for (size_t i = Upto(5); i > 0; --i) {
      pieces.push_back(Text("\r\n0123abc\x04GET /", 1, 40));
      // A byte of our transcripts' own notation would confuse them.
      for (char& c : pieces.back()) c = c == '\x04' ? '4' : c;
      if (body.kind == BodyKind::kLength) body.length += pieces.back().size();
    }
    return pieces;
  }

 private:
  Body SomeBody() {
    switch (Upto(2)) {
      case 0:
        return Body::None();
      case 1:
        return Body::Length(0);
      default:
        return Body::Stream();
    }
  }

  std::mt19937 random_;
};

// Writes the body and the trailers, and tells the transcript a reader of it should give.
template <typename Codec>
std::string WriteBody(Maker& maker, Codec& codec, const Body& body,
                      const std::vector<std::string>& pieces, std::string& wire) {
  Transcript expected;
  for (const std::string& piece : pieces) {
    codec.EncodeData(Bytes(piece), Into(wire));
    expected.AddData(Bytes(piece));
  }
  if (body.kind == BodyKind::kStream && maker.Coin()) {
    HeaderList trailers;
    maker.AddFields(4, trailers);
    codec.EncodeTrailers(trailers, Into(wire));
    if (!trailers.empty()) expected.Add("trailers\n" + Describe(trailers));
  }
  codec.EncodeEnd(Into(wire));
  expected.Add("end\n");
  return expected.text();
}

TEST(Http1RoundTrip, RequestsComeOutAsTheyWentIn) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Maker maker(seed);
  for (int round = 0; round < kRounds; ++round) {
    std::string wire;
    std::string expected;
    for (size_t i = 1 + maker.Upto(2); i > 0; --i) {
      RequestHead head = maker.Request();
      const std::vector<std::string> pieces = maker.Pieces(head.body);
      ResponseRecorder responses;
      Http1ClientCodec codec({}, responses);
      codec.EncodeRequestHead(head, Into(wire));
      expected += Describe(head) + WriteBody(maker, codec, head.body, pieces, wire);
    }
    expected += "idle\n";
    ASSERT_EQ(ServeAll(wire), expected);
    ASSERT_EQ(ServeAll(wire, {.random = &maker.random()}), expected);
    ASSERT_EQ(ServeAll(wire, {.random = &maker.random(), .pause = true}), expected);
    ASSERT_EQ(ServeAll(wire, {.fixed = 1}), expected);
  }
}

TEST(Http1RoundTrip, ResponsesComeOutAsTheyWentIn) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Maker maker(seed);
  for (int round = 0; round < kRounds; ++round) {
    RequestRecorder requests;
    Http1ServerCodec codec({}, requests);
    size_t consumed = 0;
    ASSERT_EQ(codec.Feed(Bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), consumed),
              FeedResult::kMessageEnd);
    std::string wire;
    std::string expected;
    for (size_t i = maker.Upto(2); i > 0; --i) {
      ResponseHead interim;
      interim.status = 103;
      interim.reason = "Hints";
      maker.AddFields(3, interim.headers);
      codec.EncodeInterim(interim, Into(wire));
      expected += "interim " + Describe(interim);
    }
    ResponseHead head = maker.Response();
    const std::vector<std::string> pieces = maker.Pieces(head.body);
    codec.EncodeHead(head, Into(wire));
    expected += "response " + Describe(head) + WriteBody(maker, codec, head.body, pieces, wire) +
                "over, reusable, 0 bytes left\n";
    ASSERT_EQ(ReadResponse(wire), expected);
    ASSERT_EQ(ReadResponse(wire, {.random = &maker.random()}), expected);
    ASSERT_EQ(ReadResponse(wire, {.random = &maker.random(), .pause = true}), expected);
    ASSERT_EQ(ReadResponse(wire, {.fixed = 1}), expected);
  }
}

// Replaces, drops or doubles a few bytes.
void Damage(Maker& maker, std::string& wire) {
  constexpr std::string_view kNasty("\r\n \t:,;0\x00\x7f\x80zH", 13);
  for (size_t i = 1 + maker.Upto(2); i > 0; --i) {
    const size_t at = maker.Upto(wire.size() - 1);
    switch (maker.Upto(2)) {
      case 0:
        wire[at] = kNasty[maker.Upto(kNasty.size() - 1)];
        break;
      case 1:
        wire.erase(at, 1);
        break;
      default:
        wire.insert(at, 1, kNasty[maker.Upto(kNasty.size() - 1)]);
        break;
    }
  }
}

TEST(Http1RoundTrip, DamagedRequestsAreReadAlikeInAnyFragmentation) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Maker maker(seed);
  for (int round = 0; round < kRounds; ++round) {
    RequestHead head = maker.Request();
    const std::vector<std::string> pieces = maker.Pieces(head.body);
    ResponseRecorder responses;
    Http1ClientCodec codec({}, responses);
    std::string wire;
    codec.EncodeRequestHead(head, Into(wire));
    WriteBody(maker, codec, head.body, pieces, wire);
    Damage(maker, wire);
    const std::string whole = ServeAll(wire);
    ASSERT_EQ(ServeAll(wire, {.fixed = 1}), whole) << wire;
    ASSERT_EQ(ServeAll(wire, {.random = &maker.random(), .pause = true}), whole) << wire;
  }
}

TEST(Http1RoundTrip, DamagedResponsesAreReadAlikeInAnyFragmentation) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Maker maker(seed);
  for (int round = 0; round < kRounds; ++round) {
    RequestRecorder requests;
    Http1ServerCodec codec({}, requests);
    size_t consumed = 0;
    ASSERT_EQ(codec.Feed(Bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), consumed),
              FeedResult::kMessageEnd);
    ResponseHead head = maker.Response();
    const std::vector<std::string> pieces = maker.Pieces(head.body);
    std::string wire;
    codec.EncodeHead(head, Into(wire));
    WriteBody(maker, codec, head.body, pieces, wire);
    Damage(maker, wire);
    const std::string whole = ReadResponse(wire);
    ASSERT_EQ(ReadResponse(wire, {.fixed = 1}), whole) << wire;
    ASSERT_EQ(ReadResponse(wire, {.random = &maker.random(), .pause = true}), whole) << wire;
  }
}

}  // namespace
}  // namespace portcullis::http
