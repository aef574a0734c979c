#include "core/connection/lapse.h"

#include <algorithm>

#include "core/connection/close.h"
#include "core/connection/deadline.h"
#include "core/connection/http_relay.h"
#include "tls/client_status.h"
#include "tls/host_judge.h"

namespace portcullis::connection {
namespace {

using tls::Rejection;

const ListenerRuntime* CurrentListener(const Context& ctx, const Downstream& down) {
  if (ctx.current == nullptr || ctx.current == down.runtime) return down.listener;
  for (const auto& listener : ctx.current->listeners) {
    if (listener->address == down.listener->address) return listener.get();
  }
  return down.listener;
}

// Of a client that came without a certificate, or with one that its host forgave.
Rejection StandingUnproven(const tls::ClientAuthSpec& spec, const tls::Verdict& verdict) {
  if (!verdict.accepted()) {
    return tls::IsForgiven(spec, verdict.rejection) ? Rejection::kNone : verdict.rejection;
  }
  return spec.mode == tls::ClientAuthMode::kRequire ? Rejection::kNoCertificate : Rejection::kNone;
}

// Nobody is asked about live connections; what this worker has heard since counts.
bool IsKnownRevoked(const Context& ctx, const tls::Host& host, const tls::PeerIdentity& identity) {
  const tls::TrustMaterial& trust = host.verifier->trust();
  return trust.ocsp_spec.mode != tls::OcspMode::kOff && !identity.path.empty() &&
         ctx.statuses.KnowsRevoked(tls::StatusKeyOf(identity, trust));
}

void Lapse(Context& ctx, Downstream& down, Rejection reason) {
  down.lapse = reason;
  ctx.shard.listener(down.listener->metrics_id).CountLapse(static_cast<size_t>(reason));
  if (down.state == State::kHttp) {
    const auto limit = static_cast<io::Millis>(down.runtime->timeouts.drain.count());
    down.cut_ms = ctx.now_ms + limit;
    down.http->OnLapse();
  } else {
    Linger(ctx, down, CloseCause::kLapsed);
  }
}

}  // namespace

const tls::Host& CurrentHost(const Context& ctx, const Downstream& down, const tls::Host& host) {
  const tls::Host* const found = CurrentListener(ctx, down)->hosts->FindHost(host.spec->name);
  return found != nullptr ? *found : host;
}

Rejection NoteStanding(Context& ctx, Downstream& down) {
  if (CurrentListener(ctx, down) != down.listener) return AskStanding(ctx, down);
  const tls::Verdict& verdict = down.engine->verdict();
  const bool proven = verdict.accepted() && verdict.identity != nullptr;
  if (proven && down.engine->host()->spec->client_auth.close_on_change) {
    down.holds_until_s = verdict.holds_until;
  }
  return Rejection::kNone;
}

Rejection AskStanding(Context& ctx, Downstream& down) {
  down.holds_until_s = INT64_MAX;
  const tls::Host& judged = *down.engine->host();
  const tls::Host& host = CurrentHost(ctx, down, judged);
  const tls::ClientAuthSpec& spec = host.spec->client_auth;
  if (host.verifier == nullptr || !spec.close_on_change) return Rejection::kNone;

  const tls::Verdict& given = down.engine->verdict();
  if (!given.accepted() || given.identity == nullptr) return StandingUnproven(spec, given);
  const tls::LiveClient client{
      .judged_under = judged, .identity = given.identity, .resumed = down.engine->resumed()};
  const int64_t now = ctx.unix_ms / 1000;
  tls::VerdictCache* const cache = down.listener->hosts->verdict_cache();
  const tls::Verdict verdict = tls::JudgeLive(host, client, cache, now);
  if (!verdict.accepted()) return verdict.rejection;
  if (IsKnownRevoked(ctx, host, *given.identity)) return Rejection::kRevoked;
  down.holds_until_s = std::max(verdict.holds_until, now);
  return Rejection::kNone;
}

void CheckStanding(Context& ctx, Downstream& down) {
  const bool served =
      down.state == State::kHttp || down.state == State::kRelay || down.state == State::kDialing;
  if (!served || down.lapse != Rejection::kNone || down.refusal != Rejection::kNone) return;
  const Rejection reason = AskStanding(ctx, down);
  if (reason != Rejection::kNone) {
    Lapse(ctx, down, reason);
  } else {
    ArmDeadline(ctx, down);
  }
}

}  // namespace portcullis::connection
