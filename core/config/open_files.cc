#include "core/config/open_files.h"

#include <algorithm>

#include "core/config/text.h"

namespace portcullis::config {
namespace {

// Logs, the admin port and its clients, timers and wake-ups, standard streams.
constexpr uint64_t kSpare = 64;
// A ring, its inbox, and what it takes to set one up.
constexpr uint64_t kOfWorker = 4;
// While a reload moves a listener, its old socket and its new one are open.
constexpr uint64_t kOfListener = 2;
// Questions to OCSP responders under way at a time (core/ocsp/fetcher.h).
constexpr uint64_t kOcspQuestions = 1024;

uint64_t Kept(const Config& config, uint64_t workers) {
  uint64_t kept = 0;
  for (const Backend& backend : config.backends) {
    kept += workers * backend.targets.size() * backend.max_idle_per_target;
  }
  // Each was a client's once, and workers keep no more of them than they may have clients.
  return std::min<uint64_t>(kept, config.limits.max_connections);
}

uint64_t BesidesConnections(const Config& config, uint64_t workers) {
  const bool asks = std::any_of(config.trusts.begin(), config.trusts.end(), [](const Trust& trust) {
    return trust.ocsp.mode != tls::OcspMode::kOff;
  });
  return kSpare + workers * (kOfWorker + kOfListener * config.listeners.size()) +
         Kept(config, workers) + (asks ? kOcspQuestions : 0);
}

}  // namespace

uint64_t OpenFilesNeeded(const Config& config, uint32_t workers) {
  return 2 * uint64_t{config.limits.max_connections} + BesidesConnections(config, workers);
}

std::string OpenFilesRemedy(const Config& config, uint32_t workers, uint64_t limit) {
  const uint64_t needed = OpenFilesNeeded(config, workers);
  if (limit >= needed) return "";
  const uint64_t besides = BesidesConnections(config, workers);
  const uint64_t fits = limit <= besides ? 0 : (limit - besides) / 2;
  return Concat("set LimitNOFILE=", needed, " (systemd), --ulimit nofile=", needed,
                " (containers) or ulimit -Hn ", needed, "; or limits.max_connections: ", fits);
}

}  // namespace portcullis::config
