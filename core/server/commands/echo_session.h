// EchoSession: sends every byte back, and its own end once the client's end was reached. Owned and
// used as Session.
#pragma once

#include <string>

#include "core/server/commands/session.h"

namespace portcullis::server {

class EchoSession : public Session {
 public:
  // At most this much is held; then the client has to read before it is read from.
  static constexpr size_t kHeldBytes = 256 * 1024;

  [[nodiscard]] size_t Feed(std::span<const uint8_t> bytes) override;
  void FeedEnd() override { ended_ = true; }
  [[nodiscard]] bool wants_input() const override { return !ended_ && held_.size() < kHeldBytes; }
  void Produce(std::string& out, size_t limit, Clock::time_point now) override;
  [[nodiscard]] bool finished() const override { return ended_ && held_.empty(); }

 private:
  std::string held_;
  bool ended_ = false;
};

}  // namespace portcullis::server
