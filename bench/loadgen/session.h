// Session: one connection of the load: connect, handshake, request, answer, close. A slot of its
// driver's slab; the driver's thread only. It makes no decisions about the next one: it tells its
// outcome.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "bench/loadgen/client_tls.h"
#include "core/http/http1_client_codec.h"
#include "io/slab.h"
#include "io/stream.h"
#include "io/timer_wheel.h"

namespace portcullis::bench {

enum class [[nodiscard]] Outcome : uint8_t { kGoing, kDone, kFailed };

class Session final : private http::ResponseEvents {
 public:
  Session() = default;
  uint32_t slot = 0;
  uint32_t generation = 0;
  Session* next_free = nullptr;
  io::Stream stream;
  io::TimerNode timer;
  bool ended = false;  // its outcome has been told; only the kernel still holds it

  // Start opens a socket and connects. kFailed when there is no socket to be had.
  Outcome Start(io::StreamEnv& env, const ClientContext& context, const Options& options,
                int64_t now_ns);
  Outcome OnConnect(io::StreamEnv& env, const io::Cqe& cqe);
  Outcome OnReceive(io::StreamEnv& env, io::RecvEvent event, int64_t now_ns);
  Outcome OnSent(io::SendEvent event);
  Outcome OnTimeout();
  // Reset drops the TLS state after the stream was released.
  void Reset();

  [[nodiscard]] const std::string& failure() const { return failure_; }
  [[nodiscard]] int64_t started_ns() const { return started_ns_; }
  [[nodiscard]] int64_t handshake_ns() const { return handshake_ns_; }

 private:
  Outcome Fail(std::string failure);
  Outcome Feed(io::StreamEnv& env, std::span<const uint8_t> bytes, int64_t now_ns);
  Outcome ReadAnswer(std::span<const uint8_t> bytes, tls::Sink sink);
  [[nodiscard]] bool SendRequest(tls::Sink sink);
  void OnInterim(http::ResponseHead&) override {}
  void OnResponseHead(http::ResponseHead& head) override { status_ = head.status; }
  void OnResponseData(std::span<const uint8_t>) override {}
  void OnResponseTrailers(http::HeaderList&) override {}
  void OnResponseEnd() override { answered_ = true; }

  const Options* options_ = nullptr;
  std::optional<ClientTls> tls_;
  std::optional<http::Http1ClientCodec> codec_;
  std::string failure_;
  int64_t started_ns_ = 0;
  int64_t handshake_ns_ = 0;  // 0 until our side is complete
  uint16_t status_ = 0;
  bool answered_ = false;
};

}  // namespace portcullis::bench
