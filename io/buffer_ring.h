// BufferRing: one group of provided buffers for multishot receives, and the lease that gives a
// buffer back.
//
// Buffers are consumed in the turn in which their completion is seen: the dispatcher takes a
// BufferLease before it looks anything up, and the lease recycles when that completion's dispatch
// ends, live slot or dead. Owned by a worker, its thread only. Under ASan a buffer is poisoned
// while the kernel owns it.
//
// The kernel takes buffers in the order in which they were given. So that it does not walk through
// the whole group, through memory that has left the caches since, it is given no more than a window
// of them: those used last, while the others wait in reserve. The window widens when the kernel
// finds it empty, and narrows again after a long time without.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "io/ring.h"

namespace portcullis::io {

class BufferRing {
 public:
  // Create maps `entries` (a power of two) buffers of `buffer_bytes` and registers them as `group`.
  // Memory is taken when a buffer is first used. `window` buffers are given to the kernel at first
  // and at least; 0 or more than `entries`: all of them, always.
  static absl::StatusOr<std::unique_ptr<BufferRing>> Create(Ring& ring, uint16_t group,
                                                            uint16_t entries, uint32_t buffer_bytes,
                                                            uint16_t window = 0);
  ~BufferRing();
  BufferRing(const BufferRing&) = delete;
  BufferRing& operator=(const BufferRing&) = delete;

  [[nodiscard]] uint16_t group() const { return group_; }
  [[nodiscard]] uint16_t entries() const { return entries_; }
  // available: buffers in reserve, or which the kernel holds and has not reported filled, as far as
  // this thread has seen.
  [[nodiscard]] uint16_t available() const { return available_; }
  [[nodiscard]] uint16_t window() const { return window_; }
  // Widen doubles the window: the kernel found no buffer for a receive.
  void Widen();

 private:
  friend class BufferLease;
  BufferRing(Ring& ring, uint16_t group, uint16_t entries, uint32_t buffer_bytes, uint16_t window);
  [[nodiscard]] std::span<const uint8_t> Filled(uint16_t id, size_t length);
  void Recycle(uint16_t id);
  void Give(uint16_t id);

  Ring& ring_;
  uint16_t group_;
  uint16_t entries_;
  uint16_t window_;
  uint16_t least_window_;
  uint16_t available_ = 0;
  uint16_t given_ = 0;  // with the kernel
  uint16_t tail_ = 0;   // ours; its copy in entry 0 is what the kernel reads
  uint32_t buffer_bytes_;
  bool registered_ = false;
  uint32_t recycled_ = 0;                   // since the window changed, or would have
  std::vector<uint16_t> reserve_;           // last in, first out
  io_uring_buf* entries_memory_ = nullptr;  // the io_uring_buf_ring shared with the kernel
  uint8_t* memory_ = nullptr;
};

class BufferLease {
 public:
  // Takes the buffer that `cqe` carries; empty when it carries none.
  BufferLease(BufferRing& buffers, const Cqe& cqe) {
    if (!cqe.has_buffer()) return;
    buffers_ = &buffers;
    id_ = cqe.buffer_id();
    bytes_ = buffers.Filled(id_, cqe.res > 0 ? static_cast<size_t>(cqe.res) : 0);
  }
  ~BufferLease() {
    if (buffers_ != nullptr) buffers_->Recycle(id_);
  }
  BufferLease(const BufferLease&) = delete;
  BufferLease& operator=(const BufferLease&) = delete;
  [[nodiscard]] std::span<const uint8_t> bytes() const { return bytes_; }

 private:
  BufferRing* buffers_ = nullptr;
  uint16_t id_ = 0;
  std::span<const uint8_t> bytes_;
};

}  // namespace portcullis::io
