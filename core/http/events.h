// Events: an exchange (one request and its response) as a codec tells it to the relay. HTTP/1 and
// HTTP/2 codecs speak the same events; nothing here depends on how the bytes looked.
//
// Order on each side: head, data*, trailers?, end. On the response side any number of interim heads
// may come first. A codec calls its sink from within Feed, on the worker's thread; the sink may
// call the codec's Pause() but must not destroy it, nor feed it again, from within an event. Spans
// and heads are lent: spans for the call, heads until the codec's next exchange.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/http/message.h"

namespace portcullis::http {

class RequestEvents {
 public:
  // The head may be altered in place (header rules, identity) and sent on later.
  virtual void OnRequestHead(RequestHead& head) = 0;
  virtual void OnRequestData(std::span<const uint8_t> data) = 0;  // never empty
  virtual void OnRequestTrailers(HeaderList& trailers) = 0;       // only if there are any
  virtual void OnRequestEnd() = 0;

 protected:
  ~RequestEvents() = default;
};

class ResponseEvents {
 public:
  // 100, 102, 103 and other 1xx, except 101.
  virtual void OnInterim(ResponseHead& head) = 0;
  // A final head. With status 101 the connection is then raw: Feed returns kUpgraded and no end
  // comes.
  virtual void OnResponseHead(ResponseHead& head) = 0;
  virtual void OnResponseData(std::span<const uint8_t> data) = 0;  // never empty
  virtual void OnResponseTrailers(HeaderList& trailers) = 0;       // only if there are any
  virtual void OnResponseEnd() = 0;

 protected:
  ~ResponseEvents() = default;
};

// What became of a Feed. `consumed` says how many bytes were taken; the rest is to be kept by the
// caller.
enum class [[nodiscard]] FeedResult : uint8_t {
  kNeedMore,    // all consumed
  kPaused,      // the sink called Pause(): feed the rest (which may be nothing) to go on
  kMessageEnd,  // the end event has been delivered; the rest is not of this message
  kUpgraded,    // the rest, and all that follows, is raw bytes of another protocol
  kError,       // see error(); nothing more will be parsed on this connection
};

// Why a message was refused. `status` is what a client is to be told (a bad response is always
// 502); `reason` is a constant for logs, never sent.
struct HttpError {
  uint16_t status = 0;  // 0: no error
  const char* reason = "";
};

// Where encoders put bytes: an output chain, a TLS engine, a string in a test. Borrowed; two words,
// by value.
struct ByteSink {
  void* ctx;
  void (*append)(void* ctx, const uint8_t* data, size_t size);

  void Append(std::span<const uint8_t> bytes) const { append(ctx, bytes.data(), bytes.size()); }
  void Append(std::string_view text) const {
    append(ctx, reinterpret_cast<const uint8_t*>(text.data()), text.size());
  }
};

}  // namespace portcullis::http
