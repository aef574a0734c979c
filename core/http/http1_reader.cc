#include "core/http/http1_reader.h"

#include "io/check.h"

namespace portcullis::http {

// llhttp's view of us. Returning HPE_PAUSED stops it behind what has been parsed; HPE_USER stops it
// for good, with error_ set. Fields are collected as they come, all else is kept as flags and acted
// on outside of llhttp.
struct Http1Reader::Callbacks {
  static Http1Reader& Self(llhttp_t* parser) { return *static_cast<Http1Reader*>(parser->data); }

  static HeaderList& List(Http1Reader& self) {
    return self.phase_ == Phase::kTrailers ? self.trailers_ : *self.fields_;
  }

  static int OnStartText(llhttp_t* parser, const char* at, size_t length) {
    Self(parser).start_text_.append(at, length);
    return 0;
  }

  static int OnMethod(llhttp_t* parser) {
    Self(parser).method_parsed_ = true;
    return 0;
  }

  static int OnName(llhttp_t* parser, const char* at, size_t length) {
    Http1Reader& self = Self(parser);
    if (!self.in_name_) List(self).BeginField();
    self.in_name_ = true;
    List(self).AppendName({at, length});
    return 0;
  }

  static int OnNameEnd(llhttp_t* parser) {
    Self(parser).in_name_ = false;
    return 0;
  }

  static int OnValue(llhttp_t* parser, const char* at, size_t length) {
    List(Self(parser)).AppendValue({at, length});
    return 0;
  }

  static int OnValueEnd(llhttp_t* parser) {
    List(Self(parser)).TrimLastValue();
    return 0;
  }

  static int OnHeadEnd(llhttp_t* parser) {
    Self(parser).head_parsed_ = true;
    return Self(parser).skip_body_ ? 1 : 0;
  }

  static int OnBody(llhttp_t* parser, const char* at, size_t length) {
    return Self(parser).TakeData({reinterpret_cast<const uint8_t*>(at), length}) ? HPE_OK
                                                                                 : HPE_PAUSED;
  }

  static int OnExtension(llhttp_t* parser, const char* /*at*/, size_t length) {
    Http1Reader& self = Self(parser);
    self.extension_bytes_ += static_cast<uint32_t>(length);
    if (self.extension_bytes_ <= self.limits_.max_chunk_extension_bytes) return 0;
    self.Fail({400, "chunk extension too long"});
    return HPE_USER;
  }

  static int OnChunkHeader(llhttp_t* parser) {
    Http1Reader& self = Self(parser);
    self.extension_bytes_ = 0;
    if (parser->content_length != 0) return 0;
    // The last chunk. Stop, so that the guard reads the trailer section first.
    self.trailers_.Clear();
    self.guard_.StartTrailers(self.limits_.max_trailer_bytes, self.limits_.max_headers);
    self.phase_ = Phase::kTrailers;
    return HPE_PAUSED;
  }

  static int OnMessageEnd(llhttp_t* parser) {
    Self(parser).message_parsed_ = true;
    return HPE_PAUSED;
  }

