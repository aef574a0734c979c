// RejectionJournal: the last refusals of each reason, for whoever asks "why was this client turned
// away?" on the admin port without having the log at hand. It keeps lines of the connection log as
// they are, so it holds no more than they do: no keys, no tickets. Bounded: reasons and lines of
// each.
//
// Add is the log's writer thread's; Json any thread's but a worker's.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace portcullis::log {

class RejectionJournal {
 public:
  // Keeps the last `per_reason` lines of each reason; 0: none.
  explicit RejectionJournal(size_t per_reason) : per_reason_(per_reason) {}

  // IsRefusal tells from a line of the connection log whether a client was refused.
  [[nodiscard]] static bool IsRefusal(std::string_view line);

  // Add takes a line (with or without its line feed); ignored unless it is a refusal.
  void Add(std::string_view line);

  // Json returns {"kept_per_reason":N,"rejections":{"expired":[{...},...],...}}, newest first; the
  // objects are the log's own lines.
  [[nodiscard]] std::string Json() const;

 private:
  // More than there are reasons; a bound, should a line ever be misread.
  static constexpr size_t kMaxReasons = 64;

  const size_t per_reason_;
  mutable std::mutex mutex_;
  std::map<std::string, std::deque<std::string>, std::less<>> lines_;  // newest at the back
};

}  // namespace portcullis::log
