// ClientTls: the client's side of a TLS connection, sans-I/O, like tls::Engine is the server's:
// ciphertext in and out by spans. ClientContext holds what all connections share. One thread each.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "bench/loadgen/options.h"
#include "tls/engine.h"
#include "tls/span_bio.h"

namespace portcullis::bench {

class ClientContext {
 public:
  // Create reads the files the options name. A context of its own for each thread: nothing is
  // shared on the way.
  static absl::StatusOr<std::unique_ptr<ClientContext>> Create(const Options& options);
  [[nodiscard]] SSL_CTX* get() const { return context_.get(); }
  [[nodiscard]] const std::string& sni() const { return sni_; }

 private:
  explicit ClientContext(bssl::UniquePtr<SSL_CTX> context, std::string sni)
      : context_(std::move(context)), sni_(std::move(sni)) {}
  bssl::UniquePtr<SSL_CTX> context_;
  std::string sni_;
};

enum class [[nodiscard]] ClientStatus : uint8_t { kWantRead, kDone, kClosed, kFailed };

class ClientTls {
 public:
  explicit ClientTls(const ClientContext& context);
  ClientTls(const ClientTls&) = delete;
  ClientTls& operator=(const ClientTls&) = delete;

  // Handshake goes as far as `input` allows; kDone when our side is complete.
  ClientStatus Handshake(std::span<const uint8_t>& input, tls::Sink sink);
  // Read decrypts into `plain` (kDone: `produced` bytes); kClosed is the server's close_notify.
  ClientStatus Read(std::span<const uint8_t>& input, std::span<uint8_t> plain, size_t& produced,
                    tls::Sink sink);
  [[nodiscard]] bool Write(std::string_view plain, tls::Sink sink);

  // failure names what went wrong: "alert: certificate_required", or the library's own reason.
  [[nodiscard]] std::string failure() const;

 private:
  ClientStatus Judge(int result);

  tls::SpanIo io_;
  bssl::UniquePtr<SSL> ssl_;
  std::string failure_;
};

}  // namespace portcullis::bench
