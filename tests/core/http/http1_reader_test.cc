// The reader by itself, under a codec of the test's making: that it holds our reading of a head
// against llhttp's, pauses where asked and nowhere else, and stays failed.
#include "core/http/http1_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/core/http/transcripts.h"

namespace portcullis::http {
namespace {

class TestReader final : public Http1Reader {
 public:
  using Http1Reader::begun;
  using Http1Reader::EndByClose;
  using Http1Reader::Phase;
  using Http1Reader::phase;
  using Http1Reader::Read;
  using Http1Reader::set_skip_body;
  using Http1Reader::StartMessage;

  explicit TestReader(MessageSide side, const Http1Limits& limits = {})
      : Http1Reader(side, limits) {
    StartMessage(headers);
  }

  // Read, of text.
  FeedResult Feed(std::string_view text, size_t& consumed) { return Read(Bytes(text), consumed); }
  [[nodiscard]] std::string error() const { return failure().reason; }

  HeaderList headers;
  Extent claim;       // what CheckHead says the body is
  HttpError refusal;  // what CheckHead returns
  bool pause = false;
  std::string events;

 private:
  HttpError CheckHead() override {
    set_extent(claim);
    return refusal;
  }
  HttpError DeliverHead() override { return Note("head "), HttpError{}; }
  void DeliverData(std::span<const uint8_t> data) override {
    Note(std::string(data.begin(), data.end()) + " ");
  }
  void DeliverTrailers(HeaderList& trailers) override {
    Note("trailers:" + std::to_string(trailers.size()) + " ");
  }
  void DeliverEnd() override { Note("end"); }

