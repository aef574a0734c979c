// ClientTls: the client's side of a TLS connection, sans-I/O, like tls::Engine is the server's:
// ciphertext in and out by spans. ClientContext holds what all connections of a thread share.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "bench/loadgen/clients.h"
#include "bench/loadgen/options.h"
#include "tls/span_bio.h"

namespace portcullis::bench {

class ClientContext {
 public:
  // Create reads the CA file that the options name. A context of its own for each thread: nothing
  // is shared on the way.
  static absl::StatusOr<std::unique_ptr<ClientContext>> Create(const Options& options);
  [[nodiscard]] SSL_CTX* get() const { return context_.get(); }

 private:
  explicit ClientContext(bssl::UniquePtr<SSL_CTX> context) : context_(std::move(context)) {}
  bssl::UniquePtr<SSL_CTX> context_;
};

enum class [[nodiscard]] ClientStatus : uint8_t { kWantRead, kDone, kClosed, kFailed };

class ClientTls {
 public:
  // `name`: the server's, to ask for; empty: none. At most kLongestServerName. `client` outlives
  // the connection and gets its tickets. `resume`: offer the one it has.
  ClientTls(const ClientContext& context, const std::string& name, Client& client, bool resume);
  ClientTls(const ClientTls&) = delete;
  ClientTls& operator=(const ClientTls&) = delete;

  // Handshake goes as far as `input` allows; kDone when our side is complete.
  ClientStatus Handshake(std::span<const uint8_t>& input, tls::Sink sink);
  // Read decrypts into `plain` (kDone: `produced` bytes); kClosed is the server's close_notify.
  ClientStatus Read(std::span<const uint8_t>& input, std::span<uint8_t> plain, size_t& produced,
                    tls::Sink sink);
  [[nodiscard]] bool Write(std::string_view plain, tls::Sink sink);
  // CloseNotify says that nothing more will be written, once the handshake is done.
  void CloseNotify(tls::Sink sink);

  // server_name is the one that was asked for; empty: none.
  [[nodiscard]] std::string_view server_name() const {
    const char* const name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
    return name == nullptr ? std::string_view() : name;
  }
  [[nodiscard]] bool offered() const { return offered_; }
  [[nodiscard]] bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  // negotiated names the cipher and, where keys were exchanged, the group: "TLS_AES_128_GCM_SHA256
  // X25519".
  [[nodiscard]] std::string negotiated() const;
  // failure names what went wrong: "alert: certificate_required", or the library's own reason.
  [[nodiscard]] const std::string& failure() const { return failure_; }
  // alert is the description of the fatal alert that the server sent, -1 when it sent none.
  [[nodiscard]] int alert() const { return alert_; }

 private:
  static void OnInfo(const SSL* ssl, int type, int value);
  static int OnSession(SSL* ssl, SSL_SESSION* session);
  friend class ClientContext;
  ClientStatus Judge(int result);

  Client& client_;
  tls::SpanIo io_;
  bssl::UniquePtr<SSL> ssl_;
  std::string failure_;
  int alert_ = -1;
  bool offered_ = false;
};

}  // namespace portcullis::bench
