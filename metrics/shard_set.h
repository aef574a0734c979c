// ShardSet: the shards of all workers, and the ids by which they count for listeners and backends.
// Owned by the supervisor, made before the first worker starts and freed after the last has ended.
// The supervisor's thread adds names; a worker touches its own shard only; any thread may take a
// snapshot.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "metrics/name_table.h"
#include "metrics/schema.h"
#include "metrics/shard.h"
#include "metrics/snapshot.h"

namespace portcullis::metrics {

class ShardSet {
 public:
  // `reasons` are those a client can be refused for, [0] being "none"; at least 1 and at most
  // kMaxReasons of them.
  ShardSet(size_t num_workers, Reasons reasons);
  ShardSet(const ShardSet&) = delete;
  ShardSet& operator=(const ShardSet&) = delete;

  // shard returns the shard of worker `index`, valid as long as this lives.
  [[nodiscard]] WorkerShard& shard(size_t index) { return *shards_.at(index); }
  [[nodiscard]] size_t num_workers() const { return shards_.size(); }
  [[nodiscard]] const Reasons& reasons() const { return reasons_; }

  // AddListener and AddBackend return the id to count under for a name, making room for it in every
  // shard. To be called when a config snapshot is built, before workers see it. ResourceExhausted
  // after kMaxListeners or kMaxBackends different names. The supervisor's thread only.
  [[nodiscard]] absl::StatusOr<size_t> AddListener(std::string_view name);
  [[nodiscard]] absl::StatusOr<size_t> AddBackend(std::string_view name);

  // Take merges all shards. Any thread; waits for no worker.
  [[nodiscard]] Snapshot Take() const;

 private:
  const Reasons reasons_;
  std::vector<std::unique_ptr<WorkerShard>> shards_;
  NameTable listeners_{"listener", kMaxListeners};
  NameTable backends_{"backend", kMaxBackends};
};

}  // namespace portcullis::metrics
