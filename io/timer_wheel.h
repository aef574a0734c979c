// TimerWheel: a worker's deadlines: 1024 slots of 8 ms, intrusive nodes, O(1) to arm, move and
// cancel. A node carries one deadline; moving it later only overwrites the field, and the wheel
// re-links it when its slot comes up. Deadlines beyond one revolution (8.2 s) simply stay in their
// slot for further rounds.
//
// Owned by a worker; its thread only. Reads no clock: the caller says what time it is.
#pragma once

#include <array>
#include <cstdint>

#include "io/intrusive_list.h"

namespace portcullis::io {

using Millis = uint64_t;  // milliseconds on the worker's monotonic clock

struct TimerNode : ListNode {
  Millis deadline_ms = 0;
  uint8_t kind = 0;   // the owner's own meaning (handshake, idle, ...)
  uint8_t owner = 0;  // io::Owner, so that one wheel serves several slabs
  uint32_t slot = 0;  // the owner's slab index
};

class TimerWheel {
 public:
  static constexpr uint32_t kSlots = 1024;
  static constexpr Millis kTickMs = 8;

  explicit TimerWheel(Millis now_ms);

  // Arm links `node` (or moves it) to fire at `deadline_ms` or up to one tick later, never earlier.
  void Arm(TimerNode& node, Millis deadline_ms);
  void Cancel(TimerNode& node);
  [[nodiscard]] bool armed(const TimerNode& node) const { return node.linked(); }

  // Advance fires every node due at `now_ms`, unlinking it first: `on_expired(TimerNode&)` may arm,
  // cancel or free any node, itself included.
  template <typename F>
  void Advance(Millis now_ms, F&& on_expired);

  // NextDelay returns milliseconds until the next slot with a node comes up (0 if overdue), at most
  // `cap_ms`.
  [[nodiscard]] Millis NextDelay(Millis now_ms, Millis cap_ms);
  [[nodiscard]] uint32_t size() const { return size_; }

 private:
  void Link(TimerNode& node);
  void VisitSlot(uint64_t slot, uint64_t target);
  [[nodiscard]] TimerNode* TakeDue(Millis now_ms);  // null when none is left

  std::array<IntrusiveList, kSlots> slots_;
  std::array<uint64_t, kSlots / 64> occupied_{};
  IntrusiveList due_;
  uint64_t tick_;  // the last one passed
  uint32_t size_ = 0;
};

template <typename F>
void TimerWheel::Advance(Millis now_ms, F&& on_expired) {
  while (TimerNode* node = TakeDue(now_ms)) on_expired(*node);
}

}  // namespace portcullis::io
