// Slab: a worker's connections in fixed chunks that never move, addressed by (slot, generation).
// Find() is the only way from a completion to an object; a stale generation finds nothing. Objects
// are constructed once per chunk and reused: the slab never runs a constructor on the data path.
//
// Owned by a worker; its thread only. T must have `uint32_t slot`, `uint32_t generation` and `T*
// next_free` members.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "io/token.h"

namespace portcullis::io {

template <typename T>
class Slab {
 public:
  static constexpr uint32_t kChunk = 64;

  // `capacity` bounds live objects; memory grows by chunks of 64 as needed and is kept.
  explicit Slab(uint32_t capacity) : capacity_(capacity) {}

  // Take returns a free object with slot and generation set, or null at capacity.
  [[nodiscard]] T* Take() {
    if (live_ == capacity_) return nullptr;
    if (free_ == nullptr) Grow();
    T* object = free_;
    free_ = object->next_free;
    object->next_free = object;  // marks it live
    ++live_;
    return object;
  }

  // Give returns the object and bumps its generation: late completions for it find nothing.
  void Give(T* object) {
    object->generation = (object->generation + 1) & kGenerationMask;
    object->next_free = free_;
    free_ = object;
    --live_;
  }

  [[nodiscard]] T* Find(uint32_t slot, uint32_t generation) {
    T* object = At(slot);
    return object != nullptr && object->next_free == object && object->generation == generation
               ? object
               : nullptr;
  }

  // At returns the object in `slot`, live or not; null when there never was one.
  [[nodiscard]] T* At(uint32_t slot) {
    const uint32_t chunk = slot / kChunk;
    return chunk < chunks_.size() ? &chunks_[chunk][slot % kChunk] : nullptr;
  }

  template <typename F>
  void ForEachLive(F&& f) {
    for (auto& chunk : chunks_) {
      for (uint32_t i = 0; i < kChunk; ++i) {
        if (chunk[i].next_free == &chunk[i]) f(chunk[i]);
      }
    }
  }

  [[nodiscard]] uint32_t live() const { return live_; }
  [[nodiscard]] uint32_t capacity() const { return capacity_; }

 private:
  void Grow() {
    auto chunk = std::make_unique<T[]>(kChunk);
    const auto base = static_cast<uint32_t>(chunks_.size()) * kChunk;
    for (uint32_t i = kChunk; i-- > 0;) {
      chunk[i].slot = base + i;
      chunk[i].generation = 1;
      chunk[i].next_free = free_;
      free_ = &chunk[i];
    }
    chunks_.push_back(std::move(chunk));
  }

  std::vector<std::unique_ptr<T[]>> chunks_;
  T* free_ = nullptr;
  uint32_t capacity_;
  uint32_t live_ = 0;
};

}  // namespace portcullis::io
