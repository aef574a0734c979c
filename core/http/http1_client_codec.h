// Http1ClientCodec: HTTP/1 towards a backend. Writes requests from their parsed form and parses
// responses into ResponseEvents, as strictly as requests: a backend that frames badly gets its
// connection closed, not its bytes passed on.
//
// Owned by an exchange or an upstream connection, on its worker; sans-I/O; not movable. One
// exchange at a time, no pipelining. Does not decide whether to retry or where to connect.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/http/events.h"
#include "core/http/http1_reader.h"
#include "core/http/http1_writer.h"
#include "core/http/message.h"

namespace portcullis::http {

enum class [[nodiscard]] EofResult : uint8_t {
  kIdle,  // nothing of a response had come: the backend closed an unused or idle connection (retry
          // may be safe)
  kMessageEnd,  // the close was the end of a close-delimited body: OnResponseEnd has been delivered
  kTruncated,   // a response was cut short: the client must see a cut too
  kAfterEnd,    // the response was over, or the connection upgraded: nothing is lost
};

class Http1ClientCodec final : private Http1Reader {
 public:
  Http1ClientCodec(const Http1Limits& limits, ResponseEvents& sink);

  // The request. EncodeRequestHead writes origin-form HTTP/1.1 with Host first, from `head` alone,
  // which must have been through PrepareForBackend (header_rules.h). Then data, trailers (only with
  // Body::Stream), end. A declared length must be kept to: CHECKed.
  void EncodeRequestHead(const RequestHead& head, ByteSink out);
  void EncodeData(std::span<const uint8_t> data, ByteSink out);
  void EncodeTrailers(const HeaderList& trailers, ByteSink out);
  void EncodeEnd(ByteSink out);
  [[nodiscard]] bool request_started() const { return writer_.started(); }
  [[nodiscard]] bool request_ended() const { return writer_.ended(); }

  // Feed parses backend bytes. Bytes before any request, or left over behind the end, make the
  // connection unfit for reuse (kError "unexpected bytes", or kMessageEnd with consumed < size): a
  // response nobody asked for must never answer the next request.
  FeedResult Feed(std::span<const uint8_t> bytes, size_t& consumed);
  // Pause: as for the server codec.
  void Pause() { RequestPause(); }
  // OnEof tells that the backend has closed its side.
  EofResult OnEof();

  using Http1Reader::limits;
  // Status is 502 whenever there is one.
  [[nodiscard]] HttpError error() const;
  [[nodiscard]] ResponseHead& head() { return head_; }
  // Whether any byte of the response has come. While not, a retry on another target is safe for the
  // client.
  [[nodiscard]] bool response_begun() const { return any_byte_; }
  [[nodiscard]] bool response_ended() const { return phase() == Phase::kEnd; }
  // Whether another request may be sent on this connection: request and response over, both sides
  // keep it open, no stray byte.
  [[nodiscard]] bool reusable() const { return reusable_ && request_ended() && response_ended(); }
  // NextExchange makes ready for the next request on the same connection; only when reusable(). It
  // may have another sink.
  void NextExchange(ResponseEvents& sink);

 private:
  HttpError CheckHead() override;
  HttpError DeliverHead() override;
  void DeliverData(std::span<const uint8_t> data) override;
  void DeliverTrailers(HeaderList& trailers) override;
  void DeliverEnd() override;

  HttpError CheckUpgrade();

  ResponseEvents* sink_;
  ResponseHead head_;
  bool any_byte_ = false;
  bool reusable_ = true;
  bool head_request_ = false;    // the request was HEAD
  std::string offered_upgrade_;  // by the request
  Http1Writer writer_;
};

}  // namespace portcullis::http
