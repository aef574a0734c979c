#include "metrics/catalogue.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "metrics/histogram_layout.h"

namespace portcullis::metrics {
namespace {

constexpr uint64_t kUs = 1'000;
constexpr uint64_t kMs = 1'000 * kUs;
constexpr uint64_t kS = 1'000 * kMs;

// A handshake: dense from 0.1 ms, where a resumed one lies, to 10 ms, where an RSA-4096 one does;
// then to the default deadline of 10 s.
constexpr std::array kHandshakeBounds = {
    100 * kUs, 250 * kUs, 500 * kUs,  750 * kUs, 1 * kMs,    1500 * kUs, 2 * kMs,
    3 * kMs,   5 * kMs,   7500 * kUs, 10 * kMs,  25 * kMs,   50 * kMs,   75 * kMs,
    100 * kMs, 250 * kMs, 500 * kMs,  1 * kS,    2500 * kMs, 5 * kS,     10 * kS};

constexpr std::array kRequestBounds = {500 * kUs, 1 * kMs,  2500 * kUs, 5 * kMs,   10 * kMs,
                                       25 * kMs,  50 * kMs, 100 * kMs,  250 * kMs, 500 * kMs,
                                       1 * kS,    5 * kS,   10 * kS,    50 * kS};

constexpr std::array kConnectBounds = {100 * kUs,  250 * kUs, 500 * kUs, 1 * kMs,
                                       2500 * kUs, 5 * kMs,   10 * kMs,  25 * kMs,
                                       100 * kMs,  500 * kMs, 1 * kS,    5 * kS};

constexpr std::array kTurnBounds = {10 * kUs,  25 * kUs,  50 * kUs, 100 * kUs,
                                    250 * kUs, 500 * kUs, 1 * kMs,  2500 * kUs,
                                    5 * kMs,   10 * kMs,  50 * kMs, 100 * kMs};

constexpr bool AreRisingEdges(std::span<const uint64_t> bounds) {
  for (size_t i = 0; i < bounds.size(); ++i) {
    if (!IsEdge(bounds[i]) || (i > 0 && bounds[i] <= bounds[i - 1])) return false;
  }
  return true;
}
static_assert(AreRisingEdges(kHandshakeBounds) && AreRisingEdges(kRequestBounds) &&
              AreRisingEdges(kConnectBounds) && AreRisingEdges(kTurnBounds));

using enum Metric;
constexpr Type kC = Type::kCounter;
constexpr Type kG = Type::kGauge;
constexpr Type kH = Type::kHistogram;

// clang-format off
constexpr MetricInfo kCatalogue[] = {
    {kHandshakeDuration, "portcullis_handshake_duration_seconds", kH,
     "listener,result,version,resumed",
     "Time from accepting a connection to the end of its TLS handshake.", kHandshakeBounds},
    {kHandshakeRejections, "portcullis_handshake_rejections_total", kC, "listener,reason",
     "Clients not served, by reason, whether refused by a TLS alert or by an HTTP page.", {}},
    {kHandshakesInProgress, "portcullis_handshakes_in_progress", kG, "listener",
     "TLS handshakes begun and not yet ended.", {}},
    {kChainVerdicts, "portcullis_client_chain_verdicts_total", kC, "listener,verdict,reason",
     "Judgements of client certificate chains; reason is none unless the verdict is rejected.", {}},
    {kConnectionsAccepted, "portcullis_connections_accepted_total", kC, "listener",
     "Connections accepted.", {}},
    {kAcceptFailures, "portcullis_accept_failures_total", kC, "listener",
     "Times that accepting a connection failed, for want of descriptors or memory as a rule; who "
     "would connect waits in the kernel's backlog meanwhile.", {}},
    {kActiveConnections, "portcullis_active_connections", kG, "listener",
     "Client connections open now.", {}},
    {kConnectionsLapsed, "portcullis_connections_lapsed_total", kC, "listener,reason",
     "Live connections ended because their client would no longer be let in, by reason: its "
     "certificate expired, or a reload brought another trust, CRL or policy.", {}},
    {kResumptionsRefused, "portcullis_resumptions_refused_total", kC, "listener,reason",
     "Session tickets not resumed because their client would no longer be let in, by reason.", {}},
    {kBytes, "portcullis_transferred_bytes_total", kC, "listener,side,direction",
     "Payload bytes received from (rx) and sent to (tx) clients and backends, TLS framing "
     "excluded.", {}},
    {kRequests, "portcullis_http_requests_total", kC, "listener,code",
     "HTTP requests answered, by class of status code.", {}},
    {kRequestDuration, "portcullis_http_request_duration_seconds", kH, "listener",
     "Time from the first byte of an HTTP request to the last of its response.", kRequestBounds},
    {kBackendConnects, "portcullis_backend_connects_total", kC, "backend,result",
     "Attempts to connect to a target of a backend, by how they ended.", {}},
    {kBackendConnectDuration, "portcullis_backend_connect_duration_seconds", kH, "backend",
     "Time that successful connects to a backend took.", kConnectBounds},
    {kBackendActiveConnections, "portcullis_backend_active_connections", kG, "backend",
     "Backend connections carrying traffic.", {}},
    {kBackendIdleConnections, "portcullis_backend_idle_connections", kG, "backend",
     "Backend connections kept alive for the next request.", {}},
    {kWorkerAccepted, "portcullis_worker_connections_accepted_total", kC, "worker",
     "Connections accepted by a worker.", {}},
    {kWorkerActiveConnections, "portcullis_worker_active_connections", kG, "worker",
     "Client connections open on a worker.", {}},
    {kWorkerBusy, "portcullis_worker_busy_seconds_total", kC, "worker",
     "Time a worker spent working rather than waiting.", {}},
    {kWorkerTurnDuration, "portcullis_worker_turn_duration_seconds", kH, "",
     "Work done in one turn of a worker's loop, waiting excluded, all workers.", kTurnBounds},
    {kWorkerConnectionSlots, "portcullis_worker_connection_slots_in_use", kG, "worker",
     "Connection slots in use, including those whose last kernel operation is still under "
     "way.", {}},
    {kWorkerBlocks, "portcullis_worker_output_blocks_in_use", kG, "worker",
     "Output blocks in use.", {}},
    {kWorkerTimerFires, "portcullis_worker_timer_fires_total", kC, "worker",
     "Deadlines that fired.", {}},
    {kWorkerLogLinesDropped, "portcullis_worker_log_lines_dropped_total", kC, "worker",
     "Connection log lines dropped because the writer was too far behind.", {}},
    {kVerdictCacheHits, "portcullis_verdict_cache_hits_total", kC, "worker",
     "Client chains found among those accepted before.", {}},
    {kVerdictCacheMisses, "portcullis_verdict_cache_misses_total", kC, "worker",
     "Client chains that had to be verified.", {}},
    {kVerdictCacheEvictions, "portcullis_verdict_cache_evictions_total", kC, "worker",
     "Accepted chains forgotten to make room for others.", {}},
    {kVerdictCacheEntries, "portcullis_verdict_cache_entries", kG, "worker",
     "Accepted chains remembered now.", {}},
    {kOcspFetchDuration, "portcullis_ocsp_fetch_duration_seconds", kH, "result",
     "Time that questions to OCSP responders about clients took, by what came of them.",
     kRequestBounds},
    {kOcspCacheHits, "portcullis_ocsp_cache_hits_total", kC, "",
     "Clients about whom what a responder had said, or had failed to say, was known.", {}},
    {kPrivateKeyOperations, "portcullis_private_key_operations_total", kC,
     "provider,thread,result",
     "Signatures asked of the server's private keys, by the library and the thread that make "
     "them.", {}},
    {kHelperSignatureDuration, "portcullis_helper_signature_duration_seconds", kH, "",
     "Time from asking a helper thread for a signature to having it.", kHandshakeBounds},
    {kLogLinesLost, "portcullis_log_lines_lost_total", kC, "",
     "Connection log lines that the log's destination refused.", {}},
    {kRingEnters, "portcullis_ring_enters_total", kC, "worker",
     "System calls made to submit to and wait for the ring.", {}},
    {kRingSubmitted, "portcullis_ring_submitted_total", kC, "worker",
     "Operations handed to the kernel.", {}},
    {kRingCompleted, "portcullis_ring_completed_total", kC, "worker",
     "Completions taken from the ring.", {}},
    {kRingSqFull, "portcullis_ring_submission_queue_full_total", kC, "worker",
     "Times the submission queue was full and had to be submitted early.", {}},
    {kRingCqOverflow, "portcullis_ring_completion_overflows_total", kC, "worker",
     "Turns that found the completion queue overflown.", {}},
    {kRingRecvEnobufs, "portcullis_ring_receive_buffers_exhausted_total", kC, "worker",
     "Receives that found no provided buffer.", {}},
    {kRingRecvPauses, "portcullis_ring_receive_pauses_total", kC, "worker",
     "Times that receiving from one side was paused because the other side was slower.", {}},
    {kRingCancelMisses, "portcullis_ring_cancel_misses_total", kC, "worker",
     "Pauses that did not find the receive they were to cancel; the next bytes try again.", {}},
    {kRingStaleCqes, "portcullis_ring_stale_completions_total", kC, "worker",
     "Completions for a connection that was already gone.", {}},
    {kBuildInfo, "portcullis_build_info", kG, "version,commit,boringssl",
     "Always 1; its labels say what is running.", {}},
    {kWorkers, "portcullis_workers", kG, "",
     "Worker threads.", {}},
    {kConfigReloads, "portcullis_config_reloads_total", kC, "result",
     "Reloads of the configuration (SIGHUP); on failure the old one stays in use.", {}},
    {kConfigLastReloadSuccess, "portcullis_config_last_reload_success_timestamp_seconds", kG, "",
     "When the configuration in use took effect.", {}},
    {kReloadDryRun, "portcullis_reload_dry_run_identities", kG, "result",
     "Clients seen shortly before the last reload, by what its configuration makes of them, taken "
     "or not.", {}},
    {kCertificateNotAfter, "portcullis_certificate_not_after_timestamp_seconds", kG,
     "kind,name,subject,serial",
     "When a certificate in use expires; name is the virtual host (kind server) or the trust "
     "(kind ca).", {}},
    {kStapleNextUpdate, "portcullis_ocsp_staple_next_update_timestamp_seconds", kG,
     "name,subject,serial",
     "Until when the OCSP response of a virtual host's certificate is stapled.", {}},
    {kCrlNextUpdate, "portcullis_crl_next_update_timestamp_seconds", kG, "trust,issuer",
     "When a revocation list in use is due to be replaced.", {}},
    {kProcessCpu, "process_cpu_seconds_total", kC, "",
     "User and system CPU time spent.", {}},
    {kProcessResidentMemory, "process_resident_memory_bytes", kG, "",
     "Resident memory.", {}},
    {kProcessOpenFds, "process_open_fds", kG, "",
     "Open file descriptors.", {}},
    {kProcessMaxFds, "process_max_fds", kG, "",
     "Limit of open file descriptors.", {}},
    {kProcessStartTime, "process_start_time_seconds", kG, "",
     "When the process started, in seconds since the epoch.", {}},
};
// clang-format on

constexpr bool IsInEnumOrder() {
  for (size_t i = 0; i < std::size(kCatalogue); ++i) {
    if (static_cast<size_t>(kCatalogue[i].id) != i) return false;
    if ((kCatalogue[i].type == Type::kHistogram) == kCatalogue[i].bounds_ns.empty()) return false;
  }
  return true;
}
static_assert(std::size(kCatalogue) == kNumMetrics && IsInEnumOrder());

}  // namespace

const MetricInfo& Info(Metric metric) { return kCatalogue[static_cast<size_t>(metric)]; }

std::span<const MetricInfo> Catalogue() { return kCatalogue; }

std::string_view TypeName(Type type) {
  switch (type) {
    case Type::kCounter:
      return "counter";
    case Type::kGauge:
      return "gauge";
    case Type::kHistogram:
      return "histogram";
  }
  return "untyped";
}

std::string CatalogueMarkdown() {
  std::string table = "| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n";
  for (const MetricInfo& info : kCatalogue) {
    const std::string labels =
        info.labels.empty()
            ? ""
            : absl::StrCat("`", absl::StrReplaceAll(std::string(info.labels), {{",", "`, `"}}),
                           "`");
    absl::StrAppend(&table, "| `", std::string(info.name), "` | ", std::string(TypeName(info.type)),
                    " | ", labels, " | ", std::string(info.help), " |\n");
  }
  return table;
}

}  // namespace portcullis::metrics
