// Transcripts: what codecs tell their sinks, as text that does not depend on how the bytes were
// fragmented, and ways to feed a codec: in one piece, byte by byte, in random pieces, with a sink
// that pauses. Shared by the tests and fuzzers of the HTTP codecs; header only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>

#include "core/http/events.h"
#include "core/http/http1_client_codec.h"
#include "core/http/http1_server_codec.h"
#include "core/http/message.h"

namespace portcullis::http {

inline std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Into makes a sink that appends to `text`, which must outlive it.
inline ByteSink Into(std::string& text) {
  return {&text, [](void* ctx, const uint8_t* data, size_t size) {
            static_cast<std::string*>(ctx)->append(reinterpret_cast<const char*>(data), size);
          }};
}

inline std::string Describe(const Body& body) {
  switch (body.kind) {
    case BodyKind::kNone:
      return "none";
    case BodyKind::kLength:
      return "length " + std::to_string(body.length);
    case BodyKind::kStream:
      return "stream";
  }
  return "?";
}

inline std::string Describe(const HeaderList& headers) {
  std::string text;
  for (const Header header : headers) {
    text.append("  ").append(header.name).append("=[").append(header.value).append("]\n");
  }
  return text;
}

inline std::string Describe(const RequestHead& head) {
  std::string text = "request " + head.method + " " + head.scheme + " [" + head.authority + "] " +
                     head.path + " 1." + std::to_string(head.version_minor) + " body " +
                     Describe(head.body);
  if (head.expect_continue) text += " expects-continue";
  if (!head.upgrade.empty()) text += " upgrade [" + head.upgrade + "]";
  return text + "\n" + Describe(head.headers);
}

inline std::string Describe(const ResponseHead& head) {
  std::string text =
      std::to_string(head.status) + " [" + head.reason + "] body " + Describe(head.body);
  if (!head.upgrade.empty()) text += " upgrade [" + head.upgrade + "]";
  return text + "\n" + Describe(head.headers);
}

// Text of events; data events that follow one another become one.
class Transcript {
 public:
  void Add(std::string_view line) {
    text_.append(line);
    in_data_ = false;
  }
  void AddData(std::span<const uint8_t> data) {
    if (!in_data_) text_.append("data ");
    in_data_ = true;
    if (text_.ends_with("\x04\n")) text_.resize(text_.size() - 2);
    text_.append(reinterpret_cast<const char*>(data.data()), data.size()).append("\x04\n");
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
  bool in_data_ = false;
};

// Sinks that write a transcript and, if asked, pause their codec at every event.
class RequestRecorder final : public RequestEvents {
 public:
  Http1ServerCodec* pause = nullptr;
  Transcript transcript;

  void OnRequestHead(RequestHead& head) override { Add(Describe(head)); }
  void OnRequestData(std::span<const uint8_t> data) override {
    transcript.AddData(data);
    if (pause != nullptr) pause->Pause();
  }
  void OnRequestTrailers(HeaderList& trailers) override { Add("trailers\n" + Describe(trailers)); }
  void OnRequestEnd() override { Add("end\n"); }

 private:
  void Add(const std::string& text) {
    transcript.Add(text);
    if (pause != nullptr) pause->Pause();
  }
};

class ResponseRecorder final : public ResponseEvents {
 public:
  Http1ClientCodec* pause = nullptr;
  Transcript transcript;

  void OnInterim(ResponseHead& head) override { Add("interim " + Describe(head)); }
  void OnResponseHead(ResponseHead& head) override { Add("response " + Describe(head)); }
  void OnResponseData(std::span<const uint8_t> data) override {
    transcript.AddData(data);
    if (pause != nullptr) pause->Pause();
  }
  void OnResponseTrailers(HeaderList& trailers) override { Add("trailers\n" + Describe(trailers)); }
  void OnResponseEnd() override { Add("end\n"); }

 private:
  void Add(const std::string& text) {
    transcript.Add(text);
    if (pause != nullptr) pause->Pause();
  }
};

// How to cut input up.
struct Cuts {
  size_t keep = 0;                 // two pieces, the second of this size; 0: see `fixed`
  size_t fixed = 0;                // pieces of this size; 0: see `random`
  std::mt19937* random = nullptr;  // pieces of 1 to 40 bytes; null: one piece
  bool pause = false;              // the sink pauses at every event

