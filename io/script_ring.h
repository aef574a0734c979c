// ScriptRing: a Ring in software, for tests: it performs a worker's operations on real descriptors
// with ordinary system calls, shuffles the completions of independent operations by a seed, and
// injects faults.
//
// The same conformance suite runs on it and on UringRing. One thread, except that descriptors may
// become ready from anywhere. Not for production: it polls every pending operation in every turn.
// Operations known: accept, recv with provided buffers, send, sendmsg, connect, read, async cancel,
// nop; others complete with EINVAL.
#pragma once

#include <liburing.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "io/ring.h"
#include "io/script_ops.h"

namespace portcullis::io {

struct ScriptOptions {
  uint64_t seed = 1;  // equal seeds and equal readiness give equal runs
  unsigned sq_entries = 256;
  unsigned cq_entries =
      4096;             // beyond it multishot operations end with their data, as in the kernel
  bool shuffle = true;  // false: completions in the order in which they arose
};

// Chances in percent, drawn anew for each operation; 0: never.
struct ScriptFaults {
  unsigned short_send = 0;      // a send completes after a part of its bytes
  unsigned short_recv = 0;      // a receive takes only a part of what is there
  unsigned lose_more = 0;       // a multishot operation ends although it succeeded
  unsigned no_buffers = 0;      // a receive ends with ENOBUFS although buffers are there
  unsigned cancel_miss = 0;     // a cancel finds nothing (ENOENT, or 0 of all) and cancels nothing
  unsigned late_victim = 0;     // a cancelled operation completes some turns after its cancel
  unsigned partial_cancel = 0;  // a cancelled send reports the bytes it could move, not ECANCELED
  enum class CancelOrder : uint8_t { kAny, kCancelFirst, kVictimsFirst };
  CancelOrder cancel_order = CancelOrder::kAny;
};

class ScriptRing final : public Ring {
 public:
  explicit ScriptRing(const ScriptOptions& options);
  ~ScriptRing() override;
  ScriptRing(const ScriptRing&) = delete;
  ScriptRing& operator=(const ScriptRing&) = delete;

  io_uring_sqe* GetSqe() override;
  void Submit() override;
  [[nodiscard]] int SubmitAndReap(std::chrono::nanoseconds timeout, std::span<Cqe> out) override;
  [[nodiscard]] int RegisterBufferRing(io_uring_buf_ring* ring, unsigned entries,
                                       uint16_t group) override;
  void UnregisterBufferRing(uint16_t group) override;
  [[nodiscard]] const RingCounters& counters() const override { return counters_; }

  void set_faults(const ScriptFaults& faults) { faults_ = faults; }

  // Fail makes the `nth` operation with `opcode` submitted from now on (1: the next) complete with
  // -`error` and do nothing. Several may be set.
  void Fail(uint8_t opcode, uint64_t nth, int error);

  // Finish ends the pending operation that carries `user_data` with `res`, as if the kernel had.
  // False: none is.
  bool Finish(uint64_t user_data, int32_t res);

  // pending is the number of operations submitted whose last completion has not arisen.
  [[nodiscard]] size_t pending() const { return ops_.size(); }

 private:
  struct Completion {
    uint64_t key;    // completions of one key are delivered in order
    uint64_t after;  // not before those of this key (0: no such wish)
    uint64_t turn;   // not before this turn
    Cqe cqe;
  };
  struct PlannedFailure {
    uint8_t opcode;
    uint64_t remaining;
    int error;
  };

  void Start(const io_uring_sqe& sqe);
  [[nodiscard]] std::optional<int> PlannedError(uint8_t opcode);
  bool Advance(ScriptOp& op);  // true: its last completion has arisen
  void AdvanceReady(std::chrono::nanoseconds timeout);
  void Post(const ScriptOp& op, int32_t res, uint32_t flags);
  void Retire(size_t index);

  void Cancel(const ScriptOp& cancel);
  [[nodiscard]] bool Matches(const ScriptOp& cancel, const ScriptOp& op) const;
  void EndVictim(ScriptOp& victim, uint64_t after);

  [[nodiscard]] size_t Deliver(std::span<Cqe> out);
  [[nodiscard]] size_t PickDeliverable();
  [[nodiscard]] bool Deliverable() const;
  [[nodiscard]] bool Draw(unsigned percent);
  [[nodiscard]] size_t DrawBelow(size_t limit);

  std::mt19937_64 random_;
  bool shuffle_;
  size_t cq_entries_;
  ScriptFaults faults_;
  std::vector<PlannedFailure> planned_;
  std::vector<io_uring_sqe> queue_;  // entries handed out and not yet submitted
  size_t queued_ = 0;
  std::vector<ScriptOp> ops_;
  std::vector<Completion> completions_;
  std::map<uint16_t, ScriptGroup> groups_;
  uint64_t next_serial_ = 1;
  uint64_t turn_ = 0;
  RingCounters counters_;
};

}  // namespace portcullis::io
