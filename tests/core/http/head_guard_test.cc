// The guard by itself: its verdict, and the byte it falls at, whatever the fragmentation.
#include "core/http/head_guard.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>

#include "tests/core/http/transcripts.h"

namespace portcullis::http {
namespace {

using Verdict = HeadGuard::Verdict;

struct Answer {
  Verdict verdict;
  size_t scanned;
  friend bool operator==(const Answer&, const Answer&) = default;
};

// Scans `text` in pieces of `piece` bytes.
Answer Scan(HeadGuard guard, std::string_view text, size_t piece) {
  size_t total = 0;
  while (true) {
    const std::string_view next = text.substr(total, piece);
    size_t scanned = 0;
    const Verdict verdict = guard.Scan(Bytes(next), scanned);
    total += scanned;
    EXPECT_EQ(guard.scanned(), total);
    if (verdict != Verdict::kMore || total == text.size()) return {verdict, total};
    EXPECT_EQ(scanned, next.size());
  }
}

HeadGuard Request(uint32_t max_bytes = 1000, uint32_t max_fields = 10) {
  HeadGuard guard;
  guard.StartHead(MessageSide::kRequest, max_bytes, max_fields);
  return guard;
}

HeadGuard Response() {
  HeadGuard guard;
  guard.StartHead(MessageSide::kResponse, 1000, 10);
  return guard;
}

HeadGuard Trailers() {
  HeadGuard guard;
  guard.StartTrailers(1000, 10);
  return guard;
}

TEST(HeadGuard, FindsTheEndOfASection) {
  const std::string_view request = "\r\nGET / HTTP/1.1\r\nA: b\r\n\r\nGET";
  const std::string_view response = "HTTP/1.0 200 \xc3\xa9 \t\r\nA:\r\n\r\nx";
  for (size_t piece = 1; piece < 40; ++piece) {
    EXPECT_EQ(Scan(Request(), request, piece), (Answer{Verdict::kEnd, request.size() - 3}));
    EXPECT_EQ(Scan(Response(), response, piece), (Answer{Verdict::kEnd, response.size() - 1}));
    EXPECT_EQ(Scan(Trailers(), "A: b\r\n\r\n0", piece), (Answer{Verdict::kEnd, 8}));
    EXPECT_EQ(Scan(Trailers(), "\r\n0", piece), (Answer{Verdict::kEnd, 2}));
  }
}

TEST(HeadGuard, NamesTheFaultAndItsPlace) {
  struct Row {
    HeadGuard guard;
    std::string text;
    Answer answer;
  };
  const Row rows[] = {
      {Request(), "\r\rGET", {Verdict::kBareCrOrLf, 1}},
      {Request(), "\nGET", {Verdict::kBareCrOrLf, 0}},
      {Request(), "G\x01", {Verdict::kControl, 1}},
      {Request(), "G(T", {Verdict::kStartLine, 1}},
      {Request(), "GET / HTTP/1.2", {Verdict::kVersion, 13}},
      {Request(), "GET / HTTP/3.0", {Verdict::kVersion, 11}},
      {Request(), "GET / HTTP/x", {Verdict::kStartLine, 11}},
      {Request(), "GET / HTTP/1.11", {Verdict::kStartLine, 14}},
      {Request(), "GET /\r", {Verdict::kStartLine, 5}},
      {Response(), "\r\n", {Verdict::kStartLine, 0}},
      {Response(), "HTTP/1.1\r", {Verdict::kStartLine, 8}},
      {Response(), "HTTP/1.1x", {Verdict::kStartLine, 8}},
      {Response(), "HTTP/1 200", {Verdict::kStartLine, 6}},
      {Response(), "HTTP/1.1 2\x7f", {Verdict::kControl, 10}},
      {Trailers(), " a", {Verdict::kFold, 0}},
      {Trailers(), "a: b\r\n\tc", {Verdict::kFold, 6}},
      {Trailers(), "\n", {Verdict::kBareCrOrLf, 0}},
      {Trailers(), ":", {Verdict::kFieldName, 0}},
      {Trailers(), "a\n", {Verdict::kBareCrOrLf, 1}},
      {Trailers(), "a\rb", {Verdict::kBareCrOrLf, 2}},
      {Trailers(), "\rx", {Verdict::kBareCrOrLf, 1}},
  };
  for (const Row& row : rows) {
    for (size_t piece = 1; piece <= row.text.size(); ++piece) {
      EXPECT_EQ(Scan(row.guard, row.text, piece), row.answer) << row.text << " by " << piece;
    }
  }
}

TEST(HeadGuard, CountsBytesAndFields) {
  const std::string text = "GET / HTTP/1.1\r\nA: b\r\nC: d\r\n\r\n";
  const auto size = static_cast<uint32_t>(text.size());
  for (size_t piece = 1; piece <= size; ++piece) {
    EXPECT_EQ(Scan(Request(size, 2), text, piece), (Answer{Verdict::kEnd, size}));
    EXPECT_EQ(Scan(Request(size - 1, 2), text, piece), (Answer{Verdict::kTooLong, size - 1}));
    EXPECT_EQ(Scan(Request(size, 1), text, piece), (Answer{Verdict::kTooManyLines, 22}));
  }
}

TEST(HeadGuard, SaysWhenTheTargetIsTooLong) {
  HeadGuard guard = Request(10);
  size_t scanned = 0;
  EXPECT_EQ(guard.Scan(Bytes("GET /aaaaaaaaaaaaaaaaa"), scanned), Verdict::kTooLong);
  EXPECT_TRUE(guard.in_target());
  guard = Request(20);
  EXPECT_EQ(guard.Scan(Bytes("GET / HTTP/1.1\r\nHost: a"), scanned), Verdict::kTooLong);
  EXPECT_FALSE(guard.in_target());
}

TEST(HeadGuard, NeverReadsBeyondItsInputOnNoise) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const std::string_view alphabet("\r\n\t :/.1A\x80\x00HTP", 15);
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (size_t i = random() % 40; i > 0; --i) text += alphabet[random() % alphabet.size()];
    for (const HeadGuard& guard : {Request(), Response(), Trailers()}) {
      const Answer whole = Scan(guard, text, text.size() + 1);
      ASSERT_LE(whole.scanned, text.size());
      ASSERT_EQ(whole, Scan(guard, text, 1 + random() % 5));
    }
  }
}

}  // namespace
}  // namespace portcullis::http
