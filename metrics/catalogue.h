// Catalogue: the one table of every metric: name, type, labels, help, bounds. The collector exports
// exactly these, the README's table is made from it, tests and dashboards are checked against it.
// Constant data, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace portcullis::metrics {

enum class Metric : uint8_t {
  kHandshakeDuration,
  kHandshakeRejections,
  kHandshakesInProgress,
  kChainVerdicts,
  kConnectionsAccepted,
  kAcceptFailures,
  kActiveConnections,
  kConnectionsLapsed,
  kResumptionsRefused,
  kBytes,
  kRequests,
  kRequestDuration,
  kBackendConnects,
  kBackendConnectDuration,
  kBackendActiveConnections,
  kBackendIdleConnections,
  kWorkerAccepted,
  kWorkerActiveConnections,
  kWorkerBusy,
  kWorkerTurnDuration,
  kWorkerConnectionSlots,
  kWorkerBlocks,
  kWorkerTimerFires,
  kWorkerLogLinesDropped,
  kVerdictCacheHits,
  kVerdictCacheMisses,
  kVerdictCacheEvictions,
  kVerdictCacheEntries,
  kOcspFetchDuration,
  kOcspCacheHits,
  kPrivateKeyOperations,
  kHelperSignatureDuration,
  kLogLinesLost,
  kRingEnters,
  kRingSubmitted,
  kRingCompleted,
  kRingSqFull,
  kRingCqOverflow,
  kRingRecvEnobufs,
  kRingRecvPauses,
  kRingCancelMisses,
  kRingStaleCqes,
  kBuildInfo,
  kWorkers,
  kConfigReloads,
  kConfigLastReloadSuccess,
  kReloadDryRun,
  kCertificateNotAfter,
  kStapleNextUpdate,
  kCrlNextUpdate,
  kProcessCpu,
  kProcessResidentMemory,
  kProcessOpenFds,
  kProcessMaxFds,
  kProcessStartTime,
};

inline constexpr size_t kNumMetrics = static_cast<size_t>(Metric::kProcessStartTime) + 1;

enum class Type : uint8_t { kCounter, kGauge, kHistogram };

struct MetricInfo {
  Metric id;
  std::string_view name;
  Type type;
  std::string_view labels;  // comma-separated, in the order they are exported; may be empty
  std::string_view help;
  std::span<const uint64_t>
      bounds_ns;  // histograms: upper bounds in nanoseconds, each an edge of the buckets
};

// Info returns the row of `metric`.
[[nodiscard]] const MetricInfo& Info(Metric metric);

// Catalogue returns all rows, in the order of the enum.
[[nodiscard]] std::span<const MetricInfo> Catalogue();

// TypeName returns "counter", "gauge" or "histogram".
[[nodiscard]] std::string_view TypeName(Type type);

// CatalogueMarkdown returns the catalogue as a table in Markdown, one row a metric, ending in a
// line feed.
[[nodiscard]] std::string CatalogueMarkdown();

}  // namespace portcullis::metrics
