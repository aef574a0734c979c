#include "core/http/http1_writer.h"

#include <array>
#include <charconv>

#include "core/http/field_syntax.h"
#include "io/check.h"

namespace portcullis::http {
namespace {

// Decimal or hexadecimal digits of one number.
class Digits {
 public:
  explicit Digits(uint64_t value, int base = 10) {
    end_ = std::to_chars(text_.data(), text_.data() + text_.size(), value, base).ptr;
  }
  [[nodiscard]] std::string_view text() const {
    return {text_.data(), static_cast<size_t>(end_ - text_.data())};
  }

 private:
  std::array<char, 20> text_;
  char* end_;
};

}  // namespace

void Http1Writer::Reset() {
  framing_ = Framing::kNone;
  started_ = false;
  ended_ = false;
  trailers_written_ = false;
  left_ = 0;
}

void Http1Writer::WriteRequest(const RequestHead& head, ByteSink out) {
  CHECK(!started_, "one request at a time");
  started_ = true;
  scratch_.assign(head.method).append(" ").append(head.path).append(" HTTP/1.1\r\n");
  AppendField("Host", head.authority);
  for (const Header header : head.headers) {
    if (EqualsIgnoreCase(header.name, "Host")) continue;
    if (IsHopByHop(header.name) || IsFraming(header.name)) continue;
    AppendField(header.name, header.value);
  }
  if (head.body.kind != BodyKind::kNone) {
    framing_ = head.body.kind == BodyKind::kStream ? Framing::kChunked : Framing::kLength;
    left_ = head.body.length;
    AppendExtent();
  }
  if (!head.upgrade.empty()) {
    AppendField("Connection", "upgrade");
    AppendField("Upgrade", head.upgrade);
  }
  Flush(out);
}

void Http1Writer::WriteInterim(const ResponseHead& head, ByteSink out) {
  CHECK(!started_ && head.is_interim(), "interim heads come before the final one");
  AppendStatusLine(head);
  AppendFields(head.headers);
  Flush(out);
}

bool Http1Writer::WriteResponse(const ResponseHead& head, bool request_was_head, bool http10,
                                bool keep_alive, ByteSink out) {
  CHECK(!started_ && !head.is_interim(), "one final head a response");
  started_ = true;
  AppendStatusLine(head);
  AppendFields(head.headers);
  if (!ResponseHasBody(head.status, request_was_head)) {
    AppendBodilessExtent(head, request_was_head, http10);
  } else if (head.body.kind == BodyKind::kStream) {
    framing_ = http10 ? Framing::kClose : Framing::kChunked;
    AppendExtent();
  } else {
    framing_ = Framing::kLength;
    left_ = head.body.length;
    AppendExtent();
  }
  keep_alive = keep_alive && framing_ != Framing::kClose;
  if (head.status == 101) {
    AppendField("Connection", "upgrade");
    AppendField("Upgrade", head.upgrade);
  } else if (!keep_alive) {
    AppendField("Connection", "close");
  } else if (http10) {
    AppendField("Connection", "keep-alive");
  }
  Flush(out);
  return keep_alive;
}

// AppendBodilessExtent says what a body would have been, where RFC 9110, 8.6 and 9112, 6.1 let a
// message without one.
void Http1Writer::AppendBodilessExtent(const ResponseHead& head, bool request_was_head,
                                       bool http10) {
  framing_ = Framing::kNone;
  if (head.status < 200 || head.status == 204) return;
  if (head.body.kind == BodyKind::kLength) {
    AppendField("Content-Length", Digits(head.body.length).text());
  } else if (head.body.kind == BodyKind::kStream && request_was_head && !http10) {
    AppendField("Transfer-Encoding", "chunked");
  }
}

void Http1Writer::WriteData(std::span<const uint8_t> data, ByteSink out) {
  CHECK(started_ && !ended_ && !trailers_written_, "data outside of a body");
  if (data.empty()) return;  // an empty chunk would be the last
  switch (framing_) {
    case Framing::kNone:
      return;
    case Framing::kLength:
      CHECK(data.size() <= left_, "body longer than its declared length");
      left_ -= data.size();
      return out.Append(data);
    case Framing::kChunked:
      out.Append(Digits(data.size(), 16).text());
      out.Append(std::string_view("\r\n"));
      out.Append(data);
      return out.Append(std::string_view("\r\n"));
    case Framing::kClose:
      return out.Append(data);
  }
}

void Http1Writer::WriteTrailers(const HeaderList& trailers, ByteSink out) {
  CHECK(started_ && !ended_ && !trailers_written_, "trailers come once, before the end");
  if (framing_ != Framing::kChunked) return;
  trailers_written_ = true;
  scratch_.assign("0\r\n");
  AppendFields(trailers);
  Flush(out);
}

void Http1Writer::WriteEnd(ByteSink out) {
  CHECK(started_ && !ended_, "one end a message");
  CHECK(left_ == 0, "body shorter than its declared length");
  ended_ = true;
  if (framing_ == Framing::kChunked && !trailers_written_) {
    out.Append(std::string_view("0\r\n\r\n"));
  }
}

void Http1Writer::AppendField(std::string_view name, std::string_view value) {
  // Parsed text cannot hold these and made-up text goes through SanitizeValue.
  DCHECK(name.find_first_of(std::string_view("\r\n\0:", 4)) == std::string_view::npos);
  DCHECK(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
  scratch_.append(name).append(": ").append(value).append("\r\n");
}

void Http1Writer::AppendFields(const HeaderList& headers) {
  for (const Header header : headers) {
    if (IsHopByHop(header.name) || IsFraming(header.name)) continue;
    AppendField(header.name, header.value);
  }
}

void Http1Writer::AppendExtent() {
  if (framing_ == Framing::kLength) AppendField("Content-Length", Digits(left_).text());
  if (framing_ == Framing::kChunked) AppendField("Transfer-Encoding", "chunked");
}

void Http1Writer::AppendStatusLine(const ResponseHead& head) {
  DCHECK(head.status >= 100 && head.status <= 999);
  scratch_.assign("HTTP/1.1 ").append(Digits(head.status).text()).append(" ");
  scratch_.append(head.reason).append("\r\n");
}

void Http1Writer::Flush(ByteSink out) {
  scratch_.append("\r\n");
  out.Append(std::string_view(scratch_));
}

}  // namespace portcullis::http
