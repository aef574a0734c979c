#include "metrics/shard.h"

#include "metrics/check.h"

namespace portcullis::metrics {
namespace {

template <typename T, size_t N>
void AddPart(std::array<std::atomic<T*>, N>& parts, size_t id) {
  METRICS_CHECK(id < N);
  if (parts[id].load(std::memory_order_relaxed) != nullptr) return;
  // Release: whoever finds the pointer finds the zeros behind it.
  parts[id].store(std::make_unique<T>().release(), std::memory_order_release);
}

template <typename T, size_t N>
const T* FindPart(const std::array<std::atomic<T*>, N>& parts, size_t id) {
  return id < N ? parts[id].load(std::memory_order_acquire) : nullptr;
}

template <typename T, size_t N>
void FreeParts(std::array<std::atomic<T*>, N>& parts) {
  for (std::atomic<T*>& part : parts) delete part.load(std::memory_order_acquire);
}

}  // namespace

static_assert(sizeof(ListenerShard) % kCacheLine == 0 && sizeof(BackendShard) % kCacheLine == 0 &&
                  sizeof(WorkerShard) % kCacheLine == 0,
              "a neighbour on the heap must not share a shard's last line");

WorkerShard::WorkerShard() = default;

WorkerShard::~WorkerShard() {
  FreeParts(listeners_);
  FreeParts(backends_);
}

const ListenerShard* WorkerShard::FindListener(size_t id) const { return FindPart(listeners_, id); }
const BackendShard* WorkerShard::FindBackend(size_t id) const { return FindPart(backends_, id); }
void WorkerShard::AddListener(size_t id) { AddPart(listeners_, id); }
void WorkerShard::AddBackend(size_t id) { AddPart(backends_, id); }

}  // namespace portcullis::metrics
