// Dry run: what a configuration about to take effect would make of the clients seen recently, so
// that a CA dropped by mistake shows before its clients are turned away. The supervisor's thread.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "absl/status/status.h"

#include "core/config/config.h"
#include "core/connection/seen_clients.h"
#include "core/server/snapshot.h"
#include "tls/rejection.h"

namespace portcullis::server {

// No more clients than this are judged, and no longer: a reload should not wait for the last of
// them. What is not reached is left out of every figure.
inline constexpr size_t kDryRunClients = 4096;
inline constexpr std::chrono::milliseconds kDryRunTime{2000};

struct DryRun {
  size_t seen = 0;     // clients whom the configuration in force lets in
  size_t refused = 0;  // those of them whom the new one would not
  std::array<size_t, tls::kNumRejections> reasons{};  // of the refused
  bool complete = true;                               // false: a bound was met
};

// TryOut judges `clients`, as workers remember them, at `now` (seconds since the epoch) under each
// virtual host of `before` that lets them in, and then under the hosts of `after` that they would
// get by its server names (as live connections are judged, core/connection/lapse.h; of a name that
// a new host takes out of an old wildcard it knows nothing). A client whom any of these would
// refuse counts as refused, once, however often it was seen: nobody remembers which hosts it spoke
// to. One that was only seen to resume is judged by what its ticket said. A host that is gone, or
// asks for no certificate any more, refuses nobody; nor does one that cannot be made, which fails
// the reload by itself.
[[nodiscard]] DryRun TryOut(const Snapshot& before, const Snapshot& after,
                            std::span<const connection::SeenClient> clients, int64_t now,
                            std::chrono::milliseconds limit = kDryRunTime);

// Describe returns e.g. "of 4101 clients seen recently the new trust would refuse 312: revoked 300,
// unknown_ca 12", the most frequent reason first.
[[nodiscard]] std::string Describe(const DryRun& dry_run);

// CheckBound returns FailedPrecondition, with the figures and the bound, when more would be refused
// than `bound` allows.
[[nodiscard]] absl::Status CheckBound(const DryRun& dry_run, const config::Reload& bound);

}  // namespace portcullis::server
