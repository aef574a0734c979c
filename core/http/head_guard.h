// HeadGuard: a strict byte-level reading of one head or trailer section (RFC 9112, 2.2, 3, 5), made
// before llhttp sees the bytes, so that what is accepted does not depend on how lax the installed
// llhttp is. Finds where the section ends, and refuses bare CR or LF, NUL and other controls,
// folded lines, a malformed start line, too many lines or bytes.
//
// Plain state over a byte stream: any fragmentation gives the same answer. Does not look inside
// names and values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace portcullis::http {

enum class MessageSide : uint8_t { kRequest, kResponse };

class HeadGuard {
 public:
  enum class [[nodiscard]] Verdict : uint8_t {
    kMore,        // all bytes belong to the section, which goes on
    kEnd,         // the section ends after `scanned` of the bytes
    kBareCrOrLf,  // RFC 9112, 2.2
    kControl,     // NUL, another control character, or in a request line a byte above 0x7e
    kFold,        // obs-fold, or whitespace before the first field
    kFieldName,   // a field line that does not start with a token character
    kStartLine,   // not METHOD SP target SP HTTP/d.d, or not HTTP/d.d SP ...
    kVersion,     // well-formed, but not HTTP/1.0 or HTTP/1.1
    kTooManyLines,
    kTooLong,
  };

  // StartHead and StartTrailers forget everything and await a section of at most `max_bytes` bytes
  // and `max_fields` fields. Empty lines before a request line are skipped (RFC 9112, 2.2) but
  // count as bytes.
  void StartHead(MessageSide side, uint32_t max_bytes, uint32_t max_fields);
  void StartTrailers(uint32_t max_bytes, uint32_t max_fields);

  // Scan reads on. `scanned` is how many of `bytes` are sound and belong to the section; after
  // kMore and kEnd llhttp may have them. After any other verdict the byte at `scanned` is the
  // offending one.
  Verdict Scan(std::span<const uint8_t> bytes, size_t& scanned);

  // Bytes of the section seen so far.
  [[nodiscard]] uint32_t scanned() const { return total_; }
  // Whether a request's target is under way.
  [[nodiscard]] bool in_target() const { return state_ == State::kStartLine && spaces_ == 1; }

 private:
  enum class State : uint8_t {
    kBefore,    // a request's start line, or an empty line before it
    kBeforeCr,  // CR of such an empty line seen
    kStartLine,
    kStartLineCr,
    kLineStart,  // a field line, or the empty line that ends the section
    kLine,
    kLineCr,
    kEndCr,
  };

  Verdict Step(uint8_t byte);
  Verdict StepStartLine(uint8_t byte);
  Verdict StepSpace();
  Verdict StepVersion(uint8_t byte);

  State state_ = State::kBefore;
  MessageSide side_ = MessageSide::kRequest;
  uint8_t spaces_ = 0;         // in the start line; a status line's are counted to 1
  uint8_t version_bytes_ = 0;  // of "HTTP/1.x" seen
  bool word_empty_ = true;     // no byte since the start line's last space
  uint32_t total_ = 0;
  uint32_t max_bytes_ = 0;
  uint32_t fields_left_ = 0;
};

}  // namespace portcullis::http
