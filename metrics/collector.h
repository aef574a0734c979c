// Collector: the shards and the facts as prometheus-cpp metric families, exactly those of the
// catalogue. Called by the admin threads, several at once if need be; holds no state between calls
// and waits for no worker. Owned by the supervisor and shared with the admin server; the ShardSet
// and Facts must outlive it.
#pragma once

#include <prometheus/collectable.h>

#include <vector>

#include "metrics/counter.h"
#include "metrics/facts.h"
#include "metrics/shard_set.h"

namespace portcullis::metrics {

class Collector : public prometheus::Collectable {
 public:
  // `log_lines_lost` is counted by the connection log's thread; null: 0. Must outlive this, like
  // the others.
  Collector(const ShardSet& shards, const Facts& facts, const Counter* log_lines_lost)
      : shards_(shards), facts_(facts), log_lines_lost_(log_lines_lost) {}

  // Collect returns every family of the catalogue, in its order, also those without a series yet.
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const ShardSet& shards_;
  const Facts& facts_;
  const Counter* const log_lines_lost_;
};

}  // namespace portcullis::metrics
