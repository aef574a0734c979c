#include "io/script_ring.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "io/check.h"

namespace portcullis::io {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMaxRepeats = 32;        // completions one multishot operation may post in one go
constexpr uint64_t kMaxTurnsLate = 3;  // how late a late victim is

// Waits in poll() no longer than `left`, rounded up so that short waits do not become none.
int PollMillis(std::chrono::nanoseconds left) {
  if (left.count() <= 0) return 0;
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::min<int64_t>(millis, std::numeric_limits<int>::max()));
}

}  // namespace

ScriptRing::ScriptRing(const ScriptOptions& options)
    : random_(options.seed),
      shuffle_(options.shuffle),
      cq_entries_(options.cq_entries),
      queue_(options.sq_entries) {
  CHECK(options.sq_entries > 0 && options.cq_entries > 0);
}

ScriptRing::~ScriptRing() {
  while (!ops_.empty()) Retire(ops_.size() - 1);
}

io_uring_sqe* ScriptRing::GetSqe() {
  if (queued_ == queue_.size()) {
    ++counters_.sq_full;
    Submit();
  }
  io_uring_sqe* sqe = &queue_[queued_++];
  *sqe = {};
  return sqe;
}

int ScriptRing::SubmitAndReap(std::chrono::nanoseconds timeout, std::span<Cqe> out) {
  ++turn_;
  ++counters_.enters;
  Submit();
  AdvanceReady(std::chrono::nanoseconds::zero());
  const Clock::time_point deadline =
      Clock::now() + std::max(timeout, std::chrono::nanoseconds::zero());
  // Late completions become deliverable turn by turn, so with any of them about a turn does not
  // wait.
  while (completions_.empty() && Clock::now() < deadline) AdvanceReady(deadline - Clock::now());
  if (completions_.size() >= cq_entries_) ++counters_.cq_overflow;
  return static_cast<int>(Deliver(out));
}

int ScriptRing::RegisterBufferRing(io_uring_buf_ring* ring, unsigned entries, uint16_t group) {
  if (entries == 0 || entries > 32768 || (entries & (entries - 1)) != 0) return -EINVAL;
  auto* shared = reinterpret_cast<io_uring_buf*>(ring);
  const ScriptGroup fresh{.entries = shared, .mask = static_cast<uint16_t>(entries - 1), .head = 0};
  return groups_.emplace(group, fresh).second ? 0 : -EEXIST;
}

void ScriptRing::UnregisterBufferRing(uint16_t group) { groups_.erase(group); }

void ScriptRing::Fail(uint8_t opcode, uint64_t nth, int error) {
  CHECK(nth > 0 && error > 0);
  planned_.push_back({.opcode = opcode, .remaining = nth, .error = error});
}

std::optional<int> ScriptRing::PlannedError(uint8_t opcode) {
  std::optional<int> error;
  for (PlannedFailure& plan : planned_) {
    if (plan.opcode == opcode && --plan.remaining == 0) error = plan.error;
  }
  std::erase_if(planned_, [](const PlannedFailure& plan) { return plan.remaining == 0; });
  return error;
}

bool ScriptRing::Finish(uint64_t user_data, int32_t res) {
  Submit();
  const auto op = std::find_if(ops_.begin(), ops_.end(), [&](const ScriptOp& candidate) {
    return candidate.sqe.user_data == user_data;
  });
  if (op == ops_.end()) return false;
  Post(*op, res, 0);
  Retire(static_cast<size_t>(op - ops_.begin()));
  return true;
}

void ScriptRing::Submit() {
  for (size_t i = 0; i < queued_; ++i) Start(queue_[i]);
  counters_.submitted += queued_;
  queued_ = 0;
}

void ScriptRing::Start(const io_uring_sqe& sqe) {
  ScriptOp op{.sqe = sqe, .serial = next_serial_++};
  if (const std::optional<int> error = PlannedError(sqe.opcode); error.has_value()) {
    Post(op, -*error, 0);
    return;
  }
  if (sqe.opcode == IORING_OP_ASYNC_CANCEL) {
    Cancel(op);
    return;
  }
  if (sqe.opcode != IORING_OP_NOP) {
    op.fd = ::fcntl(sqe.fd, F_DUPFD_CLOEXEC, 0);
    if (op.fd < 0) {
      Post(op, -errno, 0);
      return;
    }
  }
  ops_.push_back(op);
  // Like the kernel, try at once: what can complete does so before later entries are looked at.
  if (Advance(ops_.back())) Retire(ops_.size() - 1);
}

void ScriptRing::Retire(size_t index) {
  if (ops_[index].fd >= 0) ::close(ops_[index].fd);
  ops_.erase(ops_.begin() + static_cast<std::ptrdiff_t>(index));
}

void ScriptRing::Post(const ScriptOp& op, int32_t res, uint32_t flags) {
  completions_.push_back({.key = op.serial,
                          .after = 0,
                          .turn = 0,
                          .cqe = {.user_data = op.sqe.user_data, .res = res, .flags = flags}});
}

