#include "metrics/shard_set.h"

#include <string>
#include <utility>

#include "metrics/check.h"

namespace portcullis::metrics {

ShardSet::ShardSet(size_t num_workers, Reasons reasons) : reasons_(std::move(reasons)) {
  METRICS_CHECK(!reasons_.empty() && reasons_.size() <= kMaxReasons);
  shards_.reserve(num_workers);
  for (size_t i = 0; i < num_workers; ++i) shards_.push_back(std::make_unique<WorkerShard>());
}

absl::StatusOr<size_t> ShardSet::AddListener(std::string_view name) {
  const absl::StatusOr<size_t> id = listeners_.IdOf(name);
  if (!id.ok()) return id;
  for (const auto& shard : shards_) shard->AddListener(*id);
  return id;
}

absl::StatusOr<size_t> ShardSet::AddBackend(std::string_view name) {
  const absl::StatusOr<size_t> id = backends_.IdOf(name);
  if (!id.ok()) return id;
  for (const auto& shard : shards_) shard->AddBackend(*id);
  return id;
}

Snapshot ShardSet::Take() const {
  Snapshot snapshot;
  for (std::string& name : listeners_.Names())
    snapshot.listeners.emplace_back().name = std::move(name);
  for (std::string& name : backends_.Names())
    snapshot.backends.emplace_back().name = std::move(name);
  for (const auto& shard : shards_) snapshot.MergeWorker(*shard);
  return snapshot;
}

}  // namespace portcullis::metrics
