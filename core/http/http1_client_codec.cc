#include "core/http/http1_client_codec.h"

#include "core/http/field_syntax.h"
#include "core/http/http1_framing.h"
#include "core/http/http1_upgrade.h"
#include "io/check.h"

namespace portcullis::http {

Http1ClientCodec::Http1ClientCodec(const Http1Limits& limits, ResponseEvents& sink)
    : Http1Reader(MessageSide::kResponse, limits), sink_(&sink) {
  StartMessage(head_.headers);
}

void Http1ClientCodec::EncodeRequestHead(const RequestHead& head, ByteSink out) {
  head_request_ = head.is_head();
  offered_upgrade_ = head.upgrade;
  set_skip_body(head_request_);
  writer_.WriteRequest(head, out);
}

void Http1ClientCodec::EncodeData(std::span<const uint8_t> data, ByteSink out) {
  writer_.WriteData(data, out);
}

void Http1ClientCodec::EncodeTrailers(const HeaderList& trailers, ByteSink out) {
  writer_.WriteTrailers(trailers, out);
}

void Http1ClientCodec::EncodeEnd(ByteSink out) { writer_.WriteEnd(out); }

FeedResult Http1ClientCodec::Feed(std::span<const uint8_t> bytes, size_t& consumed) {
  consumed = 0;
  if (!bytes.empty() && !request_started()) Fail({502, "unexpected bytes from the backend"});
  any_byte_ = any_byte_ || !bytes.empty();
  const FeedResult result = Read(bytes, consumed);
  if (result == FeedResult::kError || consumed < bytes.size()) {
    if (result != FeedResult::kPaused) reusable_ = false;
  }
  return result;
}

EofResult Http1ClientCodec::OnEof() {
  reusable_ = false;
  if (phase() == Phase::kEnd || phase() == Phase::kRaw) return EofResult::kAfterEnd;
  if (!any_byte_) return EofResult::kIdle;
  return EndByClose() ? EofResult::kMessageEnd : EofResult::kTruncated;
}

HttpError Http1ClientCodec::error() const {
  const HttpError error = failure();
  return error.status == 0 ? error : HttpError{502, error.reason};
}

void Http1ClientCodec::NextExchange(ResponseEvents& sink) {
  CHECK(reusable(), "the exchange is not over");
  sink_ = &sink;
  head_.Clear();
  any_byte_ = false;
  head_request_ = false;
  offered_upgrade_.clear();
  writer_.Reset();
  StartMessage(head_.headers);
}

HttpError Http1ClientCodec::CheckHead() {
  const uint16_t status = status_code();
  const bool http10 = version_minor() == 0;
  if (status < 100) return {502, "status below 100"};
  if (const HttpError error = CheckFieldSyntax(head_.headers); error.status != 0) return error;
  head_.status = status;
  head_.reason = start_text();
  Extent extent;
  const HttpError error =
      ResponseExtent(head_.headers, http10, status, head_request_, extent, head_.body);
  if (error.status != 0) return error;
  set_extent(extent);
  if (status == 101) return CheckUpgrade();
  // A close-delimited body leaves nothing to reuse; and where framing fields contradict the status,
  // what comes next may be a body that the backend should not have sent.
  const bool stray = (status < 200 || status == 204) && head_.headers.Has("Transfer-Encoding");
  if (!head_.is_interim()) {
    reusable_ =
        reusable_ && PersistsByFields(head_.headers, http10) && extent.framing != Framing::kClose;
  }
  reusable_ = reusable_ && !stray;
  return {};
}

// CheckUpgrade accepts a 101 only to a protocol that the request offered (RFC 9110, 7.8).
HttpError Http1ClientCodec::CheckUpgrade() {
  const auto chosen = head_.headers.Get("Upgrade");
  bool offered = false;
  ForEachToken(offered_upgrade_, [&](std::string_view protocol) {
    offered = offered || (chosen.has_value() && EqualsIgnoreCase(protocol, *chosen));
  });
  if (!offered) return {502, "101 to a protocol that was not offered"};
  head_.upgrade.assign(*chosen);
  return {};
}

HttpError Http1ClientCodec::DeliverHead() {
  head_.headers.RemoveIf([](const Header& header) { return IsFraming(header.name); });
  if (head_.is_interim()) {
    sink_->OnInterim(head_);
    head_.Clear();
    StartMessage(head_.headers);
    return {};
  }
  if (head_.status == 101) {
    reusable_ = false;
    SwitchToRaw();
  }
  sink_->OnResponseHead(head_);
  return {};
}

void Http1ClientCodec::DeliverData(std::span<const uint8_t> data) { sink_->OnResponseData(data); }

void Http1ClientCodec::DeliverTrailers(HeaderList& trailers) {
  sink_->OnResponseTrailers(trailers);
}

void Http1ClientCodec::DeliverEnd() { sink_->OnResponseEnd(); }

}  // namespace portcullis::http
