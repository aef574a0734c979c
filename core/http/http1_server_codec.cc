#include "core/http/http1_server_codec.h"

#include "core/http/field_syntax.h"
#include "core/http/http1_framing.h"
#include "core/http/http1_upgrade.h"
#include "core/http/request_target.h"
#include "io/check.h"

namespace portcullis::http {

Http1ServerCodec::Http1ServerCodec(const Http1Limits& limits, RequestEvents& sink,
                                   std::string_view scheme)
    : Http1Reader(MessageSide::kRequest, limits), sink_(sink), scheme_(scheme) {
  StartMessage(head_.headers);
}

FeedResult Http1ServerCodec::Feed(std::span<const uint8_t> bytes, size_t& consumed) {
  const FeedResult result = Read(bytes, consumed);
  if (result == FeedResult::kError) {
    keep_alive_ = false;
    // So that the error page to a HEAD has no body, if that much was understood.
    if (head_.method.empty()) head_.method = method_name();
  }
  return result;
}

void Http1ServerCodec::NextRequest() {
  CHECK(reusable(), "the exchange is not over");
  head_.Clear();
  head_received_ = false;
  writer_.Reset();
  StartMessage(head_.headers);
}

HttpError Http1ServerCodec::CheckHead() {
  head_.method = method_name();
  head_.scheme.assign(scheme_);
  head_.version_major = version_major();
  head_.version_minor = version_minor();
  const bool http10 = head_.version_minor == 0;
  keep_alive_ = PersistsByFields(head_.headers, http10);
  if (const HttpError error = CheckFieldSyntax(head_.headers); error.status != 0) return error;
  if (const HttpError error = ParseTarget(start_text(), http10, head_); error.status != 0) {
    return error;
  }
  Extent extent;
  const HttpError error = RequestExtent(head_.headers, http10, extent, head_.body);
  if (error.status != 0) return error;
  set_extent(extent);
  if (limits().max_body_bytes != 0 && extent.length > limits().max_body_bytes) {
    return {413, "body too large"};
  }
  return CheckExpectation(http10, extent.framing != Framing::kNone);
}

// CheckExpectation: RFC 9110, 10.1.1.
HttpError Http1ServerCodec::CheckExpectation(bool http10, bool has_body) {
  head_.expect_continue = false;
  if (!head_.headers.Has("Expect")) return {};
  if (http10) {
    head_.headers.Remove("Expect");  // to be ignored
    return {};
  }
  const bool known = head_.headers.Count("Expect") == 1 &&
                     EqualsIgnoreCase(*head_.headers.Get("Expect"), "100-continue");
  if (!known) return {417, "unknown expectation"};
  head_.expect_continue = has_body;
  return {};
}

HttpError Http1ServerCodec::DeliverHead() {
  if (head_.version_minor != 0) OfferedUpgrade(head_.headers, head_.upgrade);
  head_.headers.RemoveIf([](const Header& header) {
    return IsFraming(header.name) || EqualsIgnoreCase(header.name, "Host");
  });
  head_received_ = true;
  sink_.OnRequestHead(head_);
  return {};
}

void Http1ServerCodec::DeliverData(std::span<const uint8_t> data) { sink_.OnRequestData(data); }

void Http1ServerCodec::DeliverTrailers(HeaderList& trailers) { sink_.OnRequestTrailers(trailers); }

void Http1ServerCodec::DeliverEnd() { sink_.OnRequestEnd(); }

void Http1ServerCodec::EncodeInterim(const ResponseHead& response, ByteSink out) {
  if (head_.version_minor != 0) writer_.WriteInterim(response, out);
}

void Http1ServerCodec::EncodeHead(const ResponseHead& response, ByteSink out) {
  const bool http10 = head_.version_minor == 0;
  const bool persists = writer_.WriteResponse(response, head_.is_head(), http10, keep_alive(), out);
  keep_alive_ = persists && response.status != 101;
  if (response.status == 101) SwitchToRaw();
}

void Http1ServerCodec::EncodeData(std::span<const uint8_t> data, ByteSink out) {
  writer_.WriteData(data, out);
}

void Http1ServerCodec::EncodeTrailers(const HeaderList& trailers, ByteSink out) {
  writer_.WriteTrailers(trailers, out);
}

void Http1ServerCodec::EncodeEnd(ByteSink out) { writer_.WriteEnd(out); }

}  // namespace portcullis::http
