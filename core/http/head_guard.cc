#include "core/http/head_guard.h"

#include <algorithm>
#include <string_view>

#include "core/http/field_syntax.h"

namespace portcullis::http {
namespace {

constexpr uint8_t kCr = '\r';
constexpr uint8_t kLf = '\n';
constexpr std::string_view kProtocol = "HTTP/1.";
constexpr uint8_t kVersionBytes = 8;  // "HTTP/1.1"

constexpr bool IsControl(uint8_t byte) { return (byte < 0x20 && byte != '\t') || byte == 0x7f; }

constexpr bool IsDigit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

}  // namespace

void HeadGuard::StartHead(MessageSide side, uint32_t max_bytes, uint32_t max_fields) {
  *this = HeadGuard();
  side_ = side;
  state_ = side == MessageSide::kRequest ? State::kBefore : State::kStartLine;
  max_bytes_ = max_bytes;
  fields_left_ = max_fields;
}

void HeadGuard::StartTrailers(uint32_t max_bytes, uint32_t max_fields) {
  *this = HeadGuard();
  state_ = State::kLineStart;
  max_bytes_ = max_bytes;
  fields_left_ = max_fields;
}

HeadGuard::Verdict HeadGuard::Scan(std::span<const uint8_t> bytes, size_t& scanned) {
  scanned = 0;
  const size_t room = std::min<size_t>(bytes.size(), max_bytes_ - total_);
  while (scanned < room) {
    if (state_ == State::kLine) {  // nearly all bytes
      const size_t from = scanned;
      while (scanned < room && !IsControl(bytes[scanned])) ++scanned;
      total_ += static_cast<uint32_t>(scanned - from);
      if (scanned == room) break;
    }
    const Verdict verdict = Step(bytes[scanned]);
    if (verdict != Verdict::kMore && verdict != Verdict::kEnd) return verdict;
    ++scanned;
    ++total_;
    if (verdict == Verdict::kEnd) return verdict;
  }
  return scanned < bytes.size() ? Verdict::kTooLong : Verdict::kMore;
}

HeadGuard::Verdict HeadGuard::Step(uint8_t byte) {
  switch (state_) {
    case State::kBefore:
      if (byte == kCr) {
        state_ = State::kBeforeCr;
        return Verdict::kMore;
      }
      state_ = State::kStartLine;
      return StepStartLine(byte);
    case State::kBeforeCr:
      if (byte != kLf) return Verdict::kBareCrOrLf;
      state_ = State::kBefore;
      return Verdict::kMore;
    case State::kStartLine:
      return StepStartLine(byte);
    case State::kLineStart:
      if (byte == kCr) {
        state_ = State::kEndCr;
        return Verdict::kMore;
      }
      if (byte == ' ' || byte == '\t') return Verdict::kFold;
      if (byte == kLf) return Verdict::kBareCrOrLf;
      if (!IsTokenChar(byte)) return Verdict::kFieldName;
      if (fields_left_ == 0) return Verdict::kTooManyLines;
      --fields_left_;
      state_ = State::kLine;
      [[fallthrough]];
    case State::kLine:
      if (byte == kLf) return Verdict::kBareCrOrLf;
      if (byte == kCr) {
        state_ = State::kLineCr;
      } else if (IsControl(byte)) {
        return Verdict::kControl;
      }
      return Verdict::kMore;
    case State::kStartLineCr:
    case State::kLineCr:
      if (byte != kLf) return Verdict::kBareCrOrLf;
      state_ = State::kLineStart;
      return Verdict::kMore;
    case State::kEndCr:
      return byte == kLf ? Verdict::kEnd : Verdict::kBareCrOrLf;
  }
  return Verdict::kControl;
}

HeadGuard::Verdict HeadGuard::StepStartLine(uint8_t byte) {
  const bool request = side_ == MessageSide::kRequest;
  if (byte == kLf) return Verdict::kBareCrOrLf;
  if (byte == kCr) {
    if (version_bytes_ != kVersionBytes) return Verdict::kStartLine;
    if (!request && spaces_ == 0) return Verdict::kStartLine;
    state_ = State::kStartLineCr;
    return Verdict::kMore;
  }
  if (IsControl(byte) || (request && (byte == '\t' || byte > 0x7e))) return Verdict::kControl;
  if (byte == ' ') return StepSpace();
  word_empty_ = false;
  // The version is the last of a request line's three words, and the first of a status line.
  if (request ? spaces_ == 2 : spaces_ == 0) return StepVersion(byte);
  if (request && spaces_ == 0 && !IsTokenChar(byte)) return Verdict::kStartLine;
  return Verdict::kMore;
}

HeadGuard::Verdict HeadGuard::StepSpace() {
  if (side_ == MessageSide::kResponse) {
    if (version_bytes_ != kVersionBytes) return Verdict::kStartLine;
    spaces_ = 1;  // the rest of the line may hold any number
    return Verdict::kMore;
  }
  if (word_empty_ || spaces_ == 2) return Verdict::kStartLine;
  ++spaces_;
  word_empty_ = true;
  return Verdict::kMore;
}

HeadGuard::Verdict HeadGuard::StepVersion(uint8_t byte) {
  const uint8_t at = version_bytes_++;
  if (at < kProtocol.size()) {
    if (byte == static_cast<uint8_t>(kProtocol[at])) return Verdict::kMore;
    const bool another_major = kProtocol[at] == '1' && IsDigit(byte);
    return another_major ? Verdict::kVersion : Verdict::kStartLine;
  }
  if (at >= kVersionBytes || !IsDigit(byte)) return Verdict::kStartLine;
  return byte <= '1' ? Verdict::kMore : Verdict::kVersion;
}

}  // namespace portcullis::http
