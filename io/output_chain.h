// OutputChain: bytes on their way to a socket, in blocks that never move, so that the kernel can
// read one part while the owner appends behind it. BlockPool recycles the blocks of one worker.
//
// Owned by a Stream; that worker's thread only. Knows no descriptor: it prepares operands and is
// told what was sent.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace portcullis::io {

inline constexpr size_t kBlockBytes =
    17 * 1024;  // one full TLS record (16,384 + overhead) and slack
inline constexpr size_t kMaxIovecs = 8;

struct Block;

// A free list of blocks with a low-water mark: memory beyond it goes back to the allocator.
class BlockPool {
 public:
  explicit BlockPool(size_t keep_blocks);
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  [[nodiscard]] Block* Take();  // never null
  void Give(Block* block);
  [[nodiscard]] size_t blocks_in_use() const { return in_use_; }

 private:
  Block* free_ = nullptr;
  size_t num_free_ = 0;
  size_t keep_ = 0;
  size_t in_use_ = 0;
};

// Operands of one send of several pieces, kept in the stream until its completion.
struct SendOperands {
  std::array<iovec, kMaxIovecs> iov{};
  msghdr message{};
};

class OutputChain {
 public:
  OutputChain() = default;
  ~OutputChain();  // CHECKs that it is empty: blocks belong to a pool and go back by Clear()
  OutputChain(const OutputChain&) = delete;
  OutputChain& operator=(const OutputChain&) = delete;

  void Append(BlockPool& pool, std::span<const uint8_t> bytes);
  // Reserve returns writable space at the tail, at least `min_bytes` (<= kBlockBytes), contiguous;
  // Commit says how much of it was used. No other call in between.
  [[nodiscard]] std::span<uint8_t> Reserve(BlockPool& pool, size_t min_bytes);
  void Commit(size_t bytes);

  [[nodiscard]] size_t size() const { return size_; }  // bytes not yet reported sent
  [[nodiscard]] bool empty() const { return size_ == 0; }

  // Front returns the first piece; empty when there is nothing to send.
  [[nodiscard]] std::span<const uint8_t> Front() const;
  // Prepare fills `operands` with up to kMaxIovecs pieces from the front. Returns the number of
  // pieces.
  size_t Prepare(SendOperands& operands) const;
  // Consume drops `bytes` (<= size()) from the front, returning emptied blocks.
  void Consume(BlockPool& pool, size_t bytes);
  void Clear(BlockPool& pool);

 private:
  Block* head_ = nullptr;
  Block* tail_ = nullptr;
  size_t size_ = 0;
};

}  // namespace portcullis::io
