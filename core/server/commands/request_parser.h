// RequestParser: HTTP/1 requests of the embedded backend, one after another, read strictly (RFC
// 9112).
//
// Written apart from core/http on purpose: the demo and the end-to-end tests see what the
// terminator really sent, as another reader reads it, and what is ambiguous is refused. Pure bytes
// to events. Owned by an HttpSession.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace portcullis::server {

struct BackendRequest {
  std::string method;
  std::string target;
  int minor_version = 1;                                     // of HTTP/1: 0 or 1
  std::vector<std::pair<std::string, std::string>> headers;  // as received: order, case, duplicates
  std::optional<uint64_t> length;                            // Content-Length
  bool chunked = false;
  bool keep_alive = true;

  // Find returns the first value of the header `name` (any case); null when it is absent.
  [[nodiscard]] const std::string* Find(std::string_view name) const;
  // Count is how many headers are named `name` (any case).
  [[nodiscard]] size_t Count(std::string_view name) const;
};

// Events of one request, in this order: head, body pieces, end. Trailers are read and dropped.
class RequestEvents {
 public:
  virtual void OnHead(const BackendRequest& request) = 0;
  virtual void OnBody(std::span<const uint8_t> bytes) = 0;
  virtual void OnEnd() = 0;

 protected:
  ~RequestEvents() = default;
};

class RequestParser {
 public:
  static constexpr size_t kMaxHeadBytes =
      64 * 1024;  // of a head, of a chunk's size line, of trailers
  static constexpr size_t kMaxHeaders = 256;

  enum class [[nodiscard]] Result : uint8_t {
    kNeedMore,  // all bytes taken
    kEnd,       // a request ended; what was not taken belongs to the next one, after Next()
    kBad,       // no well-formed request: answer 400 and close
    kTooLarge,  // the head exceeds a limit: answer 431 and close
  };

  // `events` must outlive the parser.
  explicit RequestParser(RequestEvents& events) : events_(events) {}
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Feed parses `bytes` and sets `taken`. After anything but kNeedMore, Next or nothing may follow.
  Result Feed(std::span<const uint8_t> bytes, size_t& taken);

  // Next gets ready for the request after one that ended.
  void Next();

 private:
  enum class Phase : uint8_t {
    kRequestLine,
    kHeaders,
    kBody,  // of a known length
    kChunkSize,
    kChunkData,
    kChunkEnd,  // the line end after a chunk
    kTrailers,
    kEnded,
    kFailed,
  };

  Result Fail(Result result);
  Result OnLine();
  Result OnRequestLine();
  Result OnHeaderLine();
  Result OnHeadEnd();
  Result OnChunkSizeLine();
  Result EndRequest();
  bool TakeLine(std::span<const uint8_t> bytes, size_t& taken);
  void TakeBody(std::span<const uint8_t> bytes, size_t& taken);

  RequestEvents& events_;
  Phase phase_ = Phase::kRequestLine;
  BackendRequest request_;
  std::string line_;          // the line in progress, without its end
  size_t section_bytes_ = 0;  // of the head, size line or trailers so far
  uint64_t body_left_ = 0;    // of the body, or of the chunk
};

}  // namespace portcullis::server