  void Note(std::string_view event) {
    events += event;
    if (pause) RequestPause();
  }
};

TEST(Http1Reader, RefusesAHeadThatLlhttpReadsOtherwise) {
  struct Row {
    const char* name;
    std::string fields;
    Extent truth;
    Extent claim;
  };
  const Row rows[] = {
      {"a body that is there", "Content-Length: 3\r\n", {Framing::kLength, 3}, {}},
      {"another length", "Content-Length: 3\r\n", {Framing::kLength, 3}, {Framing::kLength, 4}},
      {"chunks for a length",
       "Content-Length: 3\r\n",
       {Framing::kLength, 3},
       {Framing::kChunked, 0}},
      {"a length for chunks",
       "Transfer-Encoding: chunked\r\n",
       {Framing::kChunked, 0},
       {Framing::kLength, 3}},
      {"nothing for chunks", "Transfer-Encoding: chunked\r\n", {Framing::kChunked, 0}, {}},
      {"a body that is not there", "", {}, {Framing::kLength, 3}},
      {"a close for nothing", "", {}, {Framing::kClose, 0}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    for (const bool honest : {true, false}) {
      TestReader reader(MessageSide::kRequest);
      reader.claim = honest ? row.truth : row.claim;
      size_t consumed = 0;
      const FeedResult result =
          reader.Feed("POST / HTTP/1.1\r\nHost: a\r\n" + row.fields + "\r\n", consumed);
      EXPECT_EQ(result == FeedResult::kError, !honest);
      EXPECT_EQ(reader.error(), honest ? "" : "parsers disagree on the body's extent");
      EXPECT_EQ(reader.events.empty(), !honest) << "nothing is delivered of a doubtful message";
    }
  }
}

TEST(Http1Reader, PausesAfterEachEventWhenAskedTo) {
  TestReader reader(MessageSide::kRequest);
  reader.claim = {Framing::kChunked, 0};
  reader.pause = true;
  std::string_view wire =
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\nT: "
      "u\r\n\r\nX";
  const char* const stages[] = {"head ", "head a ", "head a bc ", "head a bc trailers:1 ",
                                "head a bc trailers:1 end"};
  size_t consumed = 0;
  for (const char* stage : stages) {
    EXPECT_EQ(reader.Feed(wire, consumed), FeedResult::kPaused);
    EXPECT_EQ(reader.events, stage);
    wire.remove_prefix(consumed);
  }
  EXPECT_EQ(reader.Feed(wire, consumed), FeedResult::kMessageEnd);
  EXPECT_EQ(wire, "X");
}

TEST(Http1Reader, GoesOnAfterAPauseWithoutFurtherBytes) {
  TestReader reader(MessageSide::kRequest);
  reader.claim = {Framing::kLength, 2};
  reader.pause = true;
  size_t consumed = 0;
  EXPECT_EQ(reader.Feed("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab", consumed),
            FeedResult::kPaused);
  EXPECT_EQ(reader.Feed("ab", consumed), FeedResult::kPaused);
  EXPECT_EQ(consumed, 2u);
  EXPECT_EQ(reader.events, "head ab ");
  reader.pause = false;
  EXPECT_EQ(reader.Feed("", consumed), FeedResult::kMessageEnd);
  EXPECT_EQ(reader.events, "head ab end");
}

TEST(Http1Reader, StaysFailedAndKeepsTheFirstReason) {
  TestReader reader(MessageSide::kRequest);
  reader.refusal = {417, "no"};
  size_t consumed = 0;
  EXPECT_EQ(reader.Feed("GET / HTTP/1.1\r\n\r\n", consumed), FeedResult::kError);
  reader.refusal = {};
  EXPECT_EQ(reader.Feed("GET / HTTP/1.1\r\n\r\n", consumed), FeedResult::kError);
  EXPECT_EQ(consumed, 0u);
  EXPECT_EQ(reader.error(), "no");
  EXPECT_EQ(reader.events, "");
}

TEST(Http1Reader, PrefersOurReasonForAHeadThatLlhttpRefusesToo) {
  TestReader reader(MessageSide::kRequest);
  reader.refusal = {501, "ours"};
  size_t consumed = 0;
  EXPECT_EQ(reader.Feed("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", consumed),
            FeedResult::kError);
  EXPECT_EQ(reader.error(), "ours");
}

TEST(Http1Reader, EndsABodyByCloseOnlyIfItIsDelimitedSo) {
  TestReader close(MessageSide::kResponse);
  close.claim = {Framing::kClose, 0};
  size_t consumed = 0;
  EXPECT_FALSE(close.EndByClose());
  EXPECT_EQ(close.Feed("HTTP/1.1 200 OK\r\n\r\nabc", consumed), FeedResult::kNeedMore);
  EXPECT_TRUE(close.EndByClose());
  EXPECT_EQ(close.events, "head abc end");
  EXPECT_FALSE(close.EndByClose());

  TestReader length(MessageSide::kResponse);
  length.claim = {Framing::kLength, 4};
  EXPECT_EQ(length.Feed("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", consumed),
            FeedResult::kNeedMore);
  EXPECT_FALSE(length.EndByClose());
  EXPECT_EQ(length.events, "head abc ");
}

TEST(Http1Reader, SkipsTheBodyOfAResponseToHead) {
  TestReader reader(MessageSide::kResponse);
  reader.set_skip_body(true);
  size_t consumed = 0;
  const std::string_view head = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";
  EXPECT_EQ(reader.Feed(std::string(head) + "HTTP", consumed), FeedResult::kMessageEnd);
  EXPECT_EQ(consumed, head.size());
  EXPECT_EQ(reader.events, "head end");
}

TEST(Http1Reader, StartsAfreshForEachMessage) {
  TestReader reader(MessageSide::kRequest, {.max_head_bytes = 40});
  size_t consumed = 0;
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(reader.begun());
    EXPECT_EQ(reader.Feed("GET / HTTP/1.1\r\nA: ", consumed), FeedResult::kNeedMore);
    EXPECT_TRUE(reader.begun());
    EXPECT_EQ(reader.Feed("b\r\n\r\n", consumed), FeedResult::kMessageEnd);
    EXPECT_EQ(Describe(reader.headers), "  A=[b]\n");
    reader.StartMessage(reader.headers);
  }
}

}  // namespace
}  // namespace portcullis::http
