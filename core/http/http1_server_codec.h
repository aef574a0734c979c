// Http1ServerCodec: HTTP/1 towards a client. Parses requests into RequestEvents and writes
// responses. Strict in what it accepts (RFC 9112): any doubt about where a message ends, or about
// which host it is for, is an error.
//
// Owned by a downstream connection, on its worker; sans-I/O; not movable. One exchange at a time:
// after kMessageEnd it reads no further until NextRequest(), so pipelined requests wait in the
// caller's buffer. It routes nothing and judges nobody: header rules and identity are applied to
// the head by the sink.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/http/events.h"
#include "core/http/http1_reader.h"
#include "core/http/http1_writer.h"
#include "core/http/message.h"

namespace portcullis::http {

class Http1ServerCodec final : private Http1Reader {
 public:
  // `scheme` is what the connection is ("https" behind TLS) and must outlive the codec, as must
  // `sink`.
  Http1ServerCodec(const Http1Limits& limits, RequestEvents& sink,
                   std::string_view scheme = "https");

  // Feed parses client bytes. Errors carry 400, 405 (CONNECT, TRACE), 413, 414, 417, 431, 501 or
  // 505; what follows one cannot be trusted: answer with a page (EncodeHead then closes) and read
  // no more.
  FeedResult Feed(std::span<const uint8_t> bytes, size_t& consumed);
  // Pause makes the Feed under way return kPaused as soon as the current event is over. For use by
  // the sink.
  void Pause() { RequestPause(); }
  // NextRequest forgets this exchange. Only when reusable().
  void NextRequest();

  [[nodiscard]] HttpError error() const { return failure(); }
  // The head of the request under way; meaningful from OnRequestHead until NextRequest.
  [[nodiscard]] RequestHead& head() { return head_; }
  // Whether no byte of a request has come since the start or NextRequest: the connection is idle.
  [[nodiscard]] bool idle() const { return !begun(); }
  // Whether the request's head, and all of it, has been delivered.
  [[nodiscard]] bool head_received() const { return head_received_; }
  [[nodiscard]] bool request_ended() const { return phase() == Phase::kEnd; }

  // The response. EncodeInterim, any number of times, writes a 1xx (nothing to an HTTP/1.0 client).
  // EncodeHead writes the final head with framing of its own: Content-Length, or chunked, or for
  // HTTP/1.0 the connection's close; Connection as needed. Then data, trailers (dropped unless
  // chunked), end. Data for a body that this response cannot have (HEAD, 204, 304) is dropped. A
  // declared length must be kept to: CHECKed. With status 101 the codec becomes raw.
  void EncodeInterim(const ResponseHead& response, ByteSink out);
  void EncodeHead(const ResponseHead& response, ByteSink out);
  void EncodeData(std::span<const uint8_t> data, ByteSink out);
  void EncodeTrailers(const HeaderList& trailers, ByteSink out);
  void EncodeEnd(ByteSink out);

  // CloseAfterResponse makes this exchange the connection's last. To be called before EncodeHead
  // for the client to be told (Connection: close).
  void CloseAfterResponse() { close_requested_ = true; }
  // Whether the connection may outlive this exchange, as far as is known.
  [[nodiscard]] bool keep_alive() const { return keep_alive_ && !close_requested_; }
  [[nodiscard]] bool response_started() const { return writer_.started(); }
  [[nodiscard]] bool response_ended() const { return writer_.ended(); }
  // Whether the body under way can only be ended by closing: then a cut and an end look alike to
  // the client, and a truncated backend response must be made to look cut (a reset), never like an
  // end.
  [[nodiscard]] bool close_delimited() const { return writer_.close_delimited(); }
  // Both request and response are over and the connection goes on.
  [[nodiscard]] bool reusable() const {
    return keep_alive() && request_ended() && response_ended();
  }

 private:
  HttpError CheckHead() override;
  HttpError DeliverHead() override;
  void DeliverData(std::span<const uint8_t> data) override;
  void DeliverTrailers(HeaderList& trailers) override;
  void DeliverEnd() override;
  HttpError CheckExpectation(bool http10, bool has_body);

  RequestEvents& sink_;
  const std::string_view scheme_;
  RequestHead head_;
  bool head_received_ = false;
  bool keep_alive_ = true;  // as the request and our framing of the response allow
  bool close_requested_ = false;
  Http1Writer writer_;
};

}  // namespace portcullis::http
