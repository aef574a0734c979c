// BufferRing: one group of provided buffers for multishot receives, and the lease that gives a
// buffer back.
//
// Buffers are consumed in the turn in which their completion is seen: the dispatcher takes a
// BufferLease before it looks anything up, and the lease recycles when that completion's dispatch
// ends, live slot or dead. Owned by a worker, its thread only. Under ASan a buffer is poisoned
// while the kernel owns it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/statusor.h"

#include "io/ring.h"

namespace portcullis::io {

class BufferRing {
 public:
  // Create maps `entries` (a power of two) buffers of `buffer_bytes` and registers them as `group`.
  static absl::StatusOr<std::unique_ptr<BufferRing>> Create(Ring& ring, uint16_t group,
                                                            uint16_t entries,
                                                            uint32_t buffer_bytes);
  ~BufferRing();
  BufferRing(const BufferRing&) = delete;
  BufferRing& operator=(const BufferRing&) = delete;

  [[nodiscard]] uint16_t group() const { return group_; }
  [[nodiscard]] uint16_t entries() const { return entries_; }
  // available: buffers that the kernel holds and has not reported filled, as far as this thread has
  // seen.
  [[nodiscard]] uint16_t available() const { return available_; }

 private:
  friend class BufferLease;
  BufferRing(Ring& ring, uint16_t group, uint16_t entries, uint32_t buffer_bytes);
  [[nodiscard]] std::span<const uint8_t> Filled(uint16_t id, size_t length);
  void Recycle(uint16_t id);

  Ring& ring_;
  uint16_t group_;
  uint16_t entries_;
  uint16_t available_ = 0;
  uint16_t tail_ = 0;  // ours; its copy in entry 0 is what the kernel reads
  uint32_t buffer_bytes_;
  bool registered_ = false;
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
