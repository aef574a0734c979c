#include "io/buffer_ring.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "io/check.h"
#include "io/poison.h"

namespace portcullis::io {
namespace {

// The kernel's ABI: an array of io_uring_buf whose first entry's spare field is the tail. Written
// here by hand, since liburing's helpers differ between versions and its flexible array between C
// and C++.
static_assert(sizeof(io_uring_buf) == 16);
static_assert(offsetof(io_uring_buf, resv) == 14);

size_t EntryBytes(uint16_t entries) { return size_t{entries} * sizeof(io_uring_buf); }

// After so many rounds through the whole group without want, half the window must be enough.
constexpr uint32_t kRoundsToNarrow = 64;

void* MapPages(size_t bytes, int more_flags) {
  void* memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | more_flags, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

}  // namespace

absl::StatusOr<std::unique_ptr<BufferRing>> BufferRing::Create(Ring& ring, uint16_t group,
                                                               uint16_t entries,
                                                               uint32_t buffer_bytes,
                                                               uint16_t window) {
  if (!std::has_single_bit(entries) || entries > 32768 || buffer_bytes == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "buffer group ", group, ": ", entries, " buffers of ", buffer_bytes,
        " bytes: the number must be a power of two, at most 32768, of at least 1 byte"));
  }
  std::unique_ptr<BufferRing> buffers(
      new BufferRing(ring, group, entries, buffer_bytes,
                     window == 0 ? entries : std::min<uint16_t>(window, entries)));
  buffers->entries_memory_ =
      static_cast<io_uring_buf*>(MapPages(EntryBytes(entries), MAP_POPULATE));
  buffers->memory_ = static_cast<uint8_t*>(MapPages(size_t{entries} * buffer_bytes, MAP_NORESERVE));
  if (buffers->entries_memory_ == nullptr || buffers->memory_ == nullptr) {
    return absl::ResourceExhaustedError(absl::StrCat("no memory for buffer group ", group, " (",
                                                     size_t{entries} * buffer_bytes, " bytes)"));
  }
  auto* shared = reinterpret_cast<io_uring_buf_ring*>(buffers->entries_memory_);
  const int result = ring.RegisterBufferRing(shared, entries, group);
  if (result < 0) {
    return absl::InternalError(absl::StrCat("the kernel refused buffer group ", group, " of ",
                                            entries, " entries: ", std::strerror(-result)));
  }
  buffers->registered_ = true;
  buffers->reserve_.reserve(entries);
  for (uint16_t id = 0; id < entries; ++id) {
    Poison(buffers->memory_ + size_t{id} * buffer_bytes, buffer_bytes);
    buffers->reserve_.push_back(static_cast<uint16_t>(entries - 1 - id));
  }
  buffers->available_ = entries;
  while (buffers->given_ < buffers->window_) {
    buffers->Give(buffers->reserve_.back());
    buffers->reserve_.pop_back();
  }
  return buffers;
}

BufferRing::BufferRing(Ring& ring, uint16_t group, uint16_t entries, uint32_t buffer_bytes,
                       uint16_t window)
    : ring_(ring),
      group_(group),
      entries_(entries),
      window_(window),
      least_window_(window),
      buffer_bytes_(buffer_bytes) {}

BufferRing::~BufferRing() {
  if (registered_) ring_.UnregisterBufferRing(group_);
  if (entries_memory_ != nullptr) munmap(entries_memory_, EntryBytes(entries_));
  if (memory_ == nullptr) return;
  Unpoison(memory_, size_t{entries_} * buffer_bytes_);
  munmap(memory_, size_t{entries_} * buffer_bytes_);
}

std::span<const uint8_t> BufferRing::Filled(uint16_t id, size_t length) {
  CHECK(id < entries_ && length <= buffer_bytes_, "a completion names a buffer outside its group");
  CHECK(given_ > 0, "more buffers filled than were given");
  --given_;
  --available_;
  const uint8_t* data = memory_ + size_t{id} * buffer_bytes_;
  Unpoison(data, length);
  return {data, length};
}

void BufferRing::Recycle(uint16_t id) {
  DCHECK(id < entries_ && available_ < entries_, "a buffer was given back twice");
  Poison(memory_ + size_t{id} * buffer_bytes_, buffer_bytes_);
  ++available_;
  if (window_ > least_window_ && ++recycled_ >= kRoundsToNarrow * entries_) {
    recycled_ = 0;
    window_ = std::max<uint16_t>(window_ / 2, least_window_);
  }
  if (given_ < window_) {
    Give(id);
  } else {
    reserve_.push_back(id);
  }
}

void BufferRing::Widen() {
  recycled_ = 0;
  window_ = static_cast<uint16_t>(std::min<uint32_t>(uint32_t{window_} * 2, entries_));
  while (given_ < window_ && !reserve_.empty()) {
    Give(reserve_.back());
    reserve_.pop_back();
  }
}

void BufferRing::Give(uint16_t id) {
  uint8_t* data = memory_ + size_t{id} * buffer_bytes_;
  io_uring_buf& entry = entries_memory_[tail_ & (entries_ - 1)];
  entry.addr = reinterpret_cast<uintptr_t>(data);
  entry.len = buffer_bytes_;
  entry.bid = id;
  ++tail_;
  // Entry 0's spare field is the tail that the kernel reads; it must see the entry first.
  std::atomic_ref<uint16_t>(entries_memory_[0].resv).store(tail_, std::memory_order_release);
  ++given_;
}

}  // namespace portcullis::io
