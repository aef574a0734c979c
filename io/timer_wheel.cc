#include "io/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace portcullis::io {
namespace {

// The first tick at which a deadline has passed.
uint64_t DueTick(Millis deadline_ms) {
  return deadline_ms / TimerWheel::kTickMs + (deadline_ms % TimerWheel::kTickMs != 0 ? 1 : 0);
}

}  // namespace

TimerWheel::TimerWheel(Millis now_ms) : tick_(now_ms / kTickMs) {}

void TimerWheel::Link(TimerNode& node) {
  // A slot that has been passed would come up a whole revolution late.
  const uint64_t slot = std::max(DueTick(node.deadline_ms), tick_ + 1) % kSlots;
  slots_[slot].PushBack(node);
  occupied_[slot / 64] |= uint64_t{1} << (slot % 64);
}

void TimerWheel::Arm(TimerNode& node, Millis deadline_ms) {
  if (node.linked()) {
    const bool later = deadline_ms >= node.deadline_ms;
    node.deadline_ms = deadline_ms;
    if (later) return;
    node.Unlink();
  } else {
    ++size_;
    node.deadline_ms = deadline_ms;
  }
  Link(node);
}

void TimerWheel::Cancel(TimerNode& node) {
  if (!node.linked()) return;
  node.Unlink();
  --size_;
}

void TimerWheel::VisitSlot(uint64_t slot, uint64_t target) {
  // Takes what is there now: nodes linked again below go to the back and are not looked at twice.
  ListNode* node = slots_[slot].Front();
  ListNode* last = slots_[slot].Back();
  bool done = node == nullptr;
  while (!done) {
    done = node == last;
    ListNode* next = slots_[slot].Next(*node);
    auto& timer = static_cast<TimerNode&>(*node);
    const uint64_t due = DueTick(timer.deadline_ms);
    if (due <= target) {
      timer.Unlink();
      due_.PushBack(timer);
    } else if (due % kSlots != slot) {  // moved later since it was linked
      timer.Unlink();
      Link(timer);
    }
    node = next;
  }
  if (slots_[slot].empty()) occupied_[slot / 64] &= ~(uint64_t{1} << (slot % 64));
}

TimerNode* TimerWheel::TakeDue(Millis now_ms) {
  const uint64_t target = now_ms / kTickMs;
  if (target > tick_) {
    const uint64_t first = tick_ + 1;
    const uint64_t steps = std::min<uint64_t>(target - tick_, kSlots);
    tick_ = target;
    for (uint64_t i = 0; i < steps; ++i) {
      const uint64_t slot = (first + i) % kSlots;
      if ((occupied_[slot / 64] >> (slot % 64) & 1) != 0) VisitSlot(slot, target);
    }
  }
  while (ListNode* node = due_.PopFront()) {
    auto& timer = static_cast<TimerNode&>(*node);
    if (DueTick(timer.deadline_ms) <= tick_) {
      --size_;
      return &timer;
    }
    Link(timer);  // an earlier callback of this round moved it later
  }
  return nullptr;
}

Millis TimerWheel::NextDelay(Millis now_ms, Millis cap_ms) {
  if (!due_.empty()) return 0;
  if (size_ == 0) return cap_ms;
  // Walks the bitmap word by word, starting behind the slot passed last, once around or to the cap.
  for (uint64_t ahead = 1; ahead <= kSlots && (tick_ + ahead) * kTickMs < now_ms + cap_ms;) {
    const uint64_t slot = (tick_ + ahead) % kSlots;
    uint64_t& word = occupied_[slot / 64];
    const uint64_t rest = word >> (slot % 64);
    if (rest == 0) {
      ahead += 64 - slot % 64;
      continue;
    }
    const auto skipped = static_cast<uint64_t>(std::countr_zero(rest));
    ahead += skipped;
    if (ahead > kSlots) break;
    if (!slots_[slot + skipped].empty()) {
      const Millis at_ms = (tick_ + ahead) * kTickMs;
      return at_ms <= now_ms ? 0 : std::min(cap_ms, at_ms - now_ms);
    }
    // Only cancelled nodes were there, which nobody shall look for again.
    word &= ~(uint64_t{1} << (slot + skipped) % 64);
    ++ahead;
  }
  return cap_ms;
}

}  // namespace portcullis::io
