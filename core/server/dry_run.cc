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

// Hosts by name. On whichever listener, a virtual host judges clients alike.
absl::flat_hash_map<std::string_view, tls::Host> HostsOf(const Snapshot& snapshot,
                                                         tls::VerifierSet& verifiers) {
  absl::flat_hash_map<std::string_view, tls::Host> hosts;
  for (const ListenerSnapshot& listener : snapshot.listeners) {
    for (const std::unique_ptr<tls::HostSpec>& spec : listener.hosts) {
      if (hosts.contains(spec->name)) continue;
      hosts.emplace(spec->name, HostOf(*spec, listener.options, verifiers));
    }
  }
  return hosts;
}

uint64_t PolicyEpoch(const tls::Host& host) {
  if (host.verifier == nullptr || host.spec->client_auth.policy == nullptr) return 0;
  return host.spec->client_auth.policy->epoch();
}

// Each way of judging that changes into another, once: a thousand hosts may have the same two.
std::vector<HostPair> PairsOf(const Snapshot& before, const Snapshot& after,
                              tls::VerifierSet& verifiers) {
  absl::flat_hash_map<std::string_view, tls::Host> new_hosts = HostsOf(after, verifiers);
  std::set<std::tuple<const void*, uint64_t, const void*, uint64_t, bool>> known;
  std::vector<HostPair> pairs;
  for (auto& [name, host] : HostsOf(before, verifiers)) {
    if (host.verifier == nullptr) continue;
    HostPair pair{.before = std::move(host), .after = {}};
    if (const auto found = new_hosts.find(name); found != new_hosts.end()) {
      pair.after = std::move(found->second);
    }
    const bool forgives = pair.after.verifier != nullptr &&
                          tls::IsForgiven(pair.after.spec->client_auth, tls::Rejection::kUnknownCa);
    if (known
            .emplace(pair.before.verifier, PolicyEpoch(pair.before), pair.after.verifier,
                     PolicyEpoch(pair.after), forgives)
            .second) {
      pairs.push_back(std::move(pair));
    }
  }
  return pairs;
}

// Why a client would be refused, kNone where it would not; nothing, where it is not let in as it
// is.
std::optional<tls::Rejection> Judge(const std::vector<HostPair>& pairs,
                                    const std::shared_ptr<const tls::PeerIdentity>& client,
                                    tls::VerdictCache& cache, int64_t now) {
  std::optional<tls::Rejection> outcome;
  for (const HostPair& pair : pairs) {
    if (!tls::JudgeAgain(pair.before, client, now).accepted()) continue;
    outcome = tls::Rejection::kNone;
    if (pair.after.verifier == nullptr) continue;
    const tls::Verdict verdict = tls::JudgeLive(
        pair.after, {.judged_by = tls::RulesOf(pair.before), .identity = client}, &cache, now);
    if (verdict.accepted() || tls::IsForgiven(pair.after.spec->client_auth, verdict.rejection)) {
      continue;
    }
    // Its path may have been found under the laxer rules of another host with the same trust.
    if (!tls::JudgePresented(pair.before, client->chain_der, &cache, now).accepted()) continue;
    return verdict.rejection;
  }
  return outcome;
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
              std::span<const std::shared_ptr<const tls::PeerIdentity>> clients, int64_t now,
              std::chrono::milliseconds limit) {
  const Clock::time_point until = Clock::now() + limit;
  tls::VerifierSet verifiers;
  const std::vector<HostPair> pairs = PairsOf(before, after, verifiers);
  tls::VerdictCache cache(kChainsRemembered);
  absl::flat_hash_set<tls::Sha256> counted;
  DryRun dry_run;
  for (const std::shared_ptr<const tls::PeerIdentity>& client : clients) {
    if (counted.contains(client->sha256) || client->chain_der.empty()) continue;
    if (dry_run.seen >= kDryRunClients || Clock::now() >= until) {
      dry_run.complete = false;
      break;
    }
    const std::optional<tls::Rejection> outcome = Judge(pairs, client, cache, now);
    if (!outcome) continue;
    counted.insert(client->sha256);
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
