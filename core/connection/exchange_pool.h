// ExchangePool: what an HTTP exchange takes and a connection between exchanges does not: the codec
// towards the backend and the buffer of the encoded request. Kept warm, so that the next exchange,
// of whichever connection, allocates nothing for them. Owned by a worker; its thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/http/http1_client_codec.h"

namespace portcullis::connection {

class ExchangePool {
 public:
  // As many are kept as a worker commonly has under way, and no buffer that a large body has grown.
  static constexpr size_t kMaxKept = 64;
  static constexpr size_t kMaxBufferBytes = size_t{16} * 1024;

  // TakeCodec returns one ready for a request, under `limits`, which tells `events`.
  [[nodiscard]] std::unique_ptr<http::Http1ClientCodec> TakeCodec(const http::Http1Limits& limits,
                                                                  http::ResponseEvents& events);
  // GiveCodec takes one back; null is fine. Only one whose exchange ended cleanly is used again.
  void GiveCodec(std::unique_ptr<http::Http1ClientCodec> codec);

  // TakeBuffer returns an empty buffer.
  [[nodiscard]] std::vector<uint8_t> TakeBuffer();
  void GiveBuffer(std::vector<uint8_t> buffer);

 private:
  std::vector<std::unique_ptr<http::Http1ClientCodec>> codecs_;
  std::vector<std::vector<uint8_t>> buffers_;
};

}  // namespace portcullis::connection
