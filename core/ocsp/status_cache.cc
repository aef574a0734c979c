#include "core/ocsp/status_cache.h"

#include <algorithm>

namespace portcullis::ocsp {

std::optional<tls::StatusAnswer> StatusCache::Find(const tls::StatusKey& key, int64_t now) const {
  const auto found = known_.find(key);
  if (found == known_.end() || found->second.answer.until < now) return std::nullopt;
  return found->second.answer;
}

bool StatusCache::Await(const tls::StatusKey& key, Waiter waiter) {
  std::vector<Waiter>& waiters = waiting_[key];
  waiters.push_back(waiter);
  return waiters.size() == 1;
}

std::vector<Waiter> StatusCache::Settle(const tls::StatusKey& key, tls::StatusAnswer& answer,
                                        int64_t now) {
  answer.until = answer.status == tls::ClientStatus::kUnavailable
                     ? now + kKeepFailureSeconds
                     : std::min(answer.until, now + kKeepAnswerSeconds);
  Known& known = known_[key];
  known = {.answer = answer, .number = next_number_};
  order_.emplace_back(next_number_++, key);
  while (!order_.empty() && (known_.size() > capacity_ || order_.size() > 2 * capacity_)) {
    const auto oldest = known_.find(order_.front().second);
    if (oldest != known_.end() && oldest->second.number == order_.front().first) {
      known_.erase(oldest);
    }
    order_.pop_front();
  }
  const auto waited = waiting_.find(key);
  if (waited == waiting_.end()) return {};
  std::vector<Waiter> waiters = std::move(waited->second);
  waiting_.erase(waited);
  return waiters;
}

}  // namespace portcullis::ocsp
