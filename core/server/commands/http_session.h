// HttpSession: HTTP/1 service of the demo site on one connection: keep-alive, pipelining, Expect,
// bodies as streams.
//
// Owned and used as Session. Holds at most one request's head and kHeldBytes of an echoed body. A
// client that breaks the protocol gets 400 and the end; one that breaks it after the answer began
// gets the end alone.
#pragma once

#include <optional>
#include <string>

#include "openssl/sha.h"

#include "core/server/commands/demo_site.h"
#include "core/server/commands/request_parser.h"
#include "core/server/commands/session.h"

namespace portcullis::server {

class HttpSession : public Session, private RequestEvents {
 public:
  static constexpr size_t kHeldBytes = 256 * 1024;

  HttpSession() : parser_(*this) {}

  [[nodiscard]] size_t Feed(std::span<const uint8_t> bytes) override;
  void FeedEnd() override;
  [[nodiscard]] bool wants_input() const override;
  void Produce(std::string& out, size_t limit, Clock::time_point now) override;
  [[nodiscard]] std::optional<Clock::time_point> wake_at() const override;
  [[nodiscard]] bool finished() const override { return finished_; }

 private:
  // One request and its answer.
  struct Exchange {
    Exchange();  // out of line: clang cannot use member initialisers before the class ends
    SitePlan plan;
    std::optional<uint64_t> request_length;
    bool request_chunked = false;
    bool http10 = false;
    bool head_only = false;  // HEAD
    bool keep_alive = false;
    bool continue_due = false;  // 100 Continue, before the answer
    bool request_ended = false;
    bool head_sent = false;
    bool body_done = false;
    uint64_t num_sent = 0;  // of plan.text or of the bytes
    std::string echo;       // received, not yet sent
    SHA256_CTX digest;
    uint64_t num_digested = 0;
    std::optional<Clock::time_point> ready_at;
  };

  void OnHead(const BackendRequest& request) override;
  void OnBody(std::span<const uint8_t> bytes) override;
  void OnEnd() override;

  void Refuse(int status);
  void AppendHead(std::string& out);
  void AppendBody(std::string& out, size_t limit);
  void AppendEcho(std::string& out);
  void EndExchange();
  [[nodiscard]] bool echo_in_chunks() const;

  RequestParser parser_;
  std::optional<Exchange> exchange_;  // from the end of a request's head to the end of its answer
  bool ended_ = false;                // the client's sending side
  bool finished_ = false;
};

}  // namespace portcullis::server
