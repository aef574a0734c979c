#include "core/ocsp/status_cache.h"

#include <algorithm>

namespace portcullis::ocsp {
namespace {

using tls::ClientStatus;
using tls::StatusAnswer;

bool Stands(const StatusAnswer& known, const StatusAnswer& now_said, int64_t now) {
  if (known.status == ClientStatus::kUnavailable) return false;
  const bool is_news =
      now_said.status != ClientStatus::kUnavailable && now_said.said_at >= known.said_at;
  return !is_news && (known.status == ClientStatus::kRevoked || known.until >= now);
}

}  // namespace

std::optional<StatusAnswer> StatusCache::Find(const tls::StatusKey& key, int64_t now) const {
  const auto found = known_.find(key);
  if (found == known_.end() || found->second.kept_until < now) return std::nullopt;
  StatusAnswer answer = found->second.answer;
  answer.until = found->second.kept_until;
  return answer;
}

bool StatusCache::Await(const tls::StatusKey& key, Waiter waiter) {
  std::vector<Waiter>& waiters = waiting_[key];
  waiters.push_back(waiter);
  return waiters.size() == 1;
}

std::vector<Waiter> StatusCache::Settle(const tls::StatusKey& key, StatusAnswer& answer,
                                        int64_t now) {
  Known& known = known_[key];
  const bool stands = Stands(known.answer, answer, now);
  if (!stands) known.answer = answer;
  const bool is_fresh = !stands && answer.status != ClientStatus::kUnavailable;
  known.kept_until = now + (is_fresh ? kKeepAnswerSeconds : kKeepFailureSeconds);
  if (known.answer.status != ClientStatus::kUnavailable) {
    // Old news of a revocation has no end to go by.
    const int64_t end = known.answer.status == ClientStatus::kRevoked
                            ? std::max(known.answer.until, now + kKeepFailureSeconds)
                            : known.answer.until;
    known.kept_until = std::min(known.kept_until, end);
  }
  known.number = next_number_;
  answer = known.answer;
  answer.until = known.kept_until;
  Trim(key);

  const auto waited = waiting_.find(key);
  if (waited == waiting_.end()) return {};
  std::vector<Waiter> waiters = std::move(waited->second);
  waiting_.erase(waited);
  return waiters;
}

// Notes that `key` is the newest, and lets the oldest go.
void StatusCache::Trim(const tls::StatusKey& key) {
  order_.emplace_back(next_number_++, key);
  while (!order_.empty() && (known_.size() > capacity_ || order_.size() > 2 * capacity_)) {
    const auto oldest = known_.find(order_.front().second);
    if (oldest != known_.end() && oldest->second.number == order_.front().first) {
      known_.erase(oldest);
    }
    order_.pop_front();
  }
}

bool StatusCache::KnowsRevoked(const tls::StatusKey& key) const {
  const auto found = known_.find(key);
  return found != known_.end() && found->second.answer.status == ClientStatus::kRevoked;
}

}  // namespace portcullis::ocsp
