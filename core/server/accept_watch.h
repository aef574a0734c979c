// AcceptWatch: notices that workers could not accept connections, so that whoever runs the service
// reads of it. Workers count such failures (for out of descriptors they try again ten times a
// second) and say nothing, since saying may mean waiting. The supervisor's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "metrics/shard_set.h"

namespace portcullis::server {

class AcceptWatch {
 public:
  static constexpr std::chrono::seconds kTellEvery{60};

  // Look returns what there is to say: nothing while no accept has failed since it was last said,
  // nor within kTellEvery of that.
  [[nodiscard]] std::optional<std::string> Look(metrics::ShardSet& shards,
                                                std::chrono::steady_clock::time_point now);

 private:
  uint64_t failures_told_ = 0;
  std::optional<std::chrono::steady_clock::time_point> last_told_;
};

}  // namespace portcullis::server
