#include "core/connection/exchange_pool.h"

#include <utility>

namespace portcullis::connection {

std::unique_ptr<http::Http1ClientCodec> ExchangePool::TakeCodec(const http::Http1Limits& limits,
                                                                http::ResponseEvents& events) {
  if (!codecs_.empty()) {
    std::unique_ptr<http::Http1ClientCodec> codec = std::move(codecs_.back());
    codecs_.pop_back();
    if (codec->limits() == limits) {
      codec->NextExchange(events);
      return codec;
    }
    // A reload has changed them, and connections of both kinds are about: one goes at a time.
  }
  return std::make_unique<http::Http1ClientCodec>(limits, events);
}

void ExchangePool::GiveCodec(std::unique_ptr<http::Http1ClientCodec> codec) {
  if (codec == nullptr || !codec->reusable() || codecs_.size() >= kMaxKept) return;
  codecs_.push_back(std::move(codec));
}

std::vector<uint8_t> ExchangePool::TakeBuffer() {
  if (buffers_.empty()) return {};
  std::vector<uint8_t> buffer = std::move(buffers_.back());
  buffers_.pop_back();
  return buffer;
}

void ExchangePool::GiveBuffer(std::vector<uint8_t> buffer) {
  const size_t capacity = buffer.capacity();
  if (capacity == 0 || capacity > kMaxBufferBytes || buffers_.size() >= kMaxKept) return;
  buffer.clear();
  buffers_.push_back(std::move(buffer));
}

}  // namespace portcullis::connection
