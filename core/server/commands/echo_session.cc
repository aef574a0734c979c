#include "core/server/commands/echo_session.h"

#include <algorithm>

namespace portcullis::server {

size_t EchoSession::Feed(std::span<const uint8_t> bytes) {
  const size_t taken = std::min(bytes.size(), kHeldBytes - held_.size());
  held_.append(reinterpret_cast<const char*>(bytes.data()), taken);
  return taken;
}

void EchoSession::Produce(std::string& out, size_t limit, Clock::time_point) {
  const size_t taken = std::min(limit, held_.size());
  out.append(held_, 0, taken);
  held_.erase(0, taken);
}

}  // namespace portcullis::server
