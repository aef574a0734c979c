// The response side of HttpRelay: from the backend to the client, and the answers made here.
#include <cerrno>
#include <span>
#include <utility>
#include <vector>

#include "core/connection/close.h"
#include "core/connection/deadline.h"
#include "core/connection/http_relay.h"
#include "core/connection/record.h"
#include "core/connection/tcp_relay.h"
#include "core/connection/traffic.h"
#include "core/http/header_rules.h"
#include "core/http/pages.h"

namespace portcullis::connection {
namespace {

constexpr size_t kRecordBytes = 16 * 1024;  // of plaintext, at most (RFC 8446 5.1)

}  // namespace

http::ByteSink HttpRelay::ReplySink() {
  return {this, [](void* relay, const uint8_t* data, size_t size) {
            static_cast<HttpRelay*>(relay)->Reply({data, size});
          }};
}

// Gathers small pieces, so that they share a record, and encrypts what makes whole records from
// where it lies.
void HttpRelay::Reply(std::span<const uint8_t> bytes) {
  std::vector<uint8_t>& gathered = ctx_.reply;
  if (bytes.size() >= kRecordBytes) {
    if (!gathered.empty()) {
      const size_t missing = (kRecordBytes - gathered.size() % kRecordBytes) % kRecordBytes;
      gathered.insert(gathered.end(), bytes.begin(),
                      bytes.begin() + static_cast<ptrdiff_t>(missing));
      bytes = bytes.subspan(missing);
      Encrypt(gathered);
      gathered.clear();
    }
    const size_t whole = bytes.size() / kRecordBytes * kRecordBytes;
    Encrypt(bytes.first(whole));
    bytes = bytes.subspan(whole);
  }
  gathered.insert(gathered.end(), bytes.begin(), bytes.end());
}

void HttpRelay::Encrypt(std::span<const uint8_t> bytes) {
  if (bytes.empty() || seal_failed_ || down_.state != State::kHttp) return;
  if (!sealed_ && down_.stream.output().empty()) down_.write_ms = ctx_.now_ms;
  sealed_ = true;
  ChainSink sink{down_.stream.output(), ctx_.client_env.blocks};
  seal_failed_ = !down_.engine->Write(bytes, MakeSink(sink));
  down_.client_tx += bytes.size();
}

void HttpRelay::OnInterim(http::ResponseHead& head) {
  http::PrepareForClient(head);
  server_.EncodeInterim(head, ReplySink());
}

void HttpRelay::OnResponseHead(http::ResponseHead& head) {
  if (ctx_.draining || draining_) server_.CloseAfterResponse();
  status_ = head.status;
  http::PrepareForClient(head);
  server_.EncodeHead(head, ReplySink());
}

void HttpRelay::OnResponseData(std::span<const uint8_t> data) {
  server_.EncodeData(data, ReplySink());
}

void HttpRelay::OnResponseTrailers(http::HeaderList& trailers) {
  http::FilterTrailers(trailers);
  server_.EncodeTrailers(trailers, ReplySink());
}

void HttpRelay::OnResponseEnd() { server_.EncodeEnd(ReplySink()); }

// Encrypts what the codec wrote, in records as large as there is data for.
void HttpRelay::FlushReply() {
  const bool was_idle = !down_.stream.send_in_flight();
  Encrypt(ctx_.reply);
  ctx_.reply.clear();
  if (!std::exchange(sealed_, false) || down_.state != State::kHttp) return;
  if (seal_failed_) {
    Abort(ctx_, down_, CloseCause::kTlsError);
    return;
  }
  down_.stream.Flush(ctx_.client_env);
  if (was_idle) ArmDeadline(ctx_, down_);
  if (down_.upstream != nullptr && !down_.pausing_backend &&
      down_.stream.output().size() > kHighWater) {
    down_.pausing_backend = true;
    down_.upstream->stream.Pause(ctx_.pool.env());
  }
}

void HttpRelay::OnBackendRecv(io::RecvEvent event) {
  NoteTraffic(ctx_, down_);
  backend_ms_ = ctx_.now_ms;
  switch (event) {
    case io::RecvEvent::kNothing:
    case io::RecvEvent::kHeld:
      return;
    case io::RecvEvent::kData:
      FeedBackend(down_.upstream->stream.data());
      return;
    case io::RecvEvent::kEof:
      if (!down_.upstream->stream.paused()) OnBackendEof();
      return;
    case io::RecvEvent::kError:
      OnBackendLoss(down_.upstream->stream.error());
      return;
  }
}

void HttpRelay::FeedBackend(std::span<const uint8_t> bytes) {
  keeping_ = false;  // an answer has begun: the request is never sent twice
  size_t consumed = 0;
  const http::FeedResult result = client_->Feed(bytes, consumed);
  FlushReply();
  if (down_.state != State::kHttp) return;
  switch (result) {
    case http::FeedResult::kNeedMore:
    case http::FeedResult::kPaused:
      return;
    case http::FeedResult::kMessageEnd:
      FinishResponse();
      return;
    case http::FeedResult::kUpgraded:
      SwitchProtocols(bytes.subspan(consumed));
      return;
    case http::FeedResult::kError:
      OnBackendLoss(EBADMSG);
      return;
  }
}

void HttpRelay::OnBackendEof() {
  if (!client_->response_begun()) {
    OnBackendLoss(ECONNRESET);
    return;
  }
  switch (client_->OnEof()) {
    case http::EofResult::kMessageEnd:
      FlushReply();
      if (down_.state == State::kHttp) FinishResponse();
      return;
    case http::EofResult::kAfterEnd:
      return;
    case http::EofResult::kIdle:
    case http::EofResult::kTruncated:
      OnBackendLoss(ECONNRESET);
      return;
  }
}

// The backend broke off, or spoke nonsense.
void HttpRelay::OnBackendLoss(int error) {
  if (server_.response_started()) {
    Abort(ctx_, down_, CloseCause::kBackendFailed);
    return;
  }
  const bool stale = down_.upstream->reused && !client_->response_begun();
  const bool retry = stale && keeping_ && idempotent_ && error != EBADMSG;
  ReturnUpstream(false);
  if (!retry) {
    Respond(502, /*close=*/false);
    return;
  }
  request_sent_ = 0;
  DialNext();
}

void HttpRelay::ReturnUpstream(bool reusable) {
  if (down_.upstream == nullptr) return;
  backend::Upstream& upstream = *down_.upstream;
  NoteUpstreamBytes(ctx_, down_, upstream);
  if (down_.pausing_backend) {
    down_.pausing_backend = false;
    upstream.stream.Resume(ctx_.pool.env());
  }
  down_.upstream = nullptr;
  if (reusable) {
    ctx_.pool.Keep(upstream, ctx_.now_ms);
  } else {
    ctx_.pool.Close(upstream, false);
  }
}

void HttpRelay::FinishResponse() {
  CountRequest(ctx_, down_, status_, NowNs() - started_ns_);
  ReturnUpstream(client_->reusable());
  if (server_.reusable() && !draining_ && !ctx_.draining) {
    Continue();
  } else {
    Linger(ctx_, down_, CloseCause::kServed);
  }
}

void HttpRelay::Respond(uint16_t page_code, bool close) {
  ReturnUpstream(false);
  forwarding_ = connected_ = false;
  const http::Page& page = http::FindPage(page_code);
  // Whoever was turned away has nothing more to ask for, whatever page said so.
  const bool turned_away = tls::IsCertificateVerdict(down_.refusal);
  if (close || page.close || turned_away || draining_ || ctx_.draining || !server_.request_ended())
    server_.CloseAfterResponse();
  http::ResponseHead head;
  http::FillPageHead(page, ctx_.date, head);
  const HostRuntime& host = down_.listener->host_runtimes[down_.engine->host()->index];
  if (!host.server_tokens) head.headers.Remove("Server");
  if (host.explain_refusals && down_.refusal != tls::Rejection::kNone) {
    const tls::Verdict& verdict = down_.engine->verdict();
    head.headers.Add("Portcullis-Refusal",
                     http::RefusalNote(down_.refusal, verdict.failed_depth, verdict.x509_error));
  }
  server_.EncodeHead(head, ReplySink());
  server_.EncodeData(
      std::span(reinterpret_cast<const uint8_t*>(page.body.data()), page.body.size()), ReplySink());
  server_.EncodeEnd(ReplySink());
  page_ = 0;
  CountRequest(ctx_, down_, page.status, started_ns_ == 0 ? 0 : NowNs() - started_ns_);
  FlushReply();
  if (down_.state != State::kHttp) return;
  if (server_.reusable()) {
    Continue();
    return;
  }
  const bool refused = down_.refusal != tls::Rejection::kNone;
  Linger(ctx_, down_,
         refused             ? CloseCause::kRefused
         : page.status < 500 ? CloseCause::kBadRequest
                             : CloseCause::kServed);
}

void HttpRelay::SwitchProtocols(std::span<const uint8_t> rest) {
  CountRequest(ctx_, down_, status_, NowNs() - started_ns_);
  StartRelayOver(ctx_, down_, leftover_, rest);
  if (down_.lapse != tls::Rejection::kNone && down_.state == State::kRelay) {
    Linger(ctx_, down_, CloseCause::kLapsed);
  }
}

}  // namespace portcullis::connection
