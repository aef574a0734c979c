#include "core/ocsp/http_answer.h"

#include <charconv>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace portcullis::ocsp {
namespace {

absl::string_view AbslText(std::string_view text) { return {text.data(), text.size()}; }

bool IsOk(std::string_view status_line) {
  return (status_line.starts_with("HTTP/1.0 200") || status_line.starts_with("HTTP/1.1 200")) &&
         (status_line.size() == 12 || status_line[12] == ' ');
}

std::string_view Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

struct Head {
  bool bad = false;
  std::optional<size_t> length;
};

void ReadField(std::string_view line, Head& head) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = Trimmed(line.substr(colon + 1));
  if (absl::EqualsIgnoreCase(AbslText(name), "transfer-encoding")) head.bad = true;
  if (!absl::EqualsIgnoreCase(AbslText(name), "content-length")) return;
  size_t length = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
  const bool is_number = error == std::errc() && end == value.data() + value.size();
  head.bad = head.bad || !is_number || length > kMaxAnswerBytes ||
             (head.length.has_value() && *head.length != length);
  head.length = length;
}

// The head without the empty line at its end.
Head ReadHead(std::string_view text) {
  Head head;
  size_t end = text.find("\r\n");
  head.bad = !IsOk(text.substr(0, end));
  while (end != std::string_view::npos && !head.bad) {
    text.remove_prefix(end + 2);
    end = text.find("\r\n");
    ReadField(text.substr(0, end), head);
  }
  return head;
}

}  // namespace

AnswerState ReadHttpAnswer(std::string_view bytes, bool ended, std::string_view& body) {
  if (bytes.size() > kMaxAnswerBytes) return AnswerState::kBad;
  const size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return ended ? AnswerState::kBad : AnswerState::kMore;
  const Head head = ReadHead(bytes.substr(0, end));
  if (head.bad) return AnswerState::kBad;
  body = bytes.substr(end + 4);
  if (!head.length.has_value()) return ended ? AnswerState::kDone : AnswerState::kMore;
  if (body.size() < *head.length) return ended ? AnswerState::kBad : AnswerState::kMore;
  body = body.substr(0, *head.length);
  return AnswerState::kDone;
}

std::string MakeHttpRequest(const HttpUrl& url, std::string_view body) {
  return absl::StrCat("POST ", url.target, " HTTP/1.0\r\nHost: ", url.authority,
                      "\r\nContent-Type: application/ocsp-request\r\n"
                      "Accept: application/ocsp-response\r\nContent-Length: ",
                      body.size(), "\r\n\r\n", AbslText(body));
}

}  // namespace portcullis::ocsp
