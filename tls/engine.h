// Engine: the server side of one TLS connection, sans-I/O: ciphertext in, plaintext out, and back.
// It knows no socket, no clock and no buffers of its own: input is a span it drains, output goes
// into the caller's Sink.
//
// Owned by a connection on a worker; that worker's thread only. Uses a HostTable of that worker's,
// which must outlive it, or its move to another table. Never free an Engine from inside a Sink.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "tls/client_status.h"
#include "tls/host_judge.h"
#include "tls/host_table.h"
#include "tls/rejection.h"
#include "tls/signing_key.h"
#include "tls/span_bio.h"
#include "tls/verdict.h"

namespace portcullis::tls {

enum class [[nodiscard]] HandshakeStatus : uint8_t {
  kWantRead,    // input drained, more is needed; flush the sink
  kWantStatus,  // the client's certificate is good so far, and its issuer's responder is to be
                // asked: status_query() says what. After SetStatus call again, with what is left of
                // the input
  kWantSignature,  // ours is to be made beside this thread: TakeSigningJob() says what. After
                   // SetSignature call again, with what is left of the input
  kDone,    // complete and, per the virtual host's policy, acceptable: see verdict() for the `http`
            // refusal style
  kFailed,  // failure() says why; a fatal alert may have gone to the sink
};

enum class [[nodiscard]] ReadStatus : uint8_t {
  kData,      // bytes were produced; call again until kWantRead
  kWantRead,  // input drained
  kClosed,    // the peer's close_notify: no more data will come
  kFailed,    // failure() says why
};

// What became of the signature that a full handshake asks of the server's key.
enum class SignatureState : uint8_t {
  kNone,     // not asked for
  kPending,  // at kWantSignature, or never answered
  kMade,
  kFailed,
};

// Why a handshake or a connection failed, for log and metrics.
struct Failure {
  Rejection reason = Rejection::kNone;
  uint8_t alert = 0;       // description, when has_alert
  bool has_alert = false;  // an alert was sent (or received, if alert_received)
  bool alert_received = false;
  const char* detail = "";  // the library's own reason, static string
};

class Engine {
 public:
  explicit Engine(HostTable& hosts);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Handshake drains `input` as far as the handshake needs and advances it (bytes behind the
  // handshake stay in `input` for Read). A TLS 1.3 session ticket is kept back: it goes along with
  // the first Write, in one piece, or is sent by SendTicket.
  HandshakeStatus Handshake(std::span<const uint8_t>& input, Sink sink);

  // ticket_pending: a ticket is kept back.
  [[nodiscard]] bool ticket_pending() const { return ticket_pending_; }
  // SendTicket sends it, if there is one.
  void SendTicket(Sink sink);

  // status_query: what to ask, at kWantStatus. Parses the leaf: look first whether the answer is
  // known under status_key().
  [[nodiscard]] StatusQuery status_query() const;
  [[nodiscard]] StatusKey status_key() const;
  // SetStatus answers kWantStatus; `until` (seconds since the epoch) bounds the session's tickets.
  void SetStatus(const StatusAnswer& answer);

  // TakeSigningJob hands out what is to be signed, once, at kWantSignature. It may outlive the
  // engine.
  [[nodiscard]] SigningJob TakeSigningJob();
  // SetSignature answers kWantSignature with what the job's Run returned.
  void SetSignature(std::vector<uint8_t> signature);
  [[nodiscard]] SignatureState signature_state() const { return signature_state_; }
  // key_provider: what signs, where signature_state() is not kNone.
  [[nodiscard]] KeyProvider key_provider() const { return key_provider_; }

  // Read decrypts at most plain.size() bytes (>= 1) into `plain`, sets `produced`. The sink takes
  // what the protocol itself wants to say (KeyUpdate, alerts).
  ReadStatus Read(std::span<const uint8_t>& input, std::span<uint8_t> plain, size_t& produced,
                  Sink sink);

  // Write encrypts all of `plain` into the sink (records of at most 16 KiB). False if the
  // connection is beyond use.
  [[nodiscard]] bool Write(std::span<const uint8_t> plain, Sink sink);

  // CloseNotify sends close_notify once; reading goes on to work.
  void CloseNotify(Sink sink);

  // Refuse sends a fatal alert of the taxonomy's choosing (for deadlines, overload, drain). Best
  // effort.
  void Refuse(Rejection reason, Sink sink);

  [[nodiscard]] const Failure& failure() const { return failure_; }
  // verdict: on the client's certificate; kNone with a null identity when none was asked or none
  // was sent under `optional`. Valid from kDone or kFailed on.
  [[nodiscard]] const Verdict& verdict() const { return verdict_; }
  // refusal: why the client is not to be served, kNone when it is: the verdict's reason, unless the
  // host forgives it (ClientAuthMode::kOptionalNoCa).
  [[nodiscard]] Rejection refusal() const;
  // judged_by: the rules that verdict().identity was accepted by.
  [[nodiscard]] JudgingRules judged_by() const;
  // MoveTo has a connection whose handshake is done go on under another table of the same worker,
  // as a client of `host` in it; nothing points into the table before any more. verdict(),
  // refusal() and judged_by() stay what they were.
  void MoveTo(HostTable& hosts, const Host& host);
  // resumption_refused: why a ticket of ours was not resumed although it opened; kNone otherwise.
  [[nodiscard]] Rejection resumption_refused() const { return resumption_refused_; }
  // host: the virtual host chosen by SNI, or moved to since; null until a ClientHello was parsed.
  [[nodiscard]] const Host* host() const { return host_; }
  [[nodiscard]] std::string_view sni() const;      // empty when none was sent
  [[nodiscard]] std::string_view alpn() const;     // empty when none was negotiated
  [[nodiscard]] std::string_view version() const;  // "TLSv1.3", "TLSv1.2"; "unknown" before
  [[nodiscard]] std::string_view cipher()
      const;  // IANA-style as OpenSSL prints it, e.g. TLS_AES_128_GCM_SHA256
  [[nodiscard]] std::string_view group() const;  // e.g. X25519; empty if none
  [[nodiscard]] bool resumed() const;
  [[nodiscard]] bool handshake_done() const { return done_; }

 private:
  friend struct EngineCallbacks;  // BoringSSL's callbacks, in engine_callbacks.cc

  class Call;  // brackets one call into the library

  HandshakeStatus Finish();
  void FlushPending();
  void JudgePeer();
  [[nodiscard]] bool NeedsStatus() const;
  void TakeTicketVerdict();
  void PrepareTicket();
  void EncodeForTicket(bool is_resumed);
  [[nodiscard]] std::vector<uint8_t> TicketPlaintext(std::span<const uint8_t> session);
  [[nodiscard]] size_t JudgeTicket(std::span<const uint8_t> plain);
  void NoteFailure(int ssl_error);
  void NoteAlert(uint8_t description, bool received);

  static constexpr size_t kTicketTrailer = 2;  // behind the identity in a ticket: its size

  HostTable* hosts_;
  const Host* host_ = nullptr;
  SpanIo io_;  // the ends of ssl_'s BIO, set for the duration of a call
  bssl::UniquePtr<SSL> ssl_;
  Verdict verdict_;
  // Of the client that the ticket offered was given to, until the session is resumed or not.
  std::unique_ptr<Verdict> ticket_verdict_;
  // For the ticket to be given, until the handshake is done; empty for nobody. Either kept with the
  // identity, or in `ticket_bytes_`; there too, meanwhile, is what an opened ticket said.
  std::span<const uint8_t> ticket_identity_;
  std::vector<uint8_t> ticket_bytes_;
  // What host_ had to say of the client, from when the connection was moved to another.
  std::unique_ptr<const JudgingRules> judged_by_;
  Rejection settled_refusal_ = Rejection::kNone;
  Rejection resumption_refused_ = Rejection::kNone;
  Failure failure_;
  std::unique_ptr<SigningJob> signing_job_;  // until taken
  std::vector<uint8_t> signature_;           // from SetSignature until the library takes it
  SignatureState signature_state_ = SignatureState::kNone;
  KeyProvider key_provider_ = KeyProvider::kBuiltin;
  bool done_ = false;
  bool failed_ = false;
  bool close_sent_ = false;
  bool judged_ = false;
  bool status_known_ = false;
  int64_t status_until_ = INT64_MAX;
  bool sni_refused_ = false;
  bool ticket_refused_ = false;  // whatever the handshake comes to, it earns no ticket
  // Messages that the library holds back until something is written.
  bool ticket_pending_ = false;
  bool answer_pending_ = false;  // to the client's KeyUpdate
};

}  // namespace portcullis::tls
