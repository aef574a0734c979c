// Collector: the shards and the facts as prometheus-cpp metric families, exactly those of the
// catalogue. Called by the admin threads, several at once if need be; holds no state between calls
// and waits for no worker. Owned by the supervisor and shared with the admin server; the ShardSet
// and Facts must outlive it.
#pragma once

#include <prometheus/collectable.h>

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "metrics/facts.h"
#include "metrics/shard_set.h"

namespace portcullis::metrics {

class Collector : public prometheus::Collectable {
 public:
  // `log_lines_lost` returns a total kept elsewhere (the connection log's), from any thread; may be
  // empty.
  Collector(const ShardSet& shards, const Facts& facts,
            std::function<uint64_t()> log_lines_lost = {})
      : shards_(shards), facts_(facts), log_lines_lost_(std::move(log_lines_lost)) {}

  // Collect returns every family of the catalogue, in its order, also those without a series yet.
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const ShardSet& shards_;
  const Facts& facts_;
  const std::function<uint64_t()> log_lines_lost_;
};

}  // namespace portcullis::metrics
