// HttpRelay: the http stage of one connection: requests in, one at a time, judged and routed, their
// bodies and the backend's answers passed on as they come, with backpressure both ways. It sees
// exchanges as events; codecs translate.
//
// Owned by a Downstream; that worker's thread only. Never destroyed from within its own calls:
// ending a connection only marks it (close.h). Backend connections come from the worker's pool and
// go back to it after a clean exchange.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/connection/context.h"
#include "core/connection/downstream.h"
#include "core/http/http1_client_codec.h"
#include "core/http/http1_server_codec.h"
#include "core/http/identity.h"

namespace portcullis::connection {

// StartHttp enters the http stage; `rest` is ciphertext that came behind the handshake.
void StartHttp(Context& ctx, Downstream& down, std::span<const uint8_t> rest);

// AppendPlainHttpPage puts nginx's 497 answer, unencrypted, into the output: the client spoke plain
// HTTP.
void AppendPlainHttpPage(Context& ctx, Downstream& down);

class HttpRelay final : private http::RequestEvents, private http::ResponseEvents {
 public:
  HttpRelay(Context& ctx, Downstream& down);

  void OnClientBytes(std::span<const uint8_t> ciphertext);
  void OnClientRecv(io::RecvEvent event);
  void OnClientSend(io::SendEvent event);
  void OnBackendConnect(int error);
  void OnBackendRecv(io::RecvEvent event);
  void OnBackendSend(io::SendEvent event);
  void OnDeadline();
  void OnDrain();
  void OnLapse();
  // OnMoved: the connection belongs to another runtime now, and the one before may go. The exchange
  // under way is finished with the backend that it began with.
  void OnMoved();
  // Deadline returns when the phase the connection is in runs out of time (write stalls apart).
  [[nodiscard]] io::Millis Deadline() const;

 private:
  // Client side (http_relay.cc).
  // Whether what the client says next has to wait: the request is complete, or the client does not
  // read what it has been answered.
  [[nodiscard]] bool Blocked() const;
  void Keep(std::span<const uint8_t> ciphertext);
  void FeedPlain(std::span<const uint8_t> plain);
  void AfterFeed();
  void Continue();
  void TakeUp();
  void OnClientEof();
  void OnClientCloseNotify();

  // Request events and routing (http_request.cc).
  void OnRequestHead(http::RequestHead& head) override;
  void OnRequestData(std::span<const uint8_t> data) override;
  void OnRequestTrailers(http::HeaderList& trailers) override;
  void OnRequestEnd() override;
  [[nodiscard]] bool MayAsk(std::string_view name, const tls::Host& host) const;
  [[nodiscard]] uint16_t Route(const http::RequestHead& head);
  void BuildIdentity(const tls::Host& host);
  void StartUpstream();
  void DialNext();
  void PushRequest();
  void ResumeClient();
  [[nodiscard]] http::ByteSink RequestSink();

  // Response side (http_response.cc).
  void OnInterim(http::ResponseHead& head) override;
  void OnResponseHead(http::ResponseHead& head) override;
  void OnResponseData(std::span<const uint8_t> data) override;
  void OnResponseTrailers(http::HeaderList& trailers) override;
  void OnResponseEnd() override;
  void FeedBackend(std::span<const uint8_t> bytes);
  void OnBackendEof();
  void OnBackendLoss(int error);
  void FinishResponse();
  void Respond(uint16_t page_code, bool close);
  void FlushReply();
  void SwitchProtocols(std::span<const uint8_t> rest);
  void ReturnUpstream(bool reusable);
  [[nodiscard]] http::ByteSink ReplySink();
  void Reply(std::span<const uint8_t> bytes);
  void Encrypt(std::span<const uint8_t> bytes);
  [[nodiscard]] bool ExchangeOpen() const { return server_.head_received(); }

  Context& ctx_;
  Downstream& down_;
  http::Http1Limits limits_;
  http::Http1ServerCodec server_;
  std::unique_ptr<http::Http1ClientCodec> client_;  // of the exchange under way
  http::IdentityHeaders identity_;
  const tls::Host* identity_host_ = nullptr;          // the host identity_ was built for
  const HostRuntime* route_ = nullptr;                // of the head being read, or the last
  std::shared_ptr<backend::BackendRuntime> backend_;  // that the last request was routed to
  std::vector<uint8_t>
      request_bytes_;              // encoded, for the backend: not yet sent, or kept for a retry
  size_t request_sent_ = 0;        // of request_bytes_, handed to the upstream
  std::vector<uint8_t> leftover_;  // plaintext behind the request under way
  uint16_t page_ = 0;              // answer decided while parsing, given when the parser is done
  uint16_t status_ = 0;            // of the response under way
  uint8_t attempts_ = 0;           // dials for this request
  bool forwarding_ = false;        // the request goes to a backend
  bool connected_ = false;         // the upstream can take bytes
  bool keeping_ = false;           // request_bytes_ is kept for a retry
  bool idempotent_ = false;
  bool client_closed_ = false;  // close_notify seen
  bool held_back_ = false;      // no request is begun until the client has read its answers
  bool draining_ = false;
  bool sealed_ = false;        // records were made since the last FlushReply
  bool seal_failed_ = false;   // ... or could not be
  int64_t started_ns_ = 0;     // of the request under way
  io::Millis head_ms_ = 0;     // since when a head is awaited or under way
  io::Millis backend_ms_ = 0;  // last sign of the backend, or when its answer became due
};

}  // namespace portcullis::connection
