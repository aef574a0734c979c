// Session: one connection of the load: connect, handshake, requests and their answers, close. A
// slot of its driver's slab; the driver's thread only. It makes no decisions: it tells what
// happened, and is told whether to ask again.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "bench/loadgen/client_tls.h"
#include "bench/loadgen/failure.h"
#include "bench/loadgen/unit.h"
#include "core/http/http1_client_codec.h"
#include "io/slab.h"
#include "io/stream.h"
#include "io/timer_wheel.h"

namespace portcullis::bench {

enum class [[nodiscard]] Outcome : uint8_t {
  kGoing,
  kReady,     // our side of the handshake is complete: Ask, Idle or close
  kAnswered,  // a whole answer with the status wanted has come: likewise
  kFailed,    // see failure()
};

class Session final : private http::ResponseEvents {
 public:
  Session() = default;
  uint32_t slot = 0;
  uint32_t generation = 0;
  Session* next_free = nullptr;
  io::Stream stream;
  io::TimerNode timer;

  // The driver's notes.
  Unit unit;  // what the connection, or the request on it, counts as
  int64_t handshaken_ns = 0;
  bool placed = false;    // one of those that --connections limits
  bool parked = false;    // open, with nothing asked
  bool ended = false;     // its outcome has been told; only the kernel still holds it
  bool accepted = false;  // an answer has come, or the handshake if that is all that is wanted
  uint32_t answers = 0;

  // Start opens a socket and connects, from `source` unless that is null. kFailed when there is no
  // socket to be had. `client` outlives the session.
  Outcome Start(io::StreamEnv& env, const ClientContext& context, const Options& options,
                const std::string& server_name, const io::SocketAddress* source, Client& client,
                bool resume, int64_t now_ns);
  // Each takes an event and goes on as far as it leads. Flush after the last.
  Outcome OnConnect(io::StreamEnv& env, const io::Cqe& cqe);
  Outcome OnReceive(io::StreamEnv& env, io::RecvEvent event);
  Outcome OnSent(io::StreamEnv& env, io::SendEvent event);
  Outcome OnTimeout();
  // Fail ends it for a reason of the driver's.
  Outcome Fail(Failure failure);
  // Ask writes a request and goes on with what has been received. Only after kReady or kAnswered,
  // and when reusable().
  Outcome Ask(io::StreamEnv& env, int64_t now_ns);
  // Idle goes on with what has been received though nothing was asked: kGoing if that was nothing
  // but tickets.
  Outcome Idle(io::StreamEnv& env) { return Proceed(env); }
  void Flush(io::StreamEnv& env) { stream.Flush(env); }
  // TakeLeave says close_notify, unless something went wrong: as clients do before they close.
  void TakeLeave(io::StreamEnv& env);
  // Reset drops the TLS state after the stream was released.
  void Reset();

  [[nodiscard]] const Failure& failure() const { return failure_; }
  [[nodiscard]] const Client& client() const { return *client_; }
  [[nodiscard]] const ClientTls& tls() const { return *tls_; }
  [[nodiscard]] int64_t started_ns() const { return started_ns_; }
  [[nodiscard]] int64_t asked_ns() const { return asked_ns_; }
  [[nodiscard]] uint64_t body_bytes() const { return body_bytes_; }  // of the last answer
  [[nodiscard]] bool reusable() const { return !codec_.has_value() || codec_->reusable(); }

 private:
  Outcome FailTls();
  Outcome Proceed(io::StreamEnv& env);
  Outcome ReadAnswer(tls::Sink sink);
  Outcome OnPlaintext(std::span<const uint8_t> plain);
  Outcome OnCloseNotify();
  Outcome Answered();
  [[nodiscard]] bool Write(io::StreamEnv& env);
  void OnInterim(http::ResponseHead&) override {}
  void OnResponseHead(http::ResponseHead& head) override;
  void OnResponseData(std::span<const uint8_t> data) override { body_bytes_ += data.size(); }
  void OnResponseTrailers(http::HeaderList&) override {}
  void OnResponseEnd() override { answered_ = true; }

  const Options* options_ = nullptr;
  Client* client_ = nullptr;
  std::optional<ClientTls> tls_;
  std::optional<http::Http1ClientCodec> codec_;
  std::span<const uint8_t> input_;  // of this turn, not consumed
  Failure failure_;
  Stage stage_ = Stage::kConnect;
  int64_t started_ns_ = 0;
  int64_t asked_ns_ = 0;
  uint64_t upload_left_ = 0;  // of the request's body, not written
  uint64_t body_bytes_ = 0;
  uint16_t status_ = 0;
  bool answered_ = false;
};

}  // namespace portcullis::bench
