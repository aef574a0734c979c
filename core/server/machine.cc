#include "core/server/machine.h"

#include <malloc.h>

#include <string>

#include "absl/strings/str_cat.h"

#include "core/config/open_files.h"
#include "core/log/operator_log.h"
#include "io/open_files.h"

namespace portcullis::server {

absl::Status CheckMachine() { return StatusOf(io::Probe()); }

absl::Status StatusOf(const io::ProbeReport& report) {
  if (report.ok()) return absl::OkStatus();
  std::string message = "this machine cannot serve:";
  for (const io::ProbeCheck& check : report.checks) {
    if (check.ok || !check.required) continue;
    absl::StrAppend(&message, "\n", check.name, ": ", check.detail, ". ", check.remedy);
  }
  return absl::FailedPreconditionError(message);
}

void RaiseOpenFiles(const config::Config& config, uint32_t workers) {
  const uint64_t needed = config::OpenFilesNeeded(config, workers);
  const io::OpenFileLimit limit = io::RaiseOpenFileLimit(needed);
  io::ReserveOpenFiles(needed);
  const std::string remedy = config::OpenFilesRemedy(config, workers, limit.soft);
  if (remedy.empty()) return;
  log::Warn(absl::StrCat("open files: the limit is ", limit.soft, ", and ",
                         config.limits.max_connections, " connections need ", needed, ": ",
                         remedy));
}

void KeepBigBuffersOffTheHeap() {
  constexpr int kBig = 1 << 20;
  // Setting it also ends its adapting itself to what is freed, and with it that of the size which
  // the end of a heap must have to be given back: not with every few handshakes that end together.
  // Other allocators ignore both.
  mallopt(M_MMAP_THRESHOLD, kBig);
  mallopt(M_TRIM_THRESHOLD, 8 * kBig);
}

}  // namespace portcullis::server
