#include "metrics/collector.h"

#include <algorithm>
#include <array>
#include <string>

#include "metrics/families.h"
#include "metrics/process_stats.h"

namespace portcullis::metrics {
namespace {

using enum Metric;

template <typename T>
double AsDouble(T value) {
  return static_cast<double>(value);
}

// Whether a combination is shown before it has happened, so that rate() sees its first event. The
// others are those which hardly or never occur; they appear when they do.
bool IsExpected(HandshakeResult result, TlsVersion version, bool resumed) {
  if (result == HandshakeResult::kOk) return version != TlsVersion::kUnknown;
  return !resumed;
}

void AddHandshakes(Families& families, const ListenerSnapshot& listener) {
  for (size_t r = 0; r < kHandshakeResultNames.size(); ++r) {
    for (size_t v = 0; v < kTlsVersionNames.size(); ++v) {
      for (const bool resumed : {false, true}) {
        const auto result = static_cast<HandshakeResult>(r);
        const auto version = static_cast<TlsVersion>(v);
        const HistogramSnapshot& durations =
            listener.handshakes[HandshakeKind(result, version, resumed)];
        if (!IsExpected(result, version, resumed) && durations.Count() == 0) continue;
        families.Durations(kHandshakeDuration,
                           {listener.name, kHandshakeResultNames[r], kTlsVersionNames[v],
                            resumed ? "true" : "false"},
                           durations);
      }
    }
  }
}

void AddRefusals(Families& families, const ListenerSnapshot& listener, const Reasons& reasons) {
  for (size_t reason = 1; reason < reasons.size(); ++reason) {
    families.Number(kHandshakeRejections, {listener.name, reasons[reason].name},
                    AsDouble(listener.rejections[reason]));
  }
  for (const ChainVerdict verdict : {ChainVerdict::kAccepted, ChainVerdict::kNone}) {
    const auto index = static_cast<size_t>(verdict);
    families.Number(kChainVerdicts, {listener.name, kChainVerdictNames[index], reasons[0].name},
                    AsDouble(listener.verdicts[index]));
  }
  for (size_t reason = 1; reason < reasons.size(); ++reason) {
    if (!reasons[reason].judges_certificate && listener.rejected_chains[reason] == 0) continue;
    families.Number(kChainVerdicts, {listener.name, "rejected", reasons[reason].name},
                    AsDouble(listener.rejected_chains[reason]));
  }
}

// By reasons that judge a certificate; by others once they have happened.
void AddChangesOfMind(Families& families, const ListenerSnapshot& listener,
                      const Reasons& reasons) {
  const auto add = [&](Metric metric, const auto& counts) {
    for (size_t reason = 1; reason < reasons.size(); ++reason) {
      if (!reasons[reason].judges_certificate && counts[reason] == 0) continue;
      families.Number(metric, {listener.name, reasons[reason].name}, AsDouble(counts[reason]));
    }
  };
  add(kConnectionsLapsed, listener.lapses);
  add(kResumptionsRefused, listener.refused_resumptions);
}

void AddListener(Families& families, const ListenerSnapshot& listener, const Reasons& reasons) {
  AddHandshakes(families, listener);
  AddRefusals(families, listener, reasons);
  AddChangesOfMind(families, listener, reasons);
  families.Number(kHandshakesInProgress, {listener.name},
                  AsDouble(listener.handshakes_in_progress));
  families.Number(kConnectionsAccepted, {listener.name}, AsDouble(listener.accepted));
  families.Number(kAcceptFailures, {listener.name}, AsDouble(listener.accept_failures));
  families.Number(kActiveConnections, {listener.name}, AsDouble(listener.active_connections));
  for (size_t side = 0; side < kSideNames.size(); ++side) {
    for (size_t direction = 0; direction < kDirectionNames.size(); ++direction) {
      families.Number(kBytes, {listener.name, kSideNames[side], kDirectionNames[direction]},
                      AsDouble(listener.bytes[side][direction]));
    }
  }
  for (size_t code = 0; code < kCodeClassNames.size(); ++code) {
    families.Number(kRequests, {listener.name, kCodeClassNames[code]},
                    AsDouble(listener.requests[code]));
  }
  families.Durations(kRequestDuration, {listener.name}, listener.request_duration);
}

void AddBackend(Families& families, const BackendSnapshot& backend) {
  for (size_t result = 0; result < kConnectResultNames.size(); ++result) {
    families.Number(kBackendConnects, {backend.name, kConnectResultNames[result]},
                    AsDouble(backend.connects[result]));
  }
  families.Durations(kBackendConnectDuration, {backend.name}, backend.connect_duration);
  families.Number(kBackendActiveConnections, {backend.name}, AsDouble(backend.active_connections));
  families.Number(kBackendIdleConnections, {backend.name}, AsDouble(backend.idle_connections));
}

void AddWorker(Families& families, const WorkerSnapshot& worker, const std::string& index) {
  const auto number = [&](Metric metric, double value) { families.Number(metric, {index}, value); };
  number(kWorkerAccepted, AsDouble(worker.accepted));
  number(kWorkerActiveConnections, AsDouble(worker.active_connections));
  number(kWorkerBusy, AsDouble(worker.busy_ns) / 1e9);
  number(kWorkerConnectionSlots, AsDouble(worker.connection_slots));
  number(kWorkerBlocks, AsDouble(worker.blocks_in_use));
  number(kWorkerTimerFires, AsDouble(worker.timer_fires));
  number(kWorkerLogLinesDropped, AsDouble(worker.log_lines_dropped));
  number(kVerdictCacheHits, AsDouble(worker.verdict_cache_hits));
  number(kVerdictCacheMisses, AsDouble(worker.verdict_cache_misses));
  number(kVerdictCacheEvictions, AsDouble(worker.verdict_cache_evictions));
  number(kVerdictCacheEntries, AsDouble(worker.verdict_cache_entries));
  number(kRingEnters, AsDouble(worker.ring_enters));
  number(kRingSubmitted, AsDouble(worker.ring_submitted));
  number(kRingCompleted, AsDouble(worker.ring_completed));
  number(kRingSqFull, AsDouble(worker.ring_sq_full));
  number(kRingCqOverflow, AsDouble(worker.ring_cq_overflow));
  number(kRingRecvEnobufs, AsDouble(worker.ring_recv_enobufs));
  number(kRingRecvPauses, AsDouble(worker.ring_recv_pauses));
  number(kRingCancelMisses, AsDouble(worker.ring_cancel_misses));
  number(kRingStaleCqes, AsDouble(worker.ring_stale_cqes));
}

void AddKeyOperations(Families& families, const Snapshot& snapshot) {
  for (size_t provider = 0; provider < kKeyProviderNames.size(); ++provider) {
    for (size_t thread = 0; thread < kSigningThreadNames.size(); ++thread) {
      for (size_t result = 0; result < kKeyResultNames.size(); ++result) {
        const auto on = static_cast<SigningThread>(thread);
        const auto came_to = static_cast<KeyResult>(result);
        // A worker that signs by itself does so at once.
        if (on == SigningThread::kWorker && came_to == KeyResult::kAbandoned) continue;
        families.Number(
            kPrivateKeyOperations,
            {kKeyProviderNames[provider], kSigningThreadNames[thread], kKeyResultNames[result]},
            AsDouble(snapshot.key_operations[KeyOperationKind(provider, on, came_to)]));
      }
    }
  }
  families.Durations(kHelperSignatureDuration, {}, snapshot.helper_signature_duration);
}

void AddExpiries(Families& families, FactsSnapshot& facts) {
  // Soonest first: of those with the same labels the first is kept, since a series must not come
  // twice.
  std::sort(facts.certificates.begin(), facts.certificates.end(),
            [](const auto& a, const auto& b) { return a.not_after < b.not_after; });
  for (const CertificateFact& fact : facts.certificates) {
    const std::string_view kind = fact.kind == CertificateKind::kServer ? "server" : "ca";
    const Families::LabelValues labels = {kind, fact.name, fact.subject, fact.serial};
    if (families.HasSeries(kCertificateNotAfter, labels)) continue;
    families.Number(kCertificateNotAfter, labels, AsDouble(fact.not_after));
  }
  for (const CertificateFact& fact : facts.certificates) {
    const Families::LabelValues labels = {fact.name, fact.subject, fact.serial};
    if (fact.stapled_until == 0 || families.HasSeries(kStapleNextUpdate, labels)) continue;
    families.Number(kStapleNextUpdate, labels, AsDouble(fact.stapled_until));
  }
  std::sort(facts.crls.begin(), facts.crls.end(),
            [](const auto& a, const auto& b) { return a.next_update < b.next_update; });
  for (const CrlFact& fact : facts.crls) {
    const Families::LabelValues labels = {fact.trust, fact.issuer};
    if (fact.next_update == 0 || families.HasSeries(kCrlNextUpdate, labels)) continue;
    families.Number(kCrlNextUpdate, labels, AsDouble(fact.next_update));
  }
}

void AddFacts(Families& families, FactsSnapshot facts) {
  families.Number(kBuildInfo, {facts.build.version, facts.build.commit, facts.build.boringssl}, 1);
  families.Number(kWorkers, {}, AsDouble(facts.num_workers));
  families.Number(kConfigReloads, {"success"}, AsDouble(facts.reloads_ok));
  families.Number(kConfigReloads, {"failure"}, AsDouble(facts.reloads_failed));
  families.Number(kConfigLastReloadSuccess, {}, AsDouble(facts.last_reload_success));
  families.Number(kReloadDryRun, {"accepted"}, AsDouble(facts.dry_run.accepted));
  families.Number(kReloadDryRun, {"refused"}, AsDouble(facts.dry_run.refused));
  AddExpiries(families, facts);
}

void AddProcess(Families& families) {
  const ProcessStats stats = ReadProcessStats();
  families.Number(kProcessCpu, {}, stats.cpu_seconds);
  families.Number(kProcessResidentMemory, {}, AsDouble(stats.resident_bytes));
  families.Number(kProcessOpenFds, {}, AsDouble(stats.open_fds));
  families.Number(kProcessMaxFds, {}, AsDouble(stats.max_fds));
  families.Number(kProcessStartTime, {}, stats.start_time_seconds);
}

}  // namespace

std::vector<prometheus::MetricFamily> Collector::Collect() const {
  const Snapshot snapshot = shards_.Take();
  Families families;
  for (const ListenerSnapshot& listener : snapshot.listeners) {
    AddListener(families, listener, shards_.reasons());
  }
  for (const BackendSnapshot& backend : snapshot.backends) AddBackend(families, backend);
  for (size_t i = 0; i < snapshot.workers.size(); ++i) {
    AddWorker(families, snapshot.workers[i], std::to_string(i));
  }
  families.Durations(kWorkerTurnDuration, {}, snapshot.turn_duration);
  for (size_t result = 0; result < kOcspResultNames.size(); ++result) {
    families.Durations(kOcspFetchDuration, {kOcspResultNames[result]},
                       snapshot.ocsp_answers[result]);
  }
  families.Number(kOcspCacheHits, {}, AsDouble(snapshot.ocsp_cache_hits));
  AddKeyOperations(families, snapshot);
  families.Number(kLogLinesLost, {},
                  log_lines_lost_ != nullptr ? AsDouble(log_lines_lost_->value()) : 0);
  AddFacts(families, facts_.Take());
  AddProcess(families);
  return std::move(families).Take();
}

}  // namespace portcullis::metrics
