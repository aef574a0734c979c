#include "core/server/dry_run.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "tls/host_context.h"
#include "tls/host_judge.h"
#include "tls/host_names.h"
#include "tls/host_table.h"
#include "tls/policy.h"
#include "tls/verdict_cache.h"
#include "tls/verifier_set.h"

namespace portcullis::server {
namespace {

using Clock = std::chrono::steady_clock;

// As many chains as one client's way through the hosts may need again.
constexpr size_t kChainsRemembered = 16;

// A virtual host as it is and as it would be, as far as judging clients takes it. Without a
// verifier: there is none, or it asks for no certificate.
struct HostPair {
  tls::Host before;
  tls::Host after;
};

tls::Host HostOf(const tls::HostSpec& spec, const tls::HostTableOptions& options,
                 tls::VerifierSet& verifiers) {
  tls::Host host;
  host.spec = &spec;
  if (spec.client_auth.mode == tls::ClientAuthMode::kOff) return host;
  const absl::StatusOr<tls::ClientVerifier*> verifier =
      verifiers.Get(spec.client_auth.trust, tls::MakeVerifierOptions(spec.client_auth, options));
  if (verifier.ok()) host.verifier = *verifier;
  return host;
}

// A listener's hosts, by what they are found by.
class NamedHosts {
 public:
  explicit NamedHosts(const ListenerSnapshot& listener)
      : listener_(&listener),
        names_(listener.options.default_host, listener.options.refuse_unknown_sni) {
    // What is wrong with a name fails the reload by itself.
    for (const std::unique_ptr<tls::HostSpec>& spec : listener.hosts)
      names_.Add(spec->name, spec->server_names).IgnoreError();
  }

  [[nodiscard]] const ListenerSnapshot& listener() const { return *listener_; }
  [[nodiscard]] const tls::HostSpec* FindHost(std::string_view name) const {
    return At(names_.FindHost(name));
  }
  [[nodiscard]] const tls::HostSpec* FindByName(std::string_view server_name) const {
    return At(names_.FindByName(server_name));
  }
  [[nodiscard]] const tls::HostSpec* Select(std::string_view server_name) const {
    return At(names_.Select(server_name));
  }

 private:
  [[nodiscard]] const tls::HostSpec* At(std::optional<uint32_t> position) const {
    return position ? listener_->hosts[*position].get() : nullptr;
  }

  const ListenerSnapshot* listener_;
  tls::HostNames names_;
};

struct Successor {
  const tls::HostSpec* spec = nullptr;  // null: there is none
  const ListenerSnapshot* listener = nullptr;
};

// All listeners of a configuration to come.
class Successors {
 public:
  explicit Successors(const Snapshot& after) {
    listeners_.reserve(after.listeners.size());
    for (const ListenerSnapshot& listener : after.listeners) listeners_.emplace_back(listener);
    for (const NamedHosts& hosts : listeners_) {
      by_address_.emplace(SocketKey(*hosts.listener().listener), &hosts);
    }
  }

  // Of the host `before` of a listener at `address`: whom its clients would get by `name`, one of
  // its server names. As live connections have it (core/connection/lapse.cc).
  [[nodiscard]] Successor Find(const std::string& address, const tls::HostSpec& before,
                               std::string_view name) const {
    if (const auto found = by_address_.find(address); found != by_address_.end()) {
      const NamedHosts& hosts = *found->second;
      const tls::HostSpec* const selected = hosts.Select(name);
      const tls::HostSpec* const namesake = hosts.FindHost(before.name);
      // One of another name that asks nobody cannot speak for a host that did.
      const bool speaks =
          selected != nullptr &&
          (selected == namesake || selected->client_auth.mode != tls::ClientAuthMode::kOff);
      return {speaks || namesake == nullptr ? selected : namesake, &hosts.listener()};
    }
    for (const NamedHosts& hosts : listeners_) {
      if (const tls::HostSpec* const namesake = hosts.FindHost(before.name); namesake != nullptr) {
        return {namesake, &hosts.listener()};
      }
    }
    for (const NamedHosts& hosts : listeners_) {
      if (const tls::HostSpec* const found = hosts.FindByName(name); found != nullptr) {
        return {found, &hosts.listener()};
      }
    }
    return {};
  }

 private:
  std::vector<NamedHosts> listeners_;
  absl::flat_hash_map<std::string, const NamedHosts*> by_address_;
};

uint64_t PolicyEpoch(const tls::Host& host) {
  if (host.verifier == nullptr || host.spec->client_auth.policy == nullptr) return 0;
  return host.spec->client_auth.policy->epoch();
}

// Each way of judging that changes into another, once: a thousand hosts may have the same two.
class PairList {
 public:
  explicit PairList(tls::VerifierSet& verifiers) : verifiers_(verifiers) {}

  void Add(const tls::HostSpec& spec, const tls::HostTableOptions& options, const Successor& next) {
    HostPair pair{.before = HostOf(spec, options, verifiers_), .after = {}};
    if (pair.before.verifier == nullptr) return;
    if (next.spec != nullptr) {
      pair.after = HostOf(*next.spec, next.listener->options, verifiers_);
    }
    const bool forgives = pair.after.verifier != nullptr &&
                          tls::IsForgiven(pair.after.spec->client_auth, tls::Rejection::kUnknownCa);
    const bool is_new = known_
                            .emplace(pair.before.verifier, PolicyEpoch(pair.before),
                                     pair.after.verifier, PolicyEpoch(pair.after), forgives)
                            .second;
    if (is_new) pairs_.push_back(std::move(pair));
  }
  [[nodiscard]] std::vector<HostPair> Take() { return std::move(pairs_); }