bool ScriptRing::Advance(ScriptOp& op) {
  ScriptGroup* group = nullptr;
  if (op.sqe.opcode == IORING_OP_RECV) {
    const auto found = groups_.find(op.sqe.buf_group);
    if (found != groups_.end()) group = &found->second;
    if (Draw(faults_.no_buffers)) {
      Post(op, -ENOBUFS, 0);
      return true;
    }
  }
  const bool sends = op.sqe.opcode == IORING_OP_SEND || op.sqe.opcode == IORING_OP_SENDMSG;
  for (int i = 0; i < kMaxRepeats; ++i) {
    size_t max_bytes = 0;
    if (op.sqe.opcode == IORING_OP_RECV && Draw(faults_.short_recv)) max_bytes = 1 + DrawBelow(64);
    if (sends && Draw(faults_.short_send)) max_bytes = 1 + DrawBelow(4096);
    const ScriptOutcome outcome = Attempt(op, group, max_bytes);
    if (outcome.kind == ScriptOutcome::Kind::kWait) return false;
    const bool full = completions_.size() + 1 >= cq_entries_;
    const bool more =
        outcome.kind == ScriptOutcome::Kind::kMore && !full && !Draw(faults_.lose_more);
    Post(op, outcome.res, outcome.flags | (more ? IORING_CQE_F_MORE : 0));
    if (!more) return true;
  }
  return false;
}

void ScriptRing::AdvanceReady(std::chrono::nanoseconds timeout) {
  std::vector<pollfd> entries;
  entries.reserve(ops_.size());
  for (const ScriptOp& op : ops_)
    entries.push_back({.fd = op.fd, .events = op.events(), .revents = 0});
  if (::poll(entries.data(), entries.size(), PollMillis(timeout)) <= 0) return;
  for (size_t i = ops_.size(); i-- > 0;) {
    if (entries[i].revents != 0 && Advance(ops_[i])) Retire(i);
  }
}

bool ScriptRing::Matches(const ScriptOp& cancel, const ScriptOp& op) const {
  if ((cancel.sqe.cancel_flags & IORING_ASYNC_CANCEL_FD) != 0) return op.sqe.fd == cancel.sqe.fd;
  return op.sqe.user_data == cancel.sqe.addr;
}

void ScriptRing::Cancel(const ScriptOp& cancel) {
  const bool by_fd = (cancel.sqe.cancel_flags & IORING_ASYNC_CANCEL_FD) != 0;
  const bool all = (cancel.sqe.cancel_flags & IORING_ASYNC_CANCEL_ALL) != 0;
  if (by_fd && ::fcntl(cancel.sqe.fd, F_GETFD) < 0) {
    Post(cancel, -EBADF, 0);
    return;
  }
  const bool victims_first = faults_.cancel_order == ScriptFaults::CancelOrder::kVictimsFirst;
  const bool cancel_first = faults_.cancel_order == ScriptFaults::CancelOrder::kCancelFirst;
  int32_t found = 0;
  uint64_t last_victim = 0;
  const bool missed = Draw(faults_.cancel_miss);
  for (size_t i = 0; i < ops_.size() && !missed && (all || found == 0);) {
    if (!Matches(cancel, ops_[i])) {
      ++i;
      continue;
    }
    ++found;
    EndVictim(ops_[i], cancel_first ? cancel.serial : victims_first ? last_victim : 0);
    last_victim = ops_[i].serial;
    Retire(i);
  }
  Post(cancel, all ? found : found > 0 ? 0 : -ENOENT, 0);
  if (victims_first) completions_.back().after = last_victim;
}

void ScriptRing::EndVictim(ScriptOp& victim, uint64_t after) {
  const bool sends = victim.sqe.opcode == IORING_OP_SEND || victim.sqe.opcode == IORING_OP_SENDMSG;
  if (sends && Draw(faults_.partial_cancel)) static_cast<void>(Attempt(victim, nullptr, 1));
  Post(victim, victim.done > 0 ? static_cast<int32_t>(victim.done) : -ECANCELED, 0);
  completions_.back().after = after;
  // A late one must not hold up a completion that has to follow it.
  const bool may_be_late = faults_.cancel_order == ScriptFaults::CancelOrder::kAny;
  if (may_be_late && Draw(faults_.late_victim)) {
    completions_.back().turn = turn_ + 1 + DrawBelow(kMaxTurnsLate);
  }
}

size_t ScriptRing::PickDeliverable() {
  const auto first_of = [&](uint64_t key) {
    return std::find_if(completions_.begin(), completions_.end(),
                        [&](const Completion& candidate) { return candidate.key == key; });
  };
  auto pick = completions_.begin();
  if (shuffle_) {
    pick += static_cast<std::ptrdiff_t>(DrawBelow(completions_.size()));
  } else {
    pick = std::find_if(pick, completions_.end(),
                        [&](const Completion& candidate) { return candidate.turn <= turn_; });
  }
  // Earlier completions of the same operation go first, then whatever this one waits for.
  pick = first_of(pick->key);
  while (pick->after != 0 && first_of(pick->after) != completions_.end())
    pick = first_of(pick->after);
  return static_cast<size_t>(pick - completions_.begin());
}

bool ScriptRing::Deliverable() const {
  return std::any_of(completions_.begin(), completions_.end(),
                     [&](const Completion& candidate) { return candidate.turn <= turn_; });
}

size_t ScriptRing::Deliver(std::span<Cqe> out) {
  size_t count = 0;
  while (count < out.size() && Deliverable()) {
    const size_t index = PickDeliverable();
    if (completions_[index].turn > turn_) continue;  // another draw
    out[count++] = completions_[index].cqe;
    completions_.erase(completions_.begin() + static_cast<std::ptrdiff_t>(index));
  }
  counters_.completed += count;
  return count;
}

bool ScriptRing::Draw(unsigned percent) { return percent > 0 && random_() % 100 < percent; }

size_t ScriptRing::DrawBelow(size_t limit) { return random_() % limit; }

}  // namespace portcullis::io
