// Http1Writer: the writing half that both HTTP/1 codecs share: heads from their parsed form, bodies
// framed by length, in chunks or by the close. Never copies a raw head, and never writes a framing
// or hop-by-hop field that it did not decide.
//
// Owned by its codec; one thread; keeps one scratch string. A head reaches the sink in one piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/http/events.h"
#include "core/http/http1_framing.h"
#include "core/http/message.h"

namespace portcullis::http {

class Http1Writer {
 public:
  // Reset makes ready for the next message.
  void Reset();
  // WriteRequest writes a request head and fixes the framing from its body.
  void WriteRequest(const RequestHead& head, ByteSink out);
  // WriteInterim writes a 1xx head, which has no framing and does not start the message.
  void WriteInterim(const ResponseHead& head, ByteSink out);
  // WriteResponse writes a final head. `request_was_head`, `http10` and `keep_alive` describe the
  // request; returns whether the connection can go on, which is false if asked so or if only its
  // close can end the body.
  [[nodiscard]] bool WriteResponse(const ResponseHead& head, bool request_was_head, bool http10,
                                   bool keep_alive, ByteSink out);
  void WriteData(std::span<const uint8_t> data, ByteSink out);
  void WriteTrailers(const HeaderList& trailers, ByteSink out);
  void WriteEnd(ByteSink out);

  [[nodiscard]] bool started() const { return started_; }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] bool close_delimited() const { return framing_ == Framing::kClose; }

 private:
  void AppendField(std::string_view name, std::string_view value);
  void AppendFields(const HeaderList& headers);
  void AppendExtent();
  void AppendStatusLine(const ResponseHead& head);
  void AppendBodilessExtent(const ResponseHead& head, bool request_was_head, bool http10);
  void Flush(ByteSink out);

  Framing framing_ = Framing::kNone;
  bool started_ = false;
  bool ended_ = false;
  bool trailers_written_ = false;
  uint64_t left_ = 0;  // bytes still owed; kLength only
  std::string scratch_;
};

}  // namespace portcullis::http
