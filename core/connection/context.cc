#include "core/connection/context.h"

#include <ctime>
#include <span>

namespace portcullis::connection {

int64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

tls::Sink MakeSink(ChainSink& chain_sink) {
  return tls::Sink{.context = &chain_sink,
                   .append = [](void* context, const uint8_t* bytes, size_t size) {
                     auto& sink = *static_cast<ChainSink*>(context);
                     sink.chain.Append(sink.blocks, std::span(bytes, size));
                   }};
}

}  // namespace portcullis::connection