  [[nodiscard]] size_t Next(size_t left) const {
    if (keep != 0) return left > keep ? left - keep : left;
    if (fixed != 0) return std::min(fixed, left);
    if (random == nullptr) return left;
    return std::min<size_t>(std::uniform_int_distribution<size_t>(1, 40)(*random), left);
  }
};

// FeedPieces feeds `wire` as `cuts` says until the codec wants something else; takes what was
// consumed off `wire`.
template <typename Codec>
FeedResult FeedPieces(Codec& codec, std::string_view& wire, const Cuts& cuts) {
  std::string held;  // what the codec left, as a caller's buffer would hold it
  while (true) {
    const size_t size = cuts.Next(wire.size() - held.size());
    const std::string piece(wire.substr(0, held.size() + size));
    size_t consumed = 0;
    const FeedResult result = codec.Feed(Bytes(piece), consumed);
    wire.remove_prefix(consumed);
    held = piece.substr(consumed);
    if (result == FeedResult::kPaused) continue;
    if (result != FeedResult::kNeedMore || wire.empty()) return result;
  }
}

// ServeAll reads all requests in `wire` as a server would that answers each with an empty 200, and
// returns the events, then how it ended: "idle", "incomplete", "closed, N bytes left", or "error
// STATUS REASON".
inline std::string ServeAll(std::string_view wire, const Cuts& cuts = {},
                            const Http1Limits& limits = {}) {
  RequestRecorder recorder;
  Http1ServerCodec codec(limits, recorder);
  if (cuts.pause) recorder.pause = &codec;
  ResponseHead ok;
  ok.status = 200;
  ok.reason = "OK";
  while (true) {
    const FeedResult result = FeedPieces(codec, wire, cuts);
    if (result == FeedResult::kNeedMore) {
      recorder.transcript.Add(codec.idle() ? "idle\n" : "incomplete\n");
      break;
    }
    if (result == FeedResult::kError) {
      recorder.transcript.Add("error " + std::to_string(codec.error().status) + " " +
                              codec.error().reason + "\n");
      break;
    }
    std::string out;
    codec.EncodeHead(ok, Into(out));
    codec.EncodeEnd(Into(out));
    if (!codec.reusable()) {
      recorder.transcript.Add("closed, " + std::to_string(wire.size()) + " bytes left\n");
      break;
    }
    codec.NextRequest();
  }
  return recorder.transcript.text();
}

// ReadResponse reads the response to a request of `method`, offering `upgrade` if any, from all of
// `wire` and then EOF, and returns the events, then "error REASON" or what the end was, whether the
// connection is reusable, and bytes left.
inline std::string ReadResponse(std::string_view wire, const Cuts& cuts = {},
                                std::string_view method = "GET", std::string_view upgrade = "",
                                const Http1Limits& limits = {}) {
  ResponseRecorder recorder;
  Http1ClientCodec codec(limits, recorder);
  if (cuts.pause) recorder.pause = &codec;
  RequestHead request;
  request.method = method;
  request.authority = "a";
  request.path = "/";
  request.upgrade = upgrade;
  std::string out;
  codec.EncodeRequestHead(request, Into(out));
  codec.EncodeEnd(Into(out));
  const FeedResult result = FeedPieces(codec, wire, cuts);
  Transcript& transcript = recorder.transcript;
  if (result == FeedResult::kError) {
    transcript.Add("error " + std::to_string(codec.error().status) + " " + codec.error().reason +
                   "\n");
    return transcript.text();
  }
  if (result == FeedResult::kMessageEnd && !wire.empty()) {
    size_t consumed = 0;  // what came behind the end reaches the codec, now or in a later read
    if (codec.Feed(Bytes(wire), consumed) != FeedResult::kMessageEnd || consumed != 0) {
      transcript.Add("read beyond the end\n");
    }
  }
  const bool reusable = codec.reusable();
  const char* end = "upgraded";
  if (result != FeedResult::kUpgraded) {
    switch (codec.OnEof()) {
      case EofResult::kIdle:
        end = "idle";
        break;
      case EofResult::kMessageEnd:
        end = "ended by close";
        break;
      case EofResult::kTruncated:
        end = "truncated";
        break;
      case EofResult::kAfterEnd:
        end = "over";
        break;
    }
  }
  transcript.Add(std::string(end) + (reusable ? ", reusable" : "") + ", " +
                 std::to_string(wire.size()) + " bytes left\n");
  return transcript.text();
}

}  // namespace portcullis::http
