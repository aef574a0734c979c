#include "metrics/facts.h"

#include <utility>

namespace portcullis::metrics {

Facts::Facts(Build build, size_t num_workers, int64_t start_time) {
  facts_.build = std::move(build);
  facts_.num_workers = num_workers;
  facts_.start_time = start_time;
}

void Facts::RecordLoad(int64_t now) {
  const std::lock_guard lock(mutex_);
  facts_.last_reload_success = now;
}

void Facts::RecordReload(int64_t now, std::string error) {
  const std::lock_guard lock(mutex_);
  if (error.empty()) {
    ++facts_.reloads_ok;
    facts_.last_reload_success = now;
  } else {
    ++facts_.reloads_failed;
  }
  facts_.last_reload_error = std::move(error);
}

void Facts::RecordDryRun(const DryRunFact& dry_run) {
  const std::lock_guard lock(mutex_);
  facts_.dry_run = dry_run;
}

void Facts::SetCertificates(std::vector<CertificateFact> certificates) {
  const std::lock_guard lock(mutex_);
  facts_.certificates = std::move(certificates);
}

void Facts::SetCrls(std::vector<CrlFact> crls) {
  const std::lock_guard lock(mutex_);
  facts_.crls = std::move(crls);
}

FactsSnapshot Facts::Take() const {
  const std::lock_guard lock(mutex_);
  return facts_;
}

}  // namespace portcullis::metrics
