#include "core/connection/http_relay.h"

#include <memory>
#include <utility>

#include "core/connection/close.h"
#include "core/connection/deadline.h"
#include "core/connection/postponed.h"
#include "core/connection/record.h"
#include "core/connection/traffic.h"

namespace portcullis::connection {
namespace {

http::Http1Limits LimitsOf(const Runtime& runtime) {
  http::Http1Limits limits;
  limits.max_head_bytes = runtime.max_request_head_bytes;
  limits.max_headers = runtime.max_headers;
  return limits;
}

// For encoding a page on a connection that never becomes an HTTP exchange.
struct NoEvents final : http::RequestEvents {
  void OnRequestHead(http::RequestHead&) override {}
  void OnRequestData(std::span<const uint8_t>) override {}
  void OnRequestTrailers(http::HeaderList&) override {}
  void OnRequestEnd() override {}
};

}  // namespace

void StartHttp(Context& ctx, Downstream& down, std::span<const uint8_t> rest) {
  down.Move(State::kHttp);
  down.http = std::make_unique<HttpRelay>(ctx, down);
  down.stream.Flush(ctx.client_env);
  ArmDeadline(ctx, down);
  down.http->OnClientBytes(rest);
}

void AppendPlainHttpPage(Context& ctx, Downstream& down) {
  NoEvents events;
  http::Http1ServerCodec codec(LimitsOf(*down.runtime), events, "http");
  const http::Page& page = http::FindPage(http::kHttpToHttps);
  http::ResponseHead head;
  http::FillPageHead(page, ctx.date, head);
  ChainSink sink{down.stream.output(), ctx.client_env.blocks};
  const http::ByteSink out{&sink, MakeSink(sink).append};
  codec.CloseAfterResponse();
  codec.EncodeHead(head, out);
  codec.EncodeData(std::span(reinterpret_cast<const uint8_t*>(page.body.data()), page.body.size()),
                   out);
  codec.EncodeEnd(out);
  down.client_tx += down.stream.output().size();
  CountRequest(ctx, down, page.status, 0);
}

HttpRelay::HttpRelay(Context& ctx, Downstream& down)
    : ctx_(ctx),
      down_(down),
      limits_(LimitsOf(*down.runtime)),
      server_(limits_, *this),
      head_ms_(ctx.now_ms) {}

bool HttpRelay::Blocked() const { return server_.request_ended() || held_back_; }

void HttpRelay::Keep(std::span<const uint8_t> ciphertext) {
  down_.early.insert(down_.early.end(), ciphertext.begin(), ciphertext.end());
  if (!down_.pausing_client && down_.early.size() > kHighWater) {
    down_.pausing_client = true;
    down_.stream.Pause(ctx_.client_env);
  }
}

void HttpRelay::OnClientBytes(std::span<const uint8_t> ciphertext) {
  ChainSink chain_sink{down_.stream.output(), ctx_.client_env.blocks};
  while (down_.state == State::kHttp) {
    if (Blocked()) {
      Keep(ciphertext);
      return;
    }
    size_t produced = 0;
    switch (down_.engine->Read(ciphertext, ctx_.plain, produced, MakeSink(chain_sink))) {
      case tls::ReadStatus::kData:
        down_.client_rx += produced;
        FeedPlain(std::span(ctx_.plain).first(produced));
        break;
      case tls::ReadStatus::kWantRead:
        down_.stream.Flush(ctx_.client_env);
        return;
      case tls::ReadStatus::kClosed:
        OnClientCloseNotify();
        return;
      case tls::ReadStatus::kFailed:
        down_.stream.Flush(ctx_.client_env);
        Abort(ctx_, down_, CloseCause::kTlsError);
        return;
    }
  }
}

void HttpRelay::FeedPlain(std::span<const uint8_t> plain) {
  if (server_.idle() && !plain.empty()) {
    if (down_.requests > 0) head_ms_ = ctx_.now_ms;  // the first head is due from the handshake on
    started_ns_ = NowNs();
  }
  size_t consumed = 0;
  switch (server_.Feed(plain, consumed)) {
    case http::FeedResult::kError:
      page_ = server_.error().status;
      break;
    case http::FeedResult::kMessageEnd:
    case http::FeedResult::kPaused:
      leftover_.assign(plain.begin() + static_cast<std::ptrdiff_t>(consumed), plain.end());
      break;
    case http::FeedResult::kNeedMore:
    case http::FeedResult::kUpgraded:
      break;
  }
  AfterFeed();
}

// Acts on what the events decided, now that the parser is no longer on the stack.
void HttpRelay::AfterFeed() {
  if (page_ != 0) {
    if (server_.response_started()) {
      Abort(ctx_, down_, CloseCause::kBadRequest);
    } else {
      Respond(page_, /*close=*/true);
    }
    return;
  }
  if (!forwarding_) {
    ArmDeadline(ctx_, down_);  // a head has begun: it is due
    return;
  }
  if (server_.request_ended()) {
    backend_ms_ = ctx_.now_ms;  // the answer is due
    ArmDeadline(ctx_, down_);
  }
  if (down_.upstream == nullptr) StartUpstream();
  if (down_.state == State::kHttp) PushRequest();
}

// The exchange is over and the connection goes on. A client that asks on and on and reads nothing
// is held back between exchanges too, for pausing the backend bounds one answer only.
void HttpRelay::Continue() {
  server_.NextRequest();
  ctx_.exchanges.GiveCodec(std::move(client_));
  ctx_.exchanges.GiveBuffer(std::exchange(request_bytes_, {}));
  forwarding_ = connected_ = keeping_ = false;
  request_sent_ = 0;
  attempts_ = 0;
  status_ = 0;
  head_ms_ = ctx_.now_ms;
  held_back_ = down_.stream.output().size() > kHighWater;
  ArmDeadline(ctx_, down_);
  TakeUp();
}

// What was kept is next: plaintext behind the last request, then as ResumeClient has it.
void HttpRelay::TakeUp() {
  if (!Blocked() && !leftover_.empty()) {
    const std::vector<uint8_t> plain = std::exchange(leftover_, {});
    FeedPlain(plain);
  }
  ResumeClient();
}

// Takes up receiving where it stopped: kept ciphertext first, then what the stream held, then its
// end.
void HttpRelay::ResumeClient() {
  if (down_.state != State::kHttp) return;
  if (!Blocked() && !down_.early.empty()) {
    const std::vector<uint8_t> early = std::exchange(down_.early, {});
    OnClientBytes(early);
    if (down_.state != State::kHttp) return;
  }
  const bool backend_full =
      down_.upstream != nullptr && down_.upstream->stream.output().size() > kLowWater;
  const bool waiting = !connected_ && request_bytes_.size() > kLowWater;
  if (down_.pausing_client && !backend_full && !waiting && down_.early.size() <= kLowWater) {
    down_.pausing_client = false;
    down_.stream.Resume(ctx_.client_env);
    const std::vector<uint8_t> held = down_.stream.TakeHeld();
    if (!held.empty()) OnClientBytes(held);
  }
  if (down_.state == State::kHttp && down_.stream.eof() && !down_.stream.paused()) OnClientEof();
}

void HttpRelay::OnClientRecv(io::RecvEvent event) {
  NoteTraffic(ctx_, down_);
  switch (event) {
    case io::RecvEvent::kNothing:
    case io::RecvEvent::kHeld:
      return;
    case io::RecvEvent::kData:
      OnClientBytes(down_.stream.data());
      return;
    case io::RecvEvent::kEof:
      if (!down_.stream.paused()) OnClientEof();
      return;
    case io::RecvEvent::kError:
      Abort(ctx_, down_, CloseCause::kClientReset);
      return;
  }
}

void HttpRelay::OnClientEof() {
  if (Blocked())
    return;  // the answer is still wanted (RFC 9112 section 9.6); if not, sending it will tell
  if (client_closed_ || server_.idle()) {
    Part(ctx_, down_);
  } else {
    Abort(ctx_, down_, CloseCause::kClientTruncated);
  }
}

void HttpRelay::OnClientCloseNotify() {
  client_closed_ = true;
  if (!down_.stream.eof() && server_.idle()) {
    PostponeParting(ctx_, down_);  // its end of the connection often comes right behind
  } else {
    OnClientEof();
  }
}

void HttpRelay::OnClientSend(io::SendEvent event) {
  if (event == io::SendEvent::kNothing) return;
  if (event == io::SendEvent::kError) {
    Abort(ctx_, down_, CloseCause::kClientReset);
    return;
  }
  NoteTraffic(ctx_, down_);
  down_.write_ms = ctx_.now_ms;
  if (down_.stream.output().size() > kLowWater) return;
  if (std::exchange(held_back_, false)) {
    ArmDeadline(ctx_, down_);  // it may be idle now
    TakeUp();
    return;
  }
  if (!std::exchange(down_.pausing_backend, false)) return;
  backend_ms_ = ctx_.now_ms;  // it was we who kept it waiting
  io::Stream& backend = down_.upstream->stream;
  backend.Resume(ctx_.pool.env());
  const std::vector<uint8_t> held = backend.TakeHeld();
  if (!held.empty()) FeedBackend(held);
  if (down_.state == State::kHttp && down_.upstream != nullptr && down_.upstream->stream.eof() &&
      !down_.upstream->stream.paused()) {
    OnBackendEof();
  }
}

io::Millis HttpRelay::Deadline() const {
  const config::Timeouts& timeouts = down_.runtime->timeouts;
  if (held_back_) return down_.write_ms + Ms(timeouts.write_stall);  // it may not say more
  if (ExchangeOpen()) {
    if (!server_.request_ended()) return down_.activity_ms + Ms(timeouts.idle);
    // While the client is the slow one, its own stall is what counts (DeadlineOf adds it).
    return down_.pausing_backend ? down_.write_ms + Ms(timeouts.write_stall)
                                 : backend_ms_ + Ms(timeouts.response);
  }
  if (server_.idle() && down_.requests > 0) return down_.activity_ms + Ms(timeouts.idle);
  return head_ms_ + Ms(timeouts.request_head);
}

void HttpRelay::OnDeadline() {
  if (ExchangeOpen()) {
    if (server_.response_started()) {
      Abort(ctx_, down_, server_.request_ended() ? CloseCause::kBackendTimeout : CloseCause::kIdle);
    } else if (server_.request_ended()) {
      Respond(504, /*close=*/false);
    } else {
      Respond(408, /*close=*/true);
    }
  } else if (server_.idle()) {
    Linger(ctx_, down_, down_.requests > 0 ? CloseCause::kIdle : CloseCause::kHeadTimeout);
  } else {
    Respond(408, /*close=*/true);
  }
}

// What the client has asked for before, it gets; a head half sent asks for nothing yet.
void HttpRelay::OnLapse() {
  draining_ = true;
  if (ExchangeOpen()) {
    ArmDeadline(ctx_, down_);
  } else {
    Linger(ctx_, down_, CloseCause::kLapsed);
  }
}

// The next request looks its host up anew, be it that another host has come to lie at the same
// address.
void HttpRelay::OnMoved() {
  identity_host_ = nullptr;
  route_ = nullptr;
}

void HttpRelay::OnDrain() {
  draining_ = true;
  if (!ExchangeOpen() && server_.idle() && down_.requests > 0) {
    Linger(ctx_, down_, CloseCause::kDrained);
  }
}

}  // namespace portcullis::connection