 private:
  tls::VerifierSet& verifiers_;
  std::set<std::tuple<const void*, uint64_t, const void*, uint64_t, bool>> known_;
  std::vector<HostPair> pairs_;
};

std::vector<HostPair> PairsOf(const Snapshot& before, const Snapshot& after,
                              tls::VerifierSet& verifiers) {
  const Successors successors(after);
  PairList pairs(verifiers);
  for (const ListenerSnapshot& listener : before.listeners) {
    const std::string address = SocketKey(*listener.listener);
    for (const std::unique_ptr<tls::HostSpec>& spec : listener.hosts) {
      if (spec->client_auth.mode == tls::ClientAuthMode::kOff) continue;
      for (const std::string& name : spec->server_names) {
        pairs.Add(*spec, listener.options, successors.Find(address, *spec, name));
      }
      if (!spec->server_names.empty()) continue;  // else it is there for those who name nobody
      pairs.Add(*spec, listener.options, successors.Find(address, *spec, ""));
    }
  }
  return pairs.Take();
}

// Whether a host lets a client in that was seen. Of a resumed one nobody knows what other rules of
// path building would make.
bool LetsIn(const tls::Host& host, const connection::SeenClient& client, int64_t now) {
  if (client.resumed && client.judged_by != host.verifier->options()) return false;
  return tls::JudgeAgain(host, client.identity, now).accepted();
}

// Why a client would be refused, kNone where it would not; nothing, where it is not let in as it
// is.
std::optional<tls::Rejection> Judge(const std::vector<HostPair>& pairs,
                                    const connection::SeenClient& client, tls::VerdictCache& cache,
                                    int64_t now) {
  std::optional<tls::Rejection> outcome;
  for (const HostPair& pair : pairs) {
    if (!LetsIn(pair.before, client, now)) continue;
    outcome = tls::Rejection::kNone;
    if (pair.after.verifier == nullptr) continue;
    const tls::LiveClient live{.judged_by = tls::RulesOf(pair.before),
                               .identity = client.identity,
                               .resumed = client.resumed};
    const tls::Verdict verdict = tls::JudgeLive(pair.after, live, &cache, now);
    if (verdict.accepted() || tls::IsForgiven(pair.after.spec->client_auth, verdict.rejection)) {
      continue;
    }
    // Its path may have been found under the laxer rules of another host with the same trust.
    if (!client.resumed &&
        !tls::JudgePresented(pair.before, client.identity->chain_der, &cache, now).accepted()) {
      continue;
    }
    return verdict.rejection;
  }
  return outcome;
}

// Those of whom the chain is known come first: they can be judged in full, where one that another
// worker has only seen to resume cannot.
std::vector<const connection::SeenClient*> InOrder(
    std::span<const connection::SeenClient> clients) {
  std::vector<const connection::SeenClient*> ordered;
  ordered.reserve(clients.size());
  for (const bool resumed : {false, true}) {
    for (const connection::SeenClient& client : clients) {
      if (client.resumed == resumed) ordered.push_back(&client);
    }
  }
  return ordered;
}

std::string DescribeReasons(const DryRun& dry_run) {
  const std::array<size_t, tls::kNumRejections>& counts = dry_run.reasons;
  std::vector<size_t> reasons;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] != 0) reasons.push_back(i);
  }
  std::sort(reasons.begin(), reasons.end(), [&](size_t a, size_t b) {
    return counts[a] != counts[b] ? counts[a] > counts[b] : a < b;
  });
  return absl::StrJoin(reasons, ", ", [&](std::string* out, size_t i) {
    const std::string name(tls::Name(static_cast<tls::Rejection>(i)));
    absl::StrAppend(out, name, " ", counts[i]);
  });
}

}  // namespace

DryRun TryOut(const Snapshot& before, const Snapshot& after,
              std::span<const connection::SeenClient> clients, int64_t now,
              std::chrono::milliseconds limit) {
  const Clock::time_point until = Clock::now() + limit;
  tls::VerifierSet verifiers;
  const std::vector<HostPair> pairs = PairsOf(before, after, verifiers);
  tls::VerdictCache cache(kChainsRemembered);
  absl::flat_hash_set<tls::Sha256> counted;
  DryRun dry_run;
  for (const connection::SeenClient* const client : InOrder(clients)) {
    if (counted.contains(client->identity->sha256)) continue;
    if (dry_run.seen >= kDryRunClients || Clock::now() >= until) {
      dry_run.complete = false;
      break;
    }
    const std::optional<tls::Rejection> outcome = Judge(pairs, *client, cache, now);
    if (!outcome) continue;
    counted.insert(client->identity->sha256);
    ++dry_run.seen;
    if (*outcome == tls::Rejection::kNone) continue;
    ++dry_run.refused;
    ++dry_run.reasons[static_cast<size_t>(*outcome)];
  }
  return dry_run;
}

std::string Describe(const DryRun& dry_run) {
  return absl::StrCat("of ", dry_run.seen, " clients seen recently the new trust would refuse ",
                      dry_run.refused, dry_run.refused == 0 ? "" : ": ", DescribeReasons(dry_run),
                      dry_run.complete ? "" : " (there were more than could be judged in time)");
}

absl::Status CheckBound(const DryRun& dry_run, const config::Reload& bound) {
  const uint64_t allowed = uint64_t{bound.refuse_over} * (bound.is_percent ? dry_run.seen : 1);
  const uint64_t refused = uint64_t{dry_run.refused} * (bound.is_percent ? 100 : 1);
  if (refused <= allowed) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(Describe(dry_run), "; reload.refuse_over is ",
                                                    bound.refuse_over,
                                                    bound.is_percent ? "%" : ""));
}

}  // namespace portcullis::server