  static llhttp_settings_t Make() {
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_url = OnStartText;
    settings.on_status = OnStartText;
    settings.on_method_complete = OnMethod;
    settings.on_header_field = OnName;
    settings.on_header_field_complete = OnNameEnd;
    settings.on_header_value = OnValue;
    settings.on_header_value_complete = OnValueEnd;
    settings.on_headers_complete = OnHeadEnd;
    settings.on_body = OnBody;
    settings.on_chunk_extension_name = OnExtension;
    settings.on_chunk_extension_value = OnExtension;
    settings.on_chunk_header = OnChunkHeader;
    settings.on_message_complete = OnMessageEnd;
    return settings;
  }
};

Http1Reader::Http1Reader(MessageSide side, const Http1Limits& limits)
    : side_(side), limits_(limits) {
  static const llhttp_settings_t kSettings = Callbacks::Make();
  llhttp_init(&parser_, side == MessageSide::kRequest ? HTTP_REQUEST : HTTP_RESPONSE, &kSettings);
  parser_.data = this;
}

const char* Http1Reader::method_name() const {
  return method_parsed_ ? llhttp_method_name(static_cast<llhttp_method_t>(parser_.method)) : "";
}

void Http1Reader::StartMessage(HeaderList& fields) {
  llhttp_reset(&parser_);
  phase_ = Phase::kHead;
  method_parsed_ = false;
  in_name_ = false;
  head_parsed_ = false;
  message_parsed_ = false;
  guard_.StartHead(side_, limits_.max_head_bytes, limits_.max_headers);
  fields_ = &fields;
  fields.Clear();
  start_text_.clear();
  body_bytes_ = 0;
}

void Http1Reader::Fail(HttpError error) {
  DCHECK(error.status != 0);
  if (error_.status == 0) error_ = error;
  phase_ = Phase::kFailed;
}

FeedResult Http1Reader::Read(std::span<const uint8_t> bytes, size_t& consumed) {
  consumed = 0;
  pause_ = false;
  while (true) {
    if (phase_ == Phase::kFailed) return FeedResult::kError;
    if (pause_) return FeedResult::kPaused;
    if (phase_ == Phase::kRaw) return FeedResult::kUpgraded;
    if (phase_ == Phase::kEnd) return FeedResult::kMessageEnd;
    const Phase before = phase_;
    const std::span<const uint8_t> rest = bytes.subspan(consumed);
    size_t used = 0;
    if (before == Phase::kBody) {
      ReadBody(rest, used);
    } else {
      ReadSection(rest, used);
    }
    consumed += used;
    // All taken, nothing decided: only more bytes can help.
    if (phase_ == before && !pause_ && !message_parsed_ && consumed == bytes.size()) {
      return FeedResult::kNeedMore;
    }
  }
}

// ReadSection gives the guard, and then llhttp, bytes of a head or a trailer section.
void Http1Reader::ReadSection(std::span<const uint8_t> bytes, size_t& used) {
  const bool head = phase_ == Phase::kHead;
  size_t sound = 0;
  const HeadGuard::Verdict verdict = guard_.Scan(bytes, sound);
  if (sound != 0) {
    Execute(bytes.first(sound), used);
    // What llhttp makes of a head's framing fields is less telling than what we do.
    if (phase_ == Phase::kFailed && head && head_parsed_) {
      if (const HttpError better = CheckHead(); better.status != 0) error_ = better;
    }
    if (phase_ == Phase::kFailed) return;
  }
  if (verdict != HeadGuard::Verdict::kMore && verdict != HeadGuard::Verdict::kEnd) {
    return Fail(Translate(verdict));
  }
  const bool end = verdict == HeadGuard::Verdict::kEnd;
  if (used != sound || end != (head ? head_parsed_ : message_parsed_)) {
    return Fail({400, "parsers disagree on where the section ends"});
  }
  if (!end) return;
  if (head) return FinishHead();
  if (const HttpError error = CheckFieldSyntax(trailers_); error.status != 0) return Fail(error);
  phase_ = Phase::kBody;  // at its end
  if (!trailers_.empty()) DeliverTrailers(trailers_);
}

void Http1Reader::ReadBody(std::span<const uint8_t> bytes, size_t& used) {
  if (!message_parsed_) Execute(bytes, used);
  // A sink that paused at the last data sees the end in the next Feed.
  if (phase_ == Phase::kBody && message_parsed_ && !pause_) FinishMessage();
}

void Http1Reader::Execute(std::span<const uint8_t> bytes, size_t& used) {
  const char* const begin = bytes.empty() ? "" : reinterpret_cast<const char*>(bytes.data());
  const llhttp_errno_t code = llhttp_execute(&parser_, begin, bytes.size());
  if (phase_ == Phase::kFailed) return;
  if (code == HPE_OK) {
    used = bytes.size();
  } else if (code == HPE_PAUSED) {
    used = static_cast<size_t>(llhttp_get_error_pos(&parser_) - begin);
    CHECK(used <= bytes.size(), "llhttp stopped outside of its input");
    llhttp_resume(&parser_);
  } else {
    Fail(Translate(code));
  }
}

// FinishHead runs when guard and llhttp have both seen the head's end: check it, compare notes,
// tell the sink.
void Http1Reader::FinishHead() {
  if (const HttpError error = CheckHead(); error.status != 0) return Fail(error);
  if (!FramingAgrees()) return Fail({400, "parsers disagree on the body's extent"});
  phase_ = Phase::kBody;
  if (const HttpError error = DeliverHead(); error.status != 0) return Fail(error);
}

bool Http1Reader::FramingAgrees() const {
  const bool chunked = (parser_.flags & F_CHUNKED) != 0;
  switch (extent_.framing) {
    case Framing::kNone:
      return message_parsed_;
    case Framing::kLength:
      return !message_parsed_ && !chunked && parser_.content_length == extent_.length;
    case Framing::kChunked:
      return !message_parsed_ && chunked;
    case Framing::kClose:
      return !message_parsed_ && !chunked && (parser_.flags & F_CONTENT_LENGTH) == 0;
  }
  return false;
}

bool Http1Reader::TakeData(std::span<const uint8_t> data) {
  bool within = true;
  if (limits_.max_body_bytes != 0 && data.size() > limits_.max_body_bytes - body_bytes_) {
    data = data.first(static_cast<size_t>(limits_.max_body_bytes - body_bytes_));
    within = false;
  }
  body_bytes_ += data.size();
  if (!data.empty()) DeliverData(data);
  if (!within) Fail({413, "body too large"});
  return phase_ == Phase::kBody && !pause_;  // a sink may also have switched protocols
}

void Http1Reader::FinishMessage() {
  phase_ = Phase::kEnd;
  DeliverEnd();
}

bool Http1Reader::EndByClose() {
  if (phase_ != Phase::kBody || extent_.framing != Framing::kClose) return false;
  FinishMessage();
  return true;
}

HttpError Http1Reader::Translate(HeadGuard::Verdict verdict) const {
  switch (verdict) {
    case HeadGuard::Verdict::kBareCrOrLf:
      return {400, "bare CR or LF"};
    case HeadGuard::Verdict::kControl:
      return {400, "control character"};
    case HeadGuard::Verdict::kFold:
      return {400, "folded line"};
    case HeadGuard::Verdict::kFieldName:
      return {400, "malformed field"};
    case HeadGuard::Verdict::kStartLine:
      return {400, "malformed start line"};
    case HeadGuard::Verdict::kVersion:
      return {505, "HTTP version not supported"};
    case HeadGuard::Verdict::kTooManyLines:
      return {431, "too many fields"};
    case HeadGuard::Verdict::kTooLong:
      if (guard_.in_target()) return {414, "request target too long"};
      return {431, "head or trailers too long"};
    case HeadGuard::Verdict::kMore:
    case HeadGuard::Verdict::kEnd:
      break;
  }
  return {400, "malformed"};
}

HttpError Http1Reader::Translate(llhttp_errno_t error) const {
  switch (error) {
    case HPE_INVALID_METHOD:
    case HPE_INVALID_CONSTANT:  // a method that llhttp knows, but of RTSP
      return {501, "unknown method"};
    case HPE_INVALID_VERSION:
    case HPE_PAUSED_H2_UPGRADE:
      return {505, "HTTP version not supported"};
    case HPE_INVALID_URL:
      return {400, "malformed request target"};
    case HPE_INVALID_HEADER_TOKEN:
      return {400, "malformed field"};
    case HPE_INVALID_CONTENT_LENGTH:
    case HPE_UNEXPECTED_CONTENT_LENGTH:
    case HPE_INVALID_TRANSFER_ENCODING:
      return {400, "malformed or contradictory framing fields"};
    case HPE_INVALID_CHUNK_SIZE:
      return {400, "malformed chunk size"};
    case HPE_INVALID_STATUS:
      return {400, "malformed status"};
    default:
      return {400, "malformed message"};
  }
}

}  // namespace portcullis::http
