#include "core/connection/lapse.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "core/connection/close.h"
#include "core/connection/deadline.h"
#include "core/connection/http_relay.h"
#include "core/connection/record.h"
#include "tls/client_status.h"
#include "tls/host_judge.h"

namespace portcullis::connection {
namespace {

using tls::Rejection;

// Whether the connection belongs to what is served now, as far as anyone knows.
bool IsCurrent(const Context& ctx, const Downstream& down) {
  return ctx.current == nullptr || ctx.current == down.runtime;
}

// What serves the connection's address now; null: nothing.
ListenerRuntime* CurrentListener(const Context& ctx, const Downstream& down) {
  for (const auto& listener : ctx.current->listeners) {
    if (listener->address == down.listener->address) return listener.get();
  }
  return nullptr;
}

// The first that `find` finds among all listeners of what is served now; null: none.
template <typename Find>
const tls::Host* FindAnywhere(const Context& ctx, Find find) {
  for (const auto& listener : ctx.current->listeners) {
    if (const tls::Host* const host = find(*listener->hosts); host != nullptr) return host;
  }
  return nullptr;
}

// Whether `host` can speak for `judged`: one of another name that asks nobody for certificates
// cannot speak for a host that did.
bool Speaks(const tls::Host& host, const tls::Host& judged) {
  return host.spec->name == judged.spec->name || host.verifier != nullptr;
}

// Whoever has the place of the connection's host now: whom the client would get that asks for the
// same server name, else the host of the same name, which is its first server name where the
// configuration gives it none.
const tls::Host* Successor(const Context& ctx, const Downstream& down, const tls::Host& judged) {
  const std::string& name = judged.spec->name;
  const std::string_view sni = down.engine->sni();
  if (const ListenerRuntime* const listener = CurrentListener(ctx, down); listener != nullptr) {
    const tls::Host* const selected = listener->hosts->Select(sni);
    if (selected != nullptr && Speaks(*selected, judged)) return selected;
    const tls::Host* const namesake = listener->hosts->FindHost(name);
    return namesake != nullptr ? namesake : selected;
  }
  // Another listener's default is for those who come to that one: it says nothing of this client.
  const tls::Host* const host =
      FindAnywhere(ctx, [&](const tls::HostTable& hosts) { return hosts.FindHost(name); });
  if (host != nullptr) return host;
  return FindAnywhere(ctx, [&](const tls::HostTable& hosts) { return hosts.FindByName(sni); });
}

// What a host that has no successor asks of clients, by its trust as it is now; null where the
// configuration has no trust of that name any more.
tls::ClientVerifier* VerifierNow(const Context& ctx, const tls::Host& judged) {
  const tls::ClientVerifier& before = *judged.verifier;
  for (const auto& trust : ctx.current->trusts) {
    if (trust->name != before.trust().name) continue;
    const auto verifier = ctx.current->verifiers.Get(trust, before.options());
    return verifier.ok() ? *verifier : nullptr;
  }
  return nullptr;
}

// Whether the client came with a certificate that it was let in by.
bool IsProven(const Downstream& down) {
  const tls::Verdict& verdict = down.engine->verdict();
  return verdict.accepted() && verdict.identity != nullptr;
}

// Of a client that came without a certificate, or with one that its host forgave.
Rejection StandingUnproven(const tls::ClientAuthSpec& spec, const tls::Verdict& verdict) {
  if (!verdict.accepted()) {
    return tls::IsForgiven(spec, verdict.rejection) ? Rejection::kNone : verdict.rejection;
  }
  return spec.mode == tls::ClientAuthMode::kRequire ? Rejection::kNoCertificate : Rejection::kNone;
}

// What `host`, as configured now, which asks for certificates, has against the client; if nothing,
// until when.
Rejection Judge(Context& ctx, const Downstream& down, const tls::Host& host, int64_t& until_s) {
  const tls::Verdict& given = down.engine->verdict();
  if (!IsProven(down)) return StandingUnproven(host.spec->client_auth, given);
  const tls::LiveClient client{.judged_by = down.engine->judged_by(),
                               .identity = given.identity,
                               .resumed = down.engine->resumed()};
  const int64_t now = ctx.unix_ms / 1000;
  tls::VerdictCache* const cache = down.listener->hosts->verdict_cache();
  const tls::Verdict verdict = tls::JudgeLive(host, client, cache, now);
  if (!verdict.accepted()) return verdict.rejection;
  // Nobody is asked about live connections; what this worker has heard since counts.
  if (tls::IsKnownRevoked(host, *given.identity, &ctx.statuses)) return Rejection::kRevoked;
  until_s = std::max(verdict.holds_until, now);
  return Rejection::kNone;
}

// The same of live connections, which it may leave alone.
Rejection AskHost(Context& ctx, Downstream& down, const tls::Host& host) {
  if (host.verifier == nullptr || !host.spec->client_auth.close_on_change) return Rejection::kNone;
  return Judge(ctx, down, host, down.holds_until_s);
}

// Whether `host`, which has the place of the connection's own, may become its own. The one before
// is what is asked when a later reload takes `host` away: it must not have been the stricter one.
bool MayTakeOver(const tls::Host& host, const Downstream& down) {
  const tls::Host& before = *down.engine->host();
  if (!Speaks(host, before)) return false;
  const tls::ClientAuthSpec& auth = host.spec->client_auth;
  if (before.verifier != nullptr) {
    if (host.verifier == nullptr) return false;
    if (before.spec->client_auth.close_on_change && !auth.close_on_change) return false;
  }
  // One that asks nothing of live connections would serve those whom it asks for a certificate.
  if (host.verifier != nullptr && !auth.close_on_change && !IsProven(down) &&
      StandingUnproven(auth, down.engine->verdict()) != Rejection::kNone) {
    return false;
  }
  const tls::PeerIdentity* const identity = down.engine->verdict().identity.get();
  return !(auth.keep_leaf && identity != nullptr && identity->chain_der.empty());
}

// Nothing of the connection's points into the runtime before any more, which may be gone at the end
// of the turn.
void MoveToCurrent(Context& ctx, Downstream& down) {
  if (IsCurrent(ctx, down)) return;
  ListenerRuntime* const listener = CurrentListener(ctx, down);
  if (listener == nullptr || listener->mode != down.listener->mode) return;
  const tls::Host* const host = Successor(ctx, down, *down.engine->host());
  if (host == nullptr || !MayTakeOver(*host, down)) return;
  RecordMove(ctx, down, *listener);
  --down.runtime->connections;
  ++ctx.current->connections;
  down.runtime = ctx.current;
  down.listener = listener;
  down.engine->MoveTo(*listener->hosts, *host);
  if (down.http != nullptr) down.http->OnMoved();
}

void Lapse(Context& ctx, Downstream& down, Rejection reason) {
  down.lapse = reason;
  ctx.shard.listener(down.listener->metrics_id).CountLapse(static_cast<size_t>(reason));
  if (down.state == State::kHttp) {
    const Runtime& runtime = ctx.current != nullptr ? *ctx.current : *down.runtime;
    down.cut_ms = ctx.now_ms + Ms(runtime.timeouts.lapse);
    down.http->OnLapse();
  } else {
    Linger(ctx, down, CloseCause::kLapsed);
  }
}

}  // namespace

const tls::Host& CurrentHost(const Context& ctx, const Downstream& down, const tls::Host& host) {
  const tls::Host* found = nullptr;
  if (IsCurrent(ctx, down)) {
    found = &host;
  } else if (&host == down.engine->host()) {
    found = Successor(ctx, down, host);
  } else if (const ListenerRuntime* const now = CurrentListener(ctx, down); now != nullptr) {
    found = now->hosts->FindHost(host.spec->name);
  }
  return found != nullptr ? *found : host;
}

const tls::Host& CurrentHostOf(const Context& ctx, const Downstream& down, std::string_view name,
                               const tls::Host& host) {
  const tls::Host* found = nullptr;
  if (!IsCurrent(ctx, down)) {
    const ListenerRuntime* const now = CurrentListener(ctx, down);
    if (now != nullptr) found = now->hosts->FindByName(name);
  }
  return found != nullptr ? *found : CurrentHost(ctx, down, host);
}

bool LetsIn(Context& ctx, const Downstream& down, const tls::Host& host) {
  int64_t until_s = 0;
  return host.verifier == nullptr || Judge(ctx, down, host, until_s) == Rejection::kNone;
}

Rejection NoteStanding(Context& ctx, Downstream& down) {
  if (!IsCurrent(ctx, down)) {
    const Rejection reason = AskStanding(ctx, down);
    if (reason == Rejection::kNone) MoveToCurrent(ctx, down);
    return reason;
  }
  const tls::Verdict& verdict = down.engine->verdict();
  if (!IsProven(down)) return Rejection::kNone;
  const tls::Host& host = *down.engine->host();
  if (tls::IsKnownRevoked(host, *verdict.identity, &ctx.statuses)) return Rejection::kRevoked;
  if (host.spec->client_auth.close_on_change) down.holds_until_s = verdict.holds_until;
  return Rejection::kNone;
}

Rejection AskStanding(Context& ctx, Downstream& down) {
  down.holds_until_s = INT64_MAX;
  const tls::Host& judged = *down.engine->host();
  const tls::Host& successor = CurrentHost(ctx, down, judged);
  if (&successor != &judged && Speaks(successor, judged)) return AskHost(ctx, down, successor);
  if (judged.verifier == nullptr || IsCurrent(ctx, down)) return AskHost(ctx, down, judged);
  tls::Host as_it_was;
  as_it_was.spec = judged.spec;
  as_it_was.verifier = VerifierNow(ctx, judged);
  if (as_it_was.verifier != nullptr) return AskHost(ctx, down, as_it_was);
  const bool lapses = IsProven(down) && judged.spec->client_auth.close_on_change;
  return lapses ? Rejection::kUnknownCa : Rejection::kNone;
}

void CheckStanding(Context& ctx, Downstream& down) {
  const bool served =
      down.state == State::kHttp || down.state == State::kRelay || down.state == State::kDialing;
  if (!served || down.lapse != Rejection::kNone || down.refusal != Rejection::kNone) return;
  const Rejection reason = AskStanding(ctx, down);
  if (reason != Rejection::kNone) {
    Lapse(ctx, down, reason);
  } else {
    MoveToCurrent(ctx, down);
    ArmDeadline(ctx, down);
  }
}

}  // namespace portcullis::connection
