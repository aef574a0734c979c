// The request side of HttpRelay: routing, judging, and getting it to a backend.
#include <cerrno>
#include <string>

#include "core/connection/close.h"
#include "core/connection/deadline.h"
#include "core/connection/http_relay.h"
#include "core/connection/lapse.h"
#include "core/connection/record.h"
#include "core/connection/traffic.h"
#include "core/http/header_rules.h"
#include "core/http/pages.h"
#include "tls/x509_map.h"

namespace portcullis::connection {
namespace {

// How much of a request is kept so that it can be sent again over another connection.
constexpr size_t kReplayBytes = 64 * 1024;

// "example.com:8443" -> "example.com"; "[::1]:8443" -> "[::1]".
std::string_view HostOf(std::string_view authority) {
  if (!authority.empty() && authority.front() == '[')
    return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

bool IsIdempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" ||
         method == "DELETE";
}

// Whether a client let in by `judged` may speak to `wanted` over the same connection.
bool MayCoalesce(const tls::Host& judged, const tls::Host& wanted, const tls::Verdict& verdict) {
  if (wanted.verifier == nullptr) return true;
  if (judged.policy_id != wanted.policy_id) return false;
  // A resumed session may have come without the certificate that this one passes on.
  const bool lacks_leaf = verdict.identity != nullptr && verdict.identity->chain_der.empty();
  return !(wanted.spec->client_auth.keep_leaf && lacks_leaf);
}

http::ClientIdentityView::Verify VerifyOf(const tls::Verdict& verdict) {
  using Verify = http::ClientIdentityView::Verify;
  if (verdict.identity == nullptr &&
      (verdict.accepted() || verdict.rejection == tls::Rejection::kNoCertificate)) {
    return Verify::kNone;
  }
  return verdict.accepted() ? Verify::kSuccess : Verify::kFailed;
}

}  // namespace

// Whether the client may ask for `name` over this connection, of `host` as its runtime has it:
// as configured now, the client's host must let pass the same clients as that host, and as whoever
// has the name by now. Who has it is asked too, each time: the client may have been let in long
// ago, by a host that leaves live connections alone.
bool HttpRelay::MayAsk(std::string_view name, const tls::Host& host) const {
  const tls::Host& judged = *down_.engine->host();
  const tls::Host& judged_now = CurrentHost(ctx_, down_, judged);
  const tls::Verdict& verdict = down_.engine->verdict();
  if (&host != &judged && !MayCoalesce(judged_now, CurrentHost(ctx_, down_, host), verdict)) {
    return false;
  }
  const tls::Host& named_now = CurrentHostOf(ctx_, down_, name, host);
  if (&named_now == &judged_now) return true;
  if (!MayCoalesce(judged_now, named_now, verdict)) return false;
  // Whoever has been refused is told so.
  return down_.engine->refusal() != tls::Rejection::kNone || LetsIn(ctx_, down_, named_now);
}

uint16_t HttpRelay::Route(const http::RequestHead& head) {
  const tls::HostTable& hosts = *down_.listener->hosts;
  const tls::Host& judged = *down_.engine->host();
  const std::string_view name = HostOf(head.authority);
  const tls::Host* named = hosts.FindByName(name);
  const tls::Host& host = named != nullptr ? *named : judged;
  if (!MayAsk(name, host)) {
    down_.refusal = tls::Rejection::kSniHostMismatch;
    ctx_.shard.listener(down_.listener->metrics_id)
        .CountRejection(static_cast<size_t>(tls::Rejection::kSniHostMismatch));
    return 421;
  }
  const tls::Rejection refusal = down_.engine->refusal();
  if (refusal != tls::Rejection::kNone) return http::RejectionPage(refusal);
  route_ = &down_.listener->host_runtimes[host.index];
  if (backend_ != route_->backend) backend_ = route_->backend;  // seldom: the count is atomic
  if (identity_host_ != &host) BuildIdentity(host);
  return 0;
}

void HttpRelay::BuildIdentity(const tls::Host& host) {
  identity_host_ = &host;
  if (host.spec->client_auth.mode == tls::ClientAuthMode::kOff) {
    identity_ = http::IdentityHeaders();
    return;
  }
  const tls::Verdict& verdict = down_.engine->verdict();
  http::ClientIdentityView view;
  view.verify = VerifyOf(verdict);
  if (!verdict.accepted()) view.failure = tls::X509ErrorText(verdict.x509_error);
  if (verdict.identity != nullptr) {
    const tls::PeerIdentity& identity = *verdict.identity;
    view.subject = identity.subject;
    view.issuer = identity.issuer;
    view.serial = identity.serial_hex;
    if (route_->pass_certificate && !identity.chain_der.empty()) {
      view.leaf_der = identity.chain_der.front();
    }
  }
  identity_ = http::IdentityHeaders(route_->identity, view);
}

void HttpRelay::OnRequestHead(http::RequestHead& head) {
  page_ = Route(head);
  if (page_ != 0) return;
  const std::string client_ip = down_.peer.Ip();
  const http::RequestRules rules{
      .forwarding = route_->forwarding,
      .context = {.client_ip = client_ip, .server_port = down_.listener->port, .scheme = "https"},
      .identity = &identity_,
  };
  http::PrepareForBackend(rules, head);
  http::ResponseEvents& events = *this;  // the base is private: converted here, where it is known
  client_ = ctx_.exchanges.TakeCodec(limits_, events);
  request_bytes_ = ctx_.exchanges.TakeBuffer();
  request_sent_ = 0;
  keeping_ = forwarding_ = true;
  idempotent_ = IsIdempotent(head.method);
  client_->EncodeRequestHead(head, RequestSink());
  ArmDeadline(ctx_, down_);
}

void HttpRelay::OnRequestData(std::span<const uint8_t> data) {
  if (forwarding_) client_->EncodeData(data, RequestSink());
}

void HttpRelay::OnRequestTrailers(http::HeaderList& trailers) {
  if (!forwarding_) return;
  http::FilterTrailers(trailers);
  client_->EncodeTrailers(trailers, RequestSink());
}

void HttpRelay::OnRequestEnd() {
  if (forwarding_) client_->EncodeEnd(RequestSink());
}

http::ByteSink HttpRelay::RequestSink() {
  return {this, [](void* self, const uint8_t* data, size_t size) {
            auto& bytes = static_cast<HttpRelay*>(self)->request_bytes_;
            bytes.insert(bytes.end(), data, data + size);
          }};
}

void HttpRelay::StartUpstream() {
  backend::Upstream* idle = ctx_.pool.TakeIdle(*backend_, down_, ctx_.now_ms);
  if (idle == nullptr) {
    DialNext();
    return;
  }
  down_.upstream = idle;
  NoteTarget(down_, *idle);
  connected_ = true;
}

void HttpRelay::DialNext() {
  ++attempts_;
  connected_ = false;
  down_.upstream = ctx_.pool.Dial(backend_, down_, ctx_.now_ms);
  if (down_.upstream == nullptr) {
    CountConnect(ctx_, *backend_, EMFILE, 0);
    Respond(503, /*close=*/true);
  }
}

void HttpRelay::OnBackendConnect(int error) {
  if (error != 0) {
    down_.upstream = nullptr;
    // A request is tried once on each target: a backend that is down must not multiply its own
    // load.
    if (attempts_ < backend_->targets.size()) {
      DialNext();
    } else {
      Respond(error == ETIMEDOUT ? 504 : 502, /*close=*/false);
    }
    return;
  }
  connected_ = true;
  backend_ms_ = ctx_.now_ms;
  PushRequest();
  ResumeClient();
}

void HttpRelay::PushRequest() {
  const auto pause_if = [this](bool full) {
    if (!full || down_.pausing_client) return;
    down_.pausing_client = true;
    down_.stream.Pause(ctx_.client_env);
  };
  if (!connected_) {
    pause_if(request_bytes_.size() > kHighWater);
    return;
  }
  io::Stream& backend = down_.upstream->stream;
  backend.output().Append(ctx_.pool.env().blocks, std::span(request_bytes_).subspan(request_sent_));
  request_sent_ = request_bytes_.size();
  if (request_bytes_.size() > kReplayBytes) keeping_ = false;
  if (!keeping_) {
    request_bytes_.clear();
    request_sent_ = 0;
  }
  backend.Flush(ctx_.pool.env());
  pause_if(backend.output().size() > kHighWater);
}

void HttpRelay::OnBackendSend(io::SendEvent event) {
  if (event == io::SendEvent::kNothing) return;
  if (event == io::SendEvent::kError) {
    // The backend may have answered before it stopped reading: what it said is still to be
    // received.
    return;
  }
  NoteTraffic(ctx_, down_);
  backend_ms_ = ctx_.now_ms;
  if (down_.pausing_client) ResumeClient();
}

}  // namespace portcullis::connection
