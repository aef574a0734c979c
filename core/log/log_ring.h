// LogRing: a bounded queue of whole lines from one worker to the writer thread. Writing never
// blocks, locks or allocates: when there is no room, the line is dropped and counted. Memory: its
// capacity and one line. Owned by ConnectionLog. Write is for the worker's thread alone, the
// reading half for the writer thread alone.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "core/log/connection_record.h"
#include "core/log/record_line.h"

namespace portcullis::log {

// Which records a ring takes.
enum class Wanted : uint8_t { kNone, kRefusals, kAll };

class LogRing {
 public:
  // `capacity` in bytes, a power of two and at least kMaxLineBytes. `wake_fd` is an eventfd written
  // (without blocking) when the ring becomes half full; -1: none. Records that are not `wanted` go
  // nowhere, at no cost.
  LogRing(size_t capacity, int wake_fd, Wanted wanted);
  LogRing(const LogRing&) = delete;
  LogRing& operator=(const LogRing&) = delete;

  // What would become of a record. kNoRoom: dropped, as the one before it was, for nobody has read
  // since; counted as dropped by Ask.
  enum class [[nodiscard]] Fate : uint8_t { kUnwanted, kNoRoom, kWritten };
  // Ask tells whether a record is worth making. The worker only.
  Fate Ask(Event event);

  // Write queues the record's line. False when there was no room and the line was dropped. The
  // worker only.
  [[nodiscard]] bool Write(const ConnectionRecord& record);

  // dropped returns the lines dropped for want of room. Any thread.
  [[nodiscard]] uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  // Readable returns what is queued, in order, as up to two pieces (the second is empty unless the
  // ring wraps). They begin and end at line boundaries if all that was readable before has been
  // consumed. The writer thread only.
  struct Pieces {
    std::string_view first;
    std::string_view second;
    [[nodiscard]] size_t size() const { return first.size() + second.size(); }
  };
  [[nodiscard]] Pieces Readable() const;

  // Consume gives back the first `bytes` of what Readable returned. The writer thread only.
  void Consume(size_t bytes);

 private:
  static constexpr size_t kCacheLine = 64;

  [[nodiscard]] bool Wants(Event event) const {
    return wanted_ == Wanted::kAll || (wanted_ == Wanted::kRefusals && event == Event::kRefused);
  }
  void CountDropped();
  // Queue copies a whole line in; false when there is no room.
  [[nodiscard]] bool Queue(std::string_view line);

  // Constant after construction.
  const size_t capacity_;
  const int wake_fd_;
  const Wanted wanted_;
  const std::unique_ptr<char[]> bytes_;

  // Positions count up for ever; a position's byte is at position % capacity_.
  alignas(kCacheLine) std::atomic<uint64_t> head_{0};  // next byte to read: the writer thread's
  alignas(kCacheLine) std::atomic<uint64_t> tail_{0};  // next byte to write: the worker's
  std::atomic<uint64_t> dropped_{0};                   // the worker's
  uint64_t head_seen_ = 0;                // the worker's last look at head_, saves a shared read
  bool full_ = false;                     // the last line found no room; the worker's
  std::array<char, kMaxLineBytes> line_;  // the worker's: where a line is rendered
};

}  // namespace portcullis::log
