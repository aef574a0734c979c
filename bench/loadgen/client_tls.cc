#include "bench/loadgen/client_tls.h"

#include <openssl/err.h>

#include <utility>

#include "absl/strings/str_cat.h"

#include "io/check.h"
#include "tls/rejection.h"

namespace portcullis::bench {
namespace {

static_assert(kLongestServerName == TLSEXT_MAXLEN_host_name);

absl::Status LibraryError(absl::string_view what) {
  const uint32_t error = ERR_get_error();
  const char* const reason = ERR_reason_error_string(error);
  return absl::InvalidArgumentError(
      absl::StrCat(what, ": ", reason == nullptr ? "refused by the library" : reason));
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

ssl_verify_result_t TrustAnyServer(SSL* /*ssl*/, uint8_t* /*alert*/) { return ssl_verify_ok; }

}  // namespace

void ClientTls::OnInfo(const SSL* ssl, int type, int value) {
  if (type != SSL_CB_READ_ALERT || (value >> 8) != SSL3_AL_FATAL) return;
  auto& self = *static_cast<ClientTls*>(SSL_get_app_data(ssl));
  self.alert_ = value & 0xff;
  self.failure_ =
      absl::StrCat("alert: ", std::string(tls::AlertName(static_cast<uint8_t>(self.alert_))));
}

int ClientTls::OnSession(SSL* ssl, SSL_SESSION* session) {
  static_cast<ClientTls*>(SSL_get_app_data(ssl))->client_.session.reset(session);
  return 1;  // the reference is ours
}

absl::StatusOr<std::unique_ptr<ClientContext>> ClientContext::Create(const Options& options) {
  // Whoever does not verify the server has no use for X.509 objects, which cost us time.
  bssl::UniquePtr<SSL_CTX> context(
      SSL_CTX_new(options.ca.empty() ? TLS_with_buffers_method() : TLS_method()));
  SSL_CTX_set_min_proto_version(context.get(), options.version);
  SSL_CTX_set_max_proto_version(context.get(), options.version);
  SSL_CTX_set_info_callback(context.get(), &ClientTls::OnInfo);
  if (options.resume_ppm != 0) {
    SSL_CTX_set_session_cache_mode(context.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context.get(), &ClientTls::OnSession);
  } else {
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  }
  if (!options.groups.empty() &&
      SSL_CTX_set1_curves_list(context.get(), options.groups.c_str()) != 1) {
    return LibraryError(absl::StrCat("--groups ", options.groups));
  }
  if (options.ca.empty()) {
    SSL_CTX_set_custom_verify(context.get(), SSL_VERIFY_PEER, TrustAnyServer);
  } else {
    if (SSL_CTX_load_verify_locations(context.get(), options.ca.c_str(), nullptr) != 1) {
      return LibraryError(options.ca);
    }
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  }
  return std::unique_ptr<ClientContext>(new ClientContext(std::move(context)));
}

ClientTls::ClientTls(const ClientContext& context, const std::string& name, Client& client,
                     bool resume)
    : client_(client), ssl_(SSL_new(context.get())) {
  BIO* const bio = tls::NewSpanBio(&io_).release();
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_connect_state(ssl_.get());
  if (!name.empty()) {
    CHECK(SSL_set_tlsext_host_name(ssl_.get(), name.c_str()) == 1,
          "a server name that is too long");
  }
  if (const Credential& own = client.credential; own.key != nullptr) {
    std::vector<CRYPTO_BUFFER*> chain;
    for (const auto& each : own.chain) chain.push_back(each.get());
    CHECK(
        SSL_set_chain_and_key(ssl_.get(), chain.data(), chain.size(), own.key.get(), nullptr) == 1,
        "a certificate that does not go with its key");
  }
  if (resume && client.session != nullptr) {
    offered_ = SSL_set_session(ssl_.get(), client.session.get()) == 1;
  }
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

std::string ClientTls::negotiated() const {
  std::string names = SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl_.get()));
  const char* const group = SSL_get_curve_name(SSL_get_curve_id(ssl_.get()));
  if (group != nullptr) absl::StrAppend(&names, " ", group);
  return names;
}

void ClientTls::CloseNotify(tls::Sink sink) {
  if (SSL_in_init(ssl_.get())) return;
  const Lend lend(io_, nullptr, sink);
  (void)SSL_shutdown(ssl_.get());
}

}  // namespace portcullis::bench
