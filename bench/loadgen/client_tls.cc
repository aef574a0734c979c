#include "bench/loadgen/client_tls.h"

#include <openssl/err.h>

#include <utility>

#include "absl/strings/str_cat.h"

#include "tls/rejection.h"

namespace portcullis::bench {
namespace {

absl::Status LibraryError(absl::string_view what) {
  const uint32_t error = ERR_get_error();
  return absl::InvalidArgumentError(absl::StrCat(what, ": ", ERR_reason_error_string(error)));
}

// The description of the last fatal alert received, kept per connection as app data.
void OnInfo(const SSL* ssl, int type, int value) {
  if (type == SSL_CB_READ_ALERT && (value >> 8) == SSL3_AL_FATAL) {
    *static_cast<std::string*>(SSL_get_app_data(ssl)) =
        absl::StrCat("alert: ", std::string(tls::AlertName(static_cast<uint8_t>(value & 0xff))));
  }
}

// Lends `io` a span and a sink for one call.
class Lend {
 public:
  Lend(tls::SpanIo& io, std::span<const uint8_t>* input, tls::Sink sink) : io_(io) {
    io_.input = input;
    io_.sink = sink;
    ERR_clear_error();
  }
  ~Lend() {
    io_.input = nullptr;
    io_.sink = {};
  }
  Lend(const Lend&) = delete;
  Lend& operator=(const Lend&) = delete;

 private:
  tls::SpanIo& io_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ClientContext>> ClientContext::Create(const Options& options) {
  bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_method()));
  SSL_CTX_set_min_proto_version(context.get(), options.version);
  SSL_CTX_set_max_proto_version(context.get(), options.version);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_info_callback(context.get(), OnInfo);
  if (!options.certificate.empty()) {
    if (SSL_CTX_use_certificate_chain_file(context.get(), options.certificate.c_str()) != 1) {
      return LibraryError(options.certificate);
    }
    if (SSL_CTX_use_PrivateKey_file(context.get(), options.key.c_str(), SSL_FILETYPE_PEM) != 1) {
      return LibraryError(options.key);
    }
  }
  if (!options.ca.empty()) {
    if (SSL_CTX_load_verify_locations(context.get(), options.ca.c_str(), nullptr) != 1) {
      return LibraryError(options.ca);
    }
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  }
  return std::unique_ptr<ClientContext>(new ClientContext(std::move(context), options.sni));
}

ClientTls::ClientTls(const ClientContext& context) : ssl_(SSL_new(context.get())) {
  BIO* const bio = tls::NewSpanBio(&io_).release();
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), &failure_);
  SSL_set_connect_state(ssl_.get());
  SSL_set_tlsext_host_name(ssl_.get(), context.sni().c_str());
}

ClientStatus ClientTls::Judge(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return ClientStatus::kWantRead;
    case SSL_ERROR_ZERO_RETURN:
      return ClientStatus::kClosed;
    default:
      if (failure_.empty()) {
        const char* reason = ERR_reason_error_string(ERR_peek_error());
        failure_ = absl::StrCat("tls: ", reason == nullptr ? "unknown" : reason);
      }
      return ClientStatus::kFailed;
  }
}

ClientStatus ClientTls::Handshake(std::span<const uint8_t>& input, tls::Sink sink) {
  const Lend lend(io_, &input, sink);
  const int result = SSL_do_handshake(ssl_.get());
  return result == 1 ? ClientStatus::kDone : Judge(result);
}

ClientStatus ClientTls::Read(std::span<const uint8_t>& input, std::span<uint8_t> plain,
                             size_t& produced, tls::Sink sink) {
  const Lend lend(io_, &input, sink);
  produced = 0;
  const int result = SSL_read(ssl_.get(), plain.data(), static_cast<int>(plain.size()));
  if (result <= 0) return Judge(result);
  produced = static_cast<size_t>(result);
  return ClientStatus::kDone;
}

bool ClientTls::Write(std::string_view plain, tls::Sink sink) {
  const Lend lend(io_, nullptr, sink);
  return SSL_write(ssl_.get(), plain.data(), static_cast<int>(plain.size())) ==
         static_cast<int>(plain.size());
}

std::string ClientTls::failure() const { return failure_; }

}  // namespace portcullis::bench
