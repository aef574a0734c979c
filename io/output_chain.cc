#include "io/output_chain.h"

#include <algorithm>
#include <cstring>

#include "io/check.h"
#include "io/poison.h"

namespace portcullis::io {

struct Block {
  Block* next = nullptr;
  size_t begin = 0;  // sent up to here
  size_t end = 0;    // written up to here
  uint8_t data[kBlockBytes];

  [[nodiscard]] size_t room() const { return kBlockBytes - end; }
  [[nodiscard]] size_t pending() const { return end - begin; }
};

BlockPool::BlockPool(size_t keep_blocks) : keep_(keep_blocks) {}

BlockPool::~BlockPool() {
  CHECK(in_use_ == 0, "a block outlives its pool");
  while (free_ != nullptr) {
    Block* next = free_->next;
    Unpoison(free_->data, kBlockBytes);
    delete free_;
    free_ = next;
  }
}

Block* BlockPool::Take() {
  ++in_use_;
  if (free_ == nullptr) return new Block;
  Block* block = free_;
  free_ = block->next;
  --num_free_;
  Unpoison(block->data, kBlockBytes);
  block->next = nullptr;
  block->begin = block->end = 0;
  return block;
}

void BlockPool::Give(Block* block) {
  CHECK(in_use_ > 0, "a block was given back twice");
  --in_use_;
  if (num_free_ >= keep_) {
    delete block;
    return;
  }
  Poison(block->data, kBlockBytes);
  block->next = free_;
  free_ = block;
  ++num_free_;
}

OutputChain::~OutputChain() { CHECK(head_ == nullptr, "an output chain still holds blocks"); }

void OutputChain::Append(BlockPool& pool, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const std::span<uint8_t> room = Reserve(pool, 1);
    const size_t part = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), part);
    Commit(part);
    bytes = bytes.subspan(part);
  }
}

std::span<uint8_t> OutputChain::Reserve(BlockPool& pool, size_t min_bytes) {
  CHECK(min_bytes <= kBlockBytes, "a reservation larger than a block");
  if (tail_ == nullptr || tail_->room() < std::max<size_t>(min_bytes, 1)) {
    Block* block = pool.Take();
    (tail_ == nullptr ? head_ : tail_->next) = block;
    tail_ = block;
  }
  return {tail_->data + tail_->end, tail_->room()};
}

void OutputChain::Commit(size_t bytes) {
  if (bytes == 0) return;
  CHECK(tail_ != nullptr && bytes <= tail_->room(), "more committed than was reserved");
  tail_->end += bytes;
  size_ += bytes;
}

std::span<const uint8_t> OutputChain::Front() const {
  const Block* block = head_;
  while (block != nullptr && block->pending() == 0) block = block->next;
  if (block == nullptr) return {};
  return {block->data + block->begin, block->pending()};
}

size_t OutputChain::Prepare(SendOperands& operands) const {
  size_t pieces = 0;
  for (Block* block = head_; block != nullptr && pieces < kMaxIovecs; block = block->next) {
    if (block->pending() == 0) continue;
    operands.iov[pieces++] = {.iov_base = block->data + block->begin, .iov_len = block->pending()};
  }
  operands.message = {};
  operands.message.msg_iov = operands.iov.data();
  operands.message.msg_iovlen = pieces;
  return pieces;
}

void OutputChain::Consume(BlockPool& pool, size_t bytes) {
  CHECK(bytes <= size_, "more reported sent than was there");
  size_ -= bytes;
  while (head_ != nullptr) {
    const size_t part = std::min(bytes, head_->pending());
    head_->begin += part;
    bytes -= part;
    if (head_->pending() > 0) break;
    Block* next = head_->next;
    pool.Give(head_);
    head_ = next;
  }
  if (head_ == nullptr) tail_ = nullptr;
}

void OutputChain::Clear(BlockPool& pool) { Consume(pool, size_); }

}  // namespace portcullis::io
