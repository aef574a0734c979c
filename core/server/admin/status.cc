#include "core/server/admin/status.h"

#include <algorithm>

#include "absl/time/time.h"
#include <nlohmann/json.hpp>

namespace portcullis::server {
namespace {

using nlohmann::json;

std::string Timestamp(int64_t seconds) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(seconds),
                          absl::UTCTimeZone());
}

double Milliseconds(uint64_t ns) { return static_cast<double>(ns) / 1e6; }

json Quantiles(const metrics::HistogramSnapshot& durations) {
  return {{"p50", Milliseconds(durations.Quantile(0.5))},
          {"p95", Milliseconds(durations.Quantile(0.95))},
          {"p99", Milliseconds(durations.Quantile(0.99))}};
}

json Handshakes(const metrics::ListenerSnapshot& listener) {
  std::array<metrics::HistogramSnapshot, metrics::kHandshakeResultNames.size()> by_result;
  constexpr size_t kKindsPerResult =
      metrics::kHandshakeKinds / metrics::kHandshakeResultNames.size();
  for (size_t kind = 0; kind < metrics::kHandshakeKinds; ++kind) {
    by_result[kind / kKindsPerResult].Merge(listener.handshakes[kind]);
  }
  json handshakes = {{"in_progress", listener.handshakes_in_progress}};
  for (size_t result = 0; result < by_result.size(); ++result) {
    handshakes[std::string(metrics::kHandshakeResultNames[result])] = by_result[result].Count();
  }
  handshakes["ok_ms"] = Quantiles(by_result[static_cast<size_t>(metrics::HandshakeResult::kOk)]);
  return handshakes;
}

json Listeners(const metrics::Snapshot& snapshot, const std::vector<ListenerAddress>& addresses) {
  json listeners = json::array();
  for (const ListenerAddress& address : addresses) {
    json listener = {{"name", address.name}, {"address", address.address}};
    const auto counted = std::find_if(snapshot.listeners.begin(), snapshot.listeners.end(),
                                      [&](const auto& one) { return one.name == address.name; });
    if (counted != snapshot.listeners.end()) {
      listener["connections_accepted"] = counted->accepted;
      listener["active_connections"] = counted->active_connections;
      listener["handshakes"] = Handshakes(*counted);
    }
    listeners.push_back(std::move(listener));
  }
  return listeners;
}

json Workers(const metrics::Snapshot& snapshot) {
  json workers = json::array();
  for (const metrics::WorkerSnapshot& worker : snapshot.workers) {
    workers.push_back({{"connections_accepted", worker.accepted},
                       {"active_connections", worker.active_connections}});
  }
  return workers;
}

json Certificates(const metrics::FactsSnapshot& facts, int64_t now) {
  json certificates = json::array();
  for (const metrics::CertificateFact& fact : facts.certificates) {
    certificates.push_back(
        {{"kind", fact.kind == metrics::CertificateKind::kServer ? "server" : "ca"},
         {"name", fact.name},
         {"subject", fact.subject},
         {"serial", fact.serial},
         {"not_after", Timestamp(fact.not_after)},
         {"seconds_left", fact.not_after - now}});
  }
  return certificates;
}

json Crls(const metrics::FactsSnapshot& facts) {
  json crls = json::array();
  for (const metrics::CrlFact& fact : facts.crls) {
    json crl = {{"trust", fact.trust}, {"issuer", fact.issuer}};
    if (fact.next_update != 0) crl["next_update"] = Timestamp(fact.next_update);
    crls.push_back(std::move(crl));
  }
  return crls;
}

json Config(const metrics::FactsSnapshot& facts) {
  json config = {{"reloads_ok", facts.reloads_ok}, {"reloads_failed", facts.reloads_failed}};
  if (facts.last_reload_success != 0) config["in_use_since"] = Timestamp(facts.last_reload_success);
  if (!facts.last_reload_error.empty()) config["last_reload_error"] = facts.last_reload_error;
  return config;
}

}  // namespace

std::string StatusJson(Readiness readiness, const metrics::FactsSnapshot& facts,
                       const metrics::Snapshot& snapshot,
                       const std::vector<ListenerAddress>& addresses, int64_t now) {
  const json status = {{"state", std::string(ReadinessName(readiness))},
                       {"version", facts.build.version},
                       {"commit", facts.build.commit},
                       {"boringssl", facts.build.boringssl},
                       {"started", Timestamp(facts.start_time)},
                       {"uptime_seconds", now - facts.start_time},
                       {"config", Config(facts)},
                       {"workers", Workers(snapshot)},
                       {"listeners", Listeners(snapshot, addresses)},
                       {"certificates", Certificates(facts, now)},
                       {"crls", Crls(facts)}};
  // Subjects may hold anything: invalid UTF-8 is replaced, where the default would throw.
  return status.dump(2, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace) + "\n";
}

}  // namespace portcullis::server
