// StatusCache: what a worker knows of its clients' standing with their issuers' responders, and
// which connections wait for an answer: one question at a time for each certificate, however many
// connections it has. Bounded; that worker's thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"

#include "tls/client_status.h"

namespace portcullis::ocsp {

// A connection that waits: its place in the worker's slab.
struct Waiter {
  uint32_t slot = 0;
  uint32_t generation = 0;
};

// An answer is used until its nextUpdate, but asked for again after kKeepAnswerSeconds; after a
// failure the next question is put off for so long.
inline constexpr int64_t kKeepAnswerSeconds = 3600;
inline constexpr int64_t kKeepFailureSeconds = 5;

class StatusCache final : public tls::KnownStatuses {
 public:
  // Keeps at most `capacity` answers; the oldest goes first.
  explicit StatusCache(size_t capacity) : capacity_(capacity) {}

  // Find returns what is known at `now` (seconds since the epoch); nothing when it is to be asked.
  [[nodiscard]] std::optional<tls::StatusAnswer> Find(const tls::StatusKey& key, int64_t now) const;
  // Await notes a connection that waits. True for the first: then it is to be asked.
  [[nodiscard]] bool Await(const tls::StatusKey& key, Waiter waiter);
  // Settle takes in what the responder said, and returns who waited for it. `answer` becomes what
  // they are to be told, its end when it is to be asked again. What was known stands against a
  // failure, and against what was said before it, while it is good, and for ever when it revokes: a
  // responder that fails, or is replayed to us, must not bring anyone back.
  [[nodiscard]] std::vector<Waiter> Settle(const tls::StatusKey& key, tls::StatusAnswer& answer,
                                           int64_t now);

  [[nodiscard]] bool KnowsRevoked(const tls::StatusKey& key) const override;

  [[nodiscard]] size_t size() const { return known_.size(); }

 private:
  struct Known {
    tls::StatusAnswer answer;  // as the responder said it
    int64_t kept_until = 0;    // asked again after it
    uint64_t number = 0;       // which of `order_` it is
  };

  void Trim(const tls::StatusKey& key);

  size_t capacity_;
  uint64_t next_number_ = 0;
  absl::flat_hash_map<tls::StatusKey, Known> known_;
  std::deque<std::pair<uint64_t, tls::StatusKey>> order_;  // as kept; some are kept anew since
  absl::flat_hash_map<tls::StatusKey, std::vector<Waiter>> waiting_;
};

}  // namespace portcullis::ocsp
