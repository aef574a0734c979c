#include "tls/engine_callbacks.h"

#include <openssl/err.h>
#include <openssl/mem.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tls/check.h"
#include "tls/client_hello.h"
#include "tls/engine.h"

namespace portcullis::tls {
namespace {

thread_local int64_t now_for_library = 0;

constexpr SSL_TICKET_AEAD_METHOD kTicketMethod = {
    EngineCallbacks::TicketOverhead, EngineCallbacks::SealTicket, EngineCallbacks::OpenTicket};

int VerifyMode(const ClientAuthSpec& spec) {
  if (spec.mode == ClientAuthMode::kOff) return SSL_VERIFY_NONE;
  // Under the `http` style a handshake without a certificate completes, to be answered with a page.
  const bool fails_without =
      spec.mode == ClientAuthMode::kRequire && spec.refusal == RefusalStyle::kAlert;
  return SSL_VERIFY_PEER | (fails_without ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
}

// Everything of a host that SSL_set_SSL_CTX leaves behind: it takes over the certificate with its
// signature schemes, and what the library looks up through the context (ciphers, ALPN, CA names,
// clock); and what hosts that share a context differ in.
bool ApplyHost(SSL* ssl, const Host& host) {
  const HostSpec& spec = *host.spec;
  if (!spec.tickets) SSL_set_options(ssl, SSL_OP_NO_TICKET);
  SSL_set_custom_verify(ssl, VerifyMode(spec.client_auth), EngineCallbacks::Verify);
  return SSL_set_session_id_context(ssl, host.session_context.data(),
                                    host.session_context.size()) == 1 &&
         SSL_set_min_proto_version(ssl, spec.min_version) == 1 &&
         SSL_set_max_proto_version(ssl, spec.max_version) == 1 &&
         (host.groups.empty() || SSL_set1_groups_list(ssl, host.groups.c_str()) == 1);
}

// The OCSP response of a host's credential, while it is fresh. Contexts have none: what was stapled
// at load would be stapled for ever.
bool Staple(SSL* ssl, const Host& host, size_t credential, int64_t now) {
  const std::string& response = host.spec->credentials[credential].ocsp_response;
  if (response.empty() || host.staples_until[credential] < now) return true;
  return SSL_set_ocsp_response(ssl, reinterpret_cast<const uint8_t*>(response.data()),
                               response.size()) == 1;
}

}  // namespace

Engine& EngineCallbacks::EngineOf(const SSL* ssl) {
  auto* const engine = static_cast<Engine*>(SSL_get_app_data(ssl));
  TLS_CHECK(engine != nullptr);
  return *engine;
}

void EngineCallbacks::InstallBase(SSL_CTX* context) {
  SSL_CTX_set_select_certificate_cb(context, SelectCertificate);
  SSL_CTX_set_tlsext_servername_callback(context, ServerName);
  SSL_CTX_set_msg_callback(context, Message);
  SSL_CTX_set_ticket_aead_method(context, &kTicketMethod);
  SSL_CTX_set_current_time_cb(context, CurrentTime);
}

void EngineCallbacks::InstallHost(SSL_CTX* context) {
  SSL_CTX_set_current_time_cb(context, CurrentTime);
  SSL_CTX_set_alpn_select_cb(context, SelectAlpn, nullptr);
}

void EngineCallbacks::SetNow(int64_t unix_seconds) { now_for_library = unix_seconds; }

void EngineCallbacks::CurrentTime(const SSL* /*unused*/, timeval* out) {
  out->tv_sec = now_for_library;
  out->tv_usec = 0;
}

ssl_select_cert_result_t EngineCallbacks::SelectCertificate(const SSL_CLIENT_HELLO* hello) {
  SSL* const ssl = hello->ssl;
  Engine& engine = EngineOf(ssl);
  engine.host_ = engine.hosts_->Select(engine.sni());
  if (engine.host_ == nullptr) {
    engine.sni_refused_ = true;
    return ssl_select_cert_success;  // ServerName is next.
  }
  const Host& host = *engine.host_;
  const size_t credential =
      host.contexts.size() == 1
          ? 0
          : ChooseCredential(ReadOffer(*hello), host.key_kinds, host.spec->max_version);
  if (SSL_set_SSL_CTX(ssl, host.contexts[credential].get()) == nullptr || !ApplyHost(ssl, host) ||
      !Staple(ssl, host, credential, engine.hosts_->now())) {
    return ssl_select_cert_error;
  }
  return ssl_select_cert_success;
}

int EngineCallbacks::ServerName(SSL* ssl, int* out_alert, void* /*unused*/) {
  if (!EngineOf(ssl).sni_refused_) return SSL_TLSEXT_ERR_OK;
  *out_alert = SSL_AD_UNRECOGNIZED_NAME;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int EngineCallbacks::SelectAlpn(SSL* ssl, const uint8_t** out, uint8_t* out_size,
                                const uint8_t* offered, unsigned offered_size, void* /*unused*/) {
  return ChooseAlpn(EngineOf(ssl).host_->spec->alpn, out, out_size, {offered, offered_size});
}

int EngineCallbacks::ChooseAlpn(const std::vector<std::string>& preferred, const uint8_t** out,
                                uint8_t* out_size, std::span<const uint8_t> offered) {
  if (preferred.empty()) return SSL_TLSEXT_ERR_NOACK;
  // Our order of preference. The library has checked the list's shape.
  for (const std::string& protocol : preferred) {
    for (size_t at = 0; at < offered.size(); at += size_t{1} + offered[at]) {
      const std::string_view name(reinterpret_cast<const char*>(&offered[at] + 1), offered[at]);
      if (name != protocol) continue;
      *out = &offered[at] + 1;
      *out_size = offered[at];
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301 3.2: no_application_protocol
}

ssl_verify_result_t EngineCallbacks::Verify(SSL* ssl, uint8_t* out_alert) {
  Engine& engine = EngineOf(ssl);
  if (!engine.judged_) engine.JudgePeer();
  if (engine.NeedsStatus()) return ssl_verify_retry;
  if (engine.refusal() == Rejection::kNone ||
      engine.host_->spec->client_auth.refusal == RefusalStyle::kHttp) {
    return ssl_verify_ok;
  }
  *out_alert = Alert(engine.verdict_.rejection, SSL_version(ssl) >= TLS1_3_VERSION);
  return ssl_verify_invalid;
}

void EngineCallbacks::Message(int is_write, int /*version*/, int content_type, const void* bytes,
                              size_t size, SSL* ssl, void* /*unused*/) {
  const auto* const data = static_cast<const uint8_t*>(bytes);
  if (content_type == SSL3_RT_ALERT && size == 2) {
    if (data[0] == SSL3_AL_FATAL) EngineOf(ssl).NoteAlert(data[1], is_write == 0);
  } else if (content_type == SSL3_RT_HANDSHAKE && size > 0) {
    if (is_write == 0 && data[0] == SSL3_MT_FINISHED) EngineOf(ssl).PrepareTicket();
    if (is_write == 0) return;
    if (data[0] == SSL3_MT_KEY_UPDATE) EngineOf(ssl).answer_pending_ = true;
    // In TLS 1.2 it is part of a flight, which is sent as such.
    const bool is_tls13 = SSL_version(ssl) >= TLS1_3_VERSION;
    if (data[0] == SSL3_MT_NEW_SESSION_TICKET && is_tls13) EngineOf(ssl).ticket_pending_ = true;
  }
}

size_t EngineCallbacks::TicketOverhead(SSL* ssl) {
  return TicketKeys::kOverhead + Engine::kTicketTrailer + EngineOf(ssl).ticket_identity_.size();
}

int EngineCallbacks::SealTicket(SSL* ssl, uint8_t* out, size_t* out_size, size_t capacity,
                                const uint8_t* session, size_t session_size) {
  Engine& engine = EngineOf(ssl);
  *out_size = 0;
  if (engine.ticket_refused_) {
    // TLS 1.2 promised a ticket in its ServerHello, before anyone was judged: an empty one keeps
    // the promise (RFC 5077 3.3). TLS 1.3 does not come here, PrepareTicket has turned tickets off.
    return SSL_version(ssl) < TLS1_3_VERSION ? 1 : 0;
  }
  std::vector<uint8_t> plain = engine.TicketPlaintext({session, session_size});
  *out_size = engine.hosts_->ticket_keys().Seal(
      {out, capacity}, plain, engine.host_->session_context, engine.hosts_->now());
  OPENSSL_cleanse(plain.data(), plain.size());
  return *out_size > 0 ? 1 : 0;
}

ssl_ticket_aead_result_t EngineCallbacks::OpenTicket(SSL* ssl, uint8_t* out, size_t* out_size,
                                                     size_t capacity, const uint8_t* ticket,
                                                     size_t ticket_size) {
  Engine& engine = EngineOf(ssl);
  if (engine.host_ == nullptr) return ssl_ticket_aead_ignore_ticket;
  // Sealed for this host and epoch, or it does not open.
  const size_t opened = engine.hosts_->ticket_keys().Open(
      {out, capacity}, {ticket, ticket_size}, engine.host_->session_context, engine.hosts_->now());
  *out_size = engine.JudgeTicket({out, opened});
  return *out_size > 0 ? ssl_ticket_aead_success : ssl_ticket_aead_ignore_ticket;
}

}  // namespace portcullis::tls
