// EngineCallbacks: what BoringSSL calls back while an Engine drives it. Each finds its Engine in
// the SSL's application data; the Engine's thread only. The library asks for the time without
// saying for whom, so every call into it is preceded by SetNow on that thread.
#pragma once

#include <openssl/ssl.h>
#include <sys/time.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace portcullis::tls {

struct Host;
class Engine;

struct EngineCallbacks {
  // EngineOf finds the Engine that drives `ssl`.
  static Engine& EngineOf(const SSL* ssl);

  // InstallBase sets what a connection takes from the context it is made in.
  static void InstallBase(SSL_CTX* context);
  // InstallHost sets what it takes from a context of its virtual host, which others may share.
  static void InstallHost(SSL_CTX* context);

  // SigningMethod: how contexts with an attached key sign (engine_signing.cc).
  static const SSL_PRIVATE_KEY_METHOD* SigningMethod();

  // SetNow sets this thread's clock for the library, in seconds since the epoch.
  static void SetNow(int64_t unix_seconds);

  // SelectCertificate chooses virtual host and credential, before the library looks at tickets.
  static ssl_select_cert_result_t SelectCertificate(const SSL_CLIENT_HELLO* hello);
  // ServerName refuses a name that SelectCertificate found no host for: only here is the alert ours
  // to choose.
  static int ServerName(SSL* ssl, int* out_alert, void* unused);
  static int SelectAlpn(SSL* ssl, const uint8_t** out, uint8_t* out_size, const uint8_t* offered,
                        unsigned offered_size, void* unused);
  // ChooseAlpn takes the first of `preferred` that is offered; none of them preferred, ALPN is
  // ignored. `offered` is in wire form, its shape checked by the library.
  static int ChooseAlpn(const std::vector<std::string>& preferred, const uint8_t** out,
                        uint8_t* out_size, std::span<const uint8_t> offered);
  static ssl_verify_result_t Verify(SSL* ssl, uint8_t* out_alert);
  // Message sees every message and alert either way: it notes alerts, and settles the ticket when
  // the client's Finished is in.
  static void Message(int is_write, int version, int content_type, const void* bytes, size_t size,
                      SSL* ssl, void* unused);
  static size_t TicketOverhead(SSL* ssl);
  static int SealTicket(SSL* ssl, uint8_t* out, size_t* out_size, size_t capacity,
                        const uint8_t* session, size_t session_size);
  static ssl_ticket_aead_result_t OpenTicket(SSL* ssl, uint8_t* out, size_t* out_size,
                                             size_t capacity, const uint8_t* ticket,
                                             size_t ticket_size);
  static void CurrentTime(const SSL* unused, timeval* out);
  // Sign signs at once, or has the Engine ask its owner for the signature (AttachedKey::on_helper),
  // which Complete then takes.
  static ssl_private_key_result_t Sign(SSL* ssl, uint8_t* out, size_t* out_size, size_t capacity,
                                       uint16_t scheme, const uint8_t* input, size_t size);
  static ssl_private_key_result_t Complete(SSL* ssl, uint8_t* out, size_t* out_size,
                                           size_t capacity);
};

}  // namespace portcullis::tls
