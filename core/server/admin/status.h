// Status: the body of /status, what is running at a glance, for people and scripts; Prometheus has
// /metrics. Pure functions over snapshots, any thread but a worker's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/server/admin/readiness.h"
#include "metrics/facts.h"
#include "metrics/snapshot.h"

namespace portcullis::server {

// A listener in the config now in use.
struct ListenerAddress {
  std::string name;
  std::string address;  // as bound: "0.0.0.0:8443"
};

// StatusJson renders /status. `now` in seconds since the epoch. Listeners are those of `addresses`,
// with their numbers from `snapshot`.
[[nodiscard]] std::string StatusJson(Readiness readiness, const metrics::FactsSnapshot& facts,
                                     const metrics::Snapshot& snapshot,
                                     const std::vector<ListenerAddress>& addresses, int64_t now);

}  // namespace portcullis::server
