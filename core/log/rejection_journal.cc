#include "core/log/rejection_journal.h"

#include <utility>

namespace portcullis::log {
namespace {

// Where the event stands: behind the time, before anything that a peer has a say in.
constexpr std::string_view kRefused = R"(,"event":"refused",)";
constexpr size_t kTimeLength = std::string_view(R"({"time":"2026-11-23T17:51:25.968000Z")").size();

// Names of reasons have no character that JSON escapes, and no other field's value can contain this
// text: a quotation mark in it would be escaped.
std::string_view ReasonOf(std::string_view line) {
  constexpr std::string_view kKey = R"(,"reason":")";
  const size_t key = line.find(kKey);
  if (key == std::string_view::npos) return {};
  const size_t begin = key + kKey.size();
  const size_t end = line.find('"', begin);
  return end == std::string_view::npos ? std::string_view() : line.substr(begin, end - begin);
}

}  // namespace

bool RejectionJournal::IsRefusal(std::string_view line) {
  return line.size() > kTimeLength && line.substr(kTimeLength).starts_with(kRefused);
}

void RejectionJournal::Add(std::string_view line) {
  if (per_reason_ == 0 || !IsRefusal(line)) return;
  if (line.ends_with('\n')) line.remove_suffix(1);
  const std::string_view reason = ReasonOf(line);
  if (reason.empty()) return;
  const std::lock_guard lock(mutex_);
  auto found = lines_.find(reason);
  if (found == lines_.end()) {
    if (lines_.size() == kMaxReasons) return;
    found = lines_.emplace(std::string(reason), std::deque<std::string>()).first;
  }
  found->second.emplace_back(line);
  if (found->second.size() > per_reason_) found->second.pop_front();
}

std::string RejectionJournal::Json() const {
  std::string json = R"({"kept_per_reason":)" + std::to_string(per_reason_) + R"(,"rejections":{)";
  const std::lock_guard lock(mutex_);
  bool first_reason = true;
  for (const auto& [reason, lines] : lines_) {
    json += std::exchange(first_reason, false) ? "\n\"" : ",\n\"";
    json += reason + "\":[";
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
      json += line == lines.rbegin() ? "\n" : ",\n";
      json += *line;
    }
    json += "]";
  }
  return json + "}}\n";
}

}  // namespace portcullis::log
