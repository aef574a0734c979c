#include "core/log/log_ring.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "io/check.h"

namespace portcullis::log {

LogRing::LogRing(size_t capacity, int wake_fd, Wanted wanted)
    : capacity_(capacity),
      wake_fd_(wake_fd),
      wanted_(wanted),
      bytes_(wanted != Wanted::kNone ? std::make_unique<char[]>(capacity) : nullptr) {
  CHECK(std::has_single_bit(capacity) && capacity >= kMaxLineBytes);
}

bool LogRing::Write(const ConnectionRecord& record) {
  if (!Wants(record.event)) return true;
  const size_t length = RenderRecord(record, line_);
  full_ = !Queue({line_.data(), length});
  if (full_) CountDropped();
  return !full_;
}

LogRing::Fate LogRing::Ask(Event event) {
  if (!Wants(event)) return Fate::kUnwanted;
  if (!full_ || head_.load(std::memory_order_relaxed) != head_seen_) return Fate::kWritten;
  CountDropped();
  return Fate::kNoRoom;
}

void LogRing::CountDropped() {
  dropped_.store(dropped_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

bool LogRing::Queue(std::string_view line) {
  const uint64_t tail = tail_.load(std::memory_order_relaxed);
  const uint64_t before = tail - head_seen_;
  // Half full by what was last seen of head: look again, which also tells how full it really is.
  const bool look = before + line.size() > capacity_ / 2;
  if (look) head_seen_ = head_.load(std::memory_order_acquire);
  if (tail - head_seen_ + line.size() > capacity_) return false;
  const size_t at = tail % capacity_;
  const size_t to_end = std::min(line.size(), capacity_ - at);
  std::memcpy(bytes_.get() + at, line.data(), to_end);
  std::memcpy(bytes_.get(), line.data() + to_end, line.size() - to_end);
  tail_.store(tail + line.size(), std::memory_order_release);
  const bool crossed =
      tail - head_seen_ <= capacity_ / 2 && tail + line.size() - head_seen_ > capacity_ / 2;
  if (crossed && wake_fd_ >= 0) {
    // Non-blocking; a full eventfd is readable anyway.
    [[maybe_unused]] const int ignored = eventfd_write(wake_fd_, 1);
  }
  return true;
}

LogRing::Pieces LogRing::Readable() const {
  const uint64_t head = head_.load(std::memory_order_relaxed);
  const size_t size = tail_.load(std::memory_order_acquire) - head;
  const size_t at = head % capacity_;
  const size_t to_end = std::min(size, capacity_ - at);
  return {{bytes_.get() + at, to_end}, {bytes_.get(), size - to_end}};
}

void LogRing::Consume(size_t bytes) {
  const uint64_t head = head_.load(std::memory_order_relaxed);
  CHECK(bytes <= tail_.load(std::memory_order_relaxed) - head);
  // Release: the worker may write there only after we have read.
  head_.store(head + bytes, std::memory_order_release);
}

}  // namespace portcullis::log
