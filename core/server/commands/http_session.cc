#include "core/server/commands/http_session.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "core/server/commands/text.h"
#include "io/check.h"

namespace portcullis::server {
namespace {

bool StatusHasBody(int status) { return status != 204 && status != 205 && status != 304; }

}  // namespace

size_t HttpSession::Feed(std::span<const uint8_t> bytes) {
  size_t total = 0;
  while (total < bytes.size() && wants_input()) {
    size_t taken = 0;
    const RequestParser::Result result = parser_.Feed(bytes.subspan(total), taken);
    total += taken;
    if (result == RequestParser::Result::kBad || result == RequestParser::Result::kTooLarge) {
      Refuse(result == RequestParser::Result::kBad ? 400 : 431);
      return bytes.size();
    }
  }
  return total;
}

HttpSession::Exchange::Exchange() = default;

void HttpSession::FeedEnd() {
  ended_ = true;
  // Nothing owed: between requests, or amid one that will never be whole.
  if (!exchange_ || !exchange_->request_ended) finished_ = true;
}

bool HttpSession::wants_input() const {
  if (finished_ || ended_) return false;
  if (!exchange_) return true;
  return !exchange_->request_ended && exchange_->echo.size() < kHeldBytes;
}

void HttpSession::OnHead(const BackendRequest& request) {
  CHECK(!exchange_, "a request before the last one was answered");
  Exchange& exchange = exchange_.emplace();
  exchange.plan = PlanFor(request);
  exchange.request_length = request.length;
  exchange.request_chunked = request.chunked;
  exchange.http10 = request.minor_version == 0;
  exchange.head_only = request.method == "HEAD";
  exchange.keep_alive = request.keep_alive;
  const std::string* expect = request.Find("expect");
  exchange.continue_due =
      expect != nullptr && absl::EqualsIgnoreCase(*expect, "100-continue") && !exchange.http10;
  SHA256_Init(&exchange.digest);
}

void HttpSession::OnBody(std::span<const uint8_t> bytes) {
  switch (exchange_->plan.body) {
    case SitePlan::Body::kEcho:
      exchange_->echo.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      break;
    case SitePlan::Body::kSink:
      SHA256_Update(&exchange_->digest, bytes.data(), bytes.size());
      exchange_->num_digested += bytes.size();
      break;
    case SitePlan::Body::kText:
    case SitePlan::Body::kBytes:
      break;  // a body nobody asked for
  }
}

void HttpSession::OnEnd() {
  exchange_->request_ended = true;
  if (exchange_->plan.body != SitePlan::Body::kSink) return;
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256_Final(digest, &exchange_->digest);
  exchange_->plan.text = absl::StrFormat(
      "{\"bytes\":%d,\"sha256\":\"%s\"}\n", exchange_->num_digested,
      absl::BytesToHexString({reinterpret_cast<const char*>(digest), sizeof(digest)}));
}

// Answers what is no request. The parser has no use after it, so the connection ends with the
// answer.
void HttpSession::Refuse(int status) {
  if (exchange_ && exchange_->head_sent) {
    finished_ = true;
    return;
  }
  Exchange& exchange = exchange_.emplace();
  exchange.plan.status = status;
  exchange.plan.text = Cat(StatusReason(status), "\n");
  exchange.request_ended = true;
}

bool HttpSession::echo_in_chunks() const {
  return exchange_->request_chunked && !exchange_->http10;
}

void HttpSession::Produce(std::string& out, size_t limit, Clock::time_point now) {
  if (!exchange_ || finished_) return;
  Exchange& exchange = *exchange_;
  if (exchange.continue_due) {
    out += "HTTP/1.1 100 Continue\r\n\r\n";
    exchange.continue_due = false;
  }
  if (exchange.plan.delay.count() > 0 && !exchange.ready_at) {
    exchange.ready_at = now + exchange.plan.delay;
  }
  if (exchange.ready_at && now < *exchange.ready_at) return;
  if (exchange.plan.body == SitePlan::Body::kSink && !exchange.request_ended) return;
  if (!exchange.head_sent) AppendHead(out);
  if (!exchange.body_done) AppendBody(out, limit);
  if (exchange.body_done && exchange.request_ended) EndExchange();
}

std::optional<Session::Clock::time_point> HttpSession::wake_at() const {
  if (!exchange_ || finished_ || exchange_->head_sent) return std::nullopt;
  return exchange_->ready_at;
}

void HttpSession::AppendHead(std::string& out) {
  Exchange& exchange = *exchange_;
  const SitePlan& plan = exchange.plan;
  const bool has_body = StatusHasBody(plan.status);
  Append(&out, "HTTP/1.1 ", plan.status, " ", StatusReason(plan.status), "\r\n");
  Append(&out,
         "Date: ", absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", absl::Now(), absl::UTCTimeZone()),
         "\r\n");
  if (!plan.allow.empty()) Append(&out, "Allow: ", plan.allow, "\r\n");
  if (has_body) Append(&out, "Content-Type: ", plan.content_type, "\r\n");
  if (!has_body) {
    if (plan.status == 205) out += "Content-Length: 0\r\n";
  } else if (plan.body == SitePlan::Body::kBytes) {
    Append(&out, "Content-Length: ", plan.num_bytes, "\r\n");
  } else if (plan.body != SitePlan::Body::kEcho) {
    Append(&out, "Content-Length: ", plan.text.size(), "\r\n");
  } else if (!exchange.request_chunked) {
    Append(&out, "Content-Length: ", exchange.request_length.value_or(0), "\r\n");
  } else if (echo_in_chunks()) {
    out += "Transfer-Encoding: chunked\r\n";
  } else {
    exchange.keep_alive =
        false;  // HTTP/1.0 knows no chunks: the end of the connection ends the body
  }
  if (!exchange.keep_alive) {
    out += "Connection: close\r\n";
  } else if (exchange.http10) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  exchange.head_sent = true;
  exchange.body_done = !has_body || exchange.head_only;
}

void HttpSession::AppendBody(std::string& out, size_t limit) {
  Exchange& exchange = *exchange_;
  const SitePlan& plan = exchange.plan;
  switch (plan.body) {
    case SitePlan::Body::kText:
    case SitePlan::Body::kSink:
      out += plan.text;
      exchange.body_done = true;
      break;
    case SitePlan::Body::kBytes: {
      const size_t count =
          static_cast<size_t>(std::min<uint64_t>(limit, plan.num_bytes - exchange.num_sent));
      AppendSiteBytes(exchange.num_sent, count, out);
      exchange.num_sent += count;
      exchange.body_done = exchange.num_sent == plan.num_bytes;
      break;
    }
    case SitePlan::Body::kEcho:
      AppendEcho(out);
      break;
  }
}

void HttpSession::AppendEcho(std::string& out) {
  Exchange& exchange = *exchange_;
  if (echo_in_chunks() && !exchange.echo.empty()) {
    absl::StrAppendFormat(&out, "%x\r\n", exchange.echo.size());
    Append(&out, exchange.echo, "\r\n");
  } else {
    out += exchange.echo;
  }
  exchange.echo.clear();
  if (!exchange.request_ended) return;
  if (echo_in_chunks()) out += "0\r\n\r\n";
  exchange.body_done = true;
}

void HttpSession::EndExchange() {
  if (!exchange_->keep_alive || ended_) {
    finished_ = true;
  } else {
    parser_.Next();
  }
  exchange_.reset();
}

}  // namespace portcullis::server
