// Http1Reader: the parsing half that both HTTP/1 codecs share. It drives llhttp, keeps its
// strictness independent of llhttp's version by a HeadGuard which reads every head and trailer
// section first, and turns callbacks into the few steps below. Where a head ends is decided by the
// guard and by llhttp apart; if they disagree the message is refused.
//
// Owned by its codec, not movable (llhttp points back at it); one thread. Knows framing (RFC 9112),
// not semantics: the codec checks the head in OnHeadParsed. Allocates only while header storage
// grows.
#pragma once

#include <llhttp.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/http/events.h"
#include "core/http/head_guard.h"
#include "core/http/header_list.h"
#include "core/http/http1_framing.h"

namespace portcullis::http {

struct Http1Limits {
  uint32_t max_head_bytes = 32768;    // request or status line, fields, and empty lines before them
  uint32_t max_headers = 128;         // fields in a head, and again in a trailer section
  uint32_t max_trailer_bytes = 8192;  // a trailer section
  uint32_t max_chunk_extension_bytes = 256;  // of one chunk
  uint64_t max_body_bytes = 0;               // decoded; 0: no limit
  friend bool operator==(const Http1Limits&, const Http1Limits&) = default;
};

class Http1Reader {
 public:
  Http1Reader(const Http1Reader&) = delete;
  Http1Reader& operator=(const Http1Reader&) = delete;

 protected:
  Http1Reader(MessageSide side, const Http1Limits& limits);
  ~Http1Reader() = default;

  // What the codec does at each step. The first two return an error with status 0 to go on.
  // CheckHead must set_extent(); the reader holds it against llhttp's reading, and refuses the
  // message if they differ.
  virtual HttpError CheckHead() = 0;  // start line and `fields()` are complete
  virtual HttpError DeliverHead() = 0;
  virtual void DeliverData(std::span<const uint8_t> data) = 0;
  virtual void DeliverTrailers(HeaderList& trailers) = 0;
  virtual void DeliverEnd() = 0;

  // Where the message under way stands.
  enum class Phase : uint8_t { kHead, kBody, kTrailers, kEnd, kRaw, kFailed };

  // Read parses on, from the first byte of a message or wherever the last Read stopped.
  FeedResult Read(std::span<const uint8_t> bytes, size_t& consumed);
  // EndByClose tells that no more bytes come. True: that ended a body delimited by the close (its
  // end is delivered).
  [[nodiscard]] bool EndByClose();
  // StartMessage makes ready for the next message; fields go to `fields`, which outlives it.
  void StartMessage(HeaderList& fields);
  // Fail refuses the message; all later Reads return kError.
  void Fail(HttpError error);
  void RequestPause() { pause_ = true; }
  void SwitchToRaw() { phase_ = Phase::kRaw; }
  // Whether responses from here on answer a HEAD: no body follows whatever their heads say.
  void set_skip_body(bool skip) { skip_body_ = skip; }
  void set_extent(Extent extent) { extent_ = extent; }

  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] bool begun() const { return phase_ != Phase::kHead || guard_.scanned() != 0; }
  [[nodiscard]] HttpError failure() const { return error_; }
  [[nodiscard]] const Http1Limits& limits() const { return limits_; }
  [[nodiscard]] HeaderList& fields() { return *fields_; }
  [[nodiscard]] const std::string& start_text() const {
    return start_text_;
  }  // target or reason phrase
  [[nodiscard]] uint8_t version_major() const { return parser_.http_major; }
  [[nodiscard]] uint8_t version_minor() const { return parser_.http_minor; }
  [[nodiscard]] uint16_t status_code() const { return parser_.status_code; }
  [[nodiscard]] const char* method_name() const;

 private:
  struct Callbacks;  // llhttp's, in the .cc

  void ReadSection(std::span<const uint8_t> bytes, size_t& used);
  void ReadBody(std::span<const uint8_t> bytes, size_t& used);
  void Execute(std::span<const uint8_t> bytes, size_t& used);
  // TakeData passes body bytes on; false: llhttp is to stop here.
  bool TakeData(std::span<const uint8_t> data);
  void FinishHead();
  void FinishMessage();
  [[nodiscard]] bool FramingAgrees() const;
  [[nodiscard]] HttpError Translate(HeadGuard::Verdict verdict) const;
  [[nodiscard]] HttpError Translate(llhttp_errno_t error) const;

  const MessageSide side_;
  Phase phase_ = Phase::kHead;
  bool pause_ = false;
  bool skip_body_ = false;
  bool method_parsed_ = false;
  bool in_name_ = false;
  bool head_parsed_ = false;     // llhttp has seen the head's end
  bool message_parsed_ = false;  // llhttp has seen the message's end
  const Http1Limits limits_;
  llhttp_t parser_;
  HeadGuard guard_;
  Extent extent_;                 // of the body, as CheckHead found it
  HeaderList* fields_ = nullptr;  // of the head
  HeaderList trailers_;
  std::string start_text_;
  uint32_t extension_bytes_ = 0;  // of the chunk under way
  uint64_t body_bytes_ = 0;
  HttpError error_;
};

}  // namespace portcullis::http
