#include "tls/engine.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <climits>
#include <utility>

#include "absl/container/inlined_vector.h"

#include "tls/boringssl_compat.h"
#include "tls/check.h"
#include "tls/engine_callbacks.h"
#include "tls/failure_map.h"
#include "tls/host_judge.h"
#include "tls/identity_codec.h"
#include "tls/x509_map.h"

namespace portcullis::tls {
namespace {

constexpr size_t kMaxCall = size_t{1} << 30;  // The library counts in int.

bool IsTls13(const SSL* ssl) { return SSL_version(ssl) >= TLS1_3_VERSION; }

std::string_view View(const char* text) {
  return text == nullptr ? std::string_view() : std::string_view(text);
}

}  // namespace

// One call into the library: its ends of the BIO, its clock, and an empty error queue, for stale
// errors of another connection would be taken for this one's.
class Engine::Call {
 public:
  Call(Engine& engine, std::span<const uint8_t>* input, Sink sink) : io_(engine.io_) {
    TLS_CHECK(io_.sink.append == nullptr);  // Not from inside a sink.
    TLS_CHECK(sink.append != nullptr);
    io_.input = input;
    io_.sink = sink;
    EngineCallbacks::SetNow(engine.hosts_->now());
    ERR_clear_error();
  }
  ~Call() {
    io_.input = nullptr;
    io_.sink = {};
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

 private:
  SpanIo& io_;
};

Engine::Engine(HostTable& hosts) : hosts_(&hosts), ssl_(SSL_new(hosts.base_context())) {
  TLS_CHECK(ssl_ != nullptr);
  BIO* const bio = NewSpanBio(&io_).release();
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_accept_state(ssl_.get());
  SSL_set_shed_handshake_config(ssl_.get(), 1);
}

Engine::~Engine() { TLS_CHECK(io_.sink.append == nullptr); }

HandshakeStatus Engine::Handshake(std::span<const uint8_t>& input, Sink sink) {
  if (failed_) return HandshakeStatus::kFailed;
  if (done_) return HandshakeStatus::kDone;
  const Call call(*this, &input, sink);
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    ticket_identity_ = {};
    ticket_bytes_ = std::vector<uint8_t>();  // not {}, which would keep the memory
    return Finish();
  }
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ) return HandshakeStatus::kWantRead;
  if (error == SSL_ERROR_WANT_CERTIFICATE_VERIFY) return HandshakeStatus::kWantStatus;
  if (error == SSL_ERROR_WANT_PRIVATE_KEY_OPERATION) return HandshakeStatus::kWantSignature;
  // For want of a signature the library gives up without a word to the client.
  if (signature_state_ == SignatureState::kFailed) {
    (void)SSL_send_fatal_alert(ssl_.get(), SSL_AD_INTERNAL_ERROR);
  }
  NoteFailure(error);
  return HandshakeStatus::kFailed;
}

HandshakeStatus Engine::Finish() {
  if (refusal() != Rejection::kNone && host_->spec->client_auth.refusal == RefusalStyle::kAlert) {
    // A full handshake was refused when the certificate was judged, and a ticket that no longer
    // holds is not resumed: nobody should come this far.
    SSL_send_fatal_alert(ssl_.get(), Alert(verdict_.rejection, IsTls13(ssl_.get())));
    failure_.reason = verdict_.rejection;
    failed_ = true;
    return HandshakeStatus::kFailed;
  }
  done_ = true;
  if (verdict_.accepted() && verdict_.identity != nullptr && !resumed()) {
    Remember(*host_, verdict_, hosts_->verdict_cache());
  }
  return HandshakeStatus::kDone;
}

void Engine::SendTicket(Sink sink) {
  if (!ticket_pending_ || failed_ || !done_ || close_sent_) return;
  const Call call(*this, nullptr, sink);
  FlushPending();
}

// The library sends tickets and KeyUpdate answers along with the next write; an empty one will do.
void Engine::FlushPending() {
  ticket_pending_ = answer_pending_ = false;
  ERR_clear_error();
  (void)SSL_write(ssl_.get(), "", 0);
}

ReadStatus Engine::Read(std::span<const uint8_t>& input, std::span<uint8_t> plain, size_t& produced,
                        Sink sink) {
  TLS_CHECK(!plain.empty());
  produced = 0;
  if (failed_ || !done_) return ReadStatus::kFailed;
  const Call call(*this, &input, sink);
  const int result =
      SSL_read(ssl_.get(), plain.data(), static_cast<int>(std::min(plain.size(), kMaxCall)));
  if (result > 0) {
    produced = static_cast<size_t>(result);
    return ReadStatus::kData;
  }
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ) {
    if (answer_pending_ && !close_sent_) FlushPending();
    return ReadStatus::kWantRead;
  }
  if (error == SSL_ERROR_ZERO_RETURN) return ReadStatus::kClosed;
  NoteFailure(error);
  return ReadStatus::kFailed;
}

bool Engine::Write(std::span<const uint8_t> plain, Sink sink) {
  if (failed_ || !done_ || close_sent_) return false;
  const Call call(*this, nullptr, sink);
  while (!plain.empty()) {
    const int size = static_cast<int>(std::min(plain.size(), kMaxCall));
    const int result = SSL_write(ssl_.get(), plain.data(), size);
    if (result <= 0) {
      NoteFailure(SSL_get_error(ssl_.get(), result));
      return false;
    }
    ticket_pending_ = answer_pending_ = false;
    plain = plain.subspan(static_cast<size_t>(result));
  }
  return true;
}

void Engine::CloseNotify(Sink sink) {
  if (failed_ || !done_ || close_sent_) return;
  const Call call(*this, nullptr, sink);
  close_sent_ = true;
  ticket_pending_ = answer_pending_ = false;  // they go along
  (void)SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

void Engine::Refuse(Rejection reason, Sink sink) {
  if (failed_ || close_sent_) return;
  failed_ = true;
  failure_.reason = reason;
  const uint8_t alert = Alert(reason, IsTls13(ssl_.get()));
  if (alert == 0) return;
  const Call call(*this, nullptr, sink);
  (void)SSL_send_fatal_alert(ssl_.get(), alert);
  ERR_clear_error();
}

void Engine::JudgePeer() {
  TLS_CHECK(host_ != nullptr && host_->verifier != nullptr);
  absl::InlinedVector<CRYPTO_BUFFER*, 8> chain;
  const STACK_OF(CRYPTO_BUFFER)* const presented = SSL_get0_peer_certificates(ssl_.get());
  for (size_t i = 0; presented != nullptr && i < sk_CRYPTO_BUFFER_num(presented); ++i) {
    chain.push_back(sk_CRYPTO_BUFFER_value(presented, i));
  }
  judged_ = true;
  verdict_ = Verdict();
  if (!chain.empty()) {
    verdict_ = JudgeChain(*host_, chain, hosts_->verdict_cache(), hosts_->now());
  } else if (host_->spec->client_auth.mode == ClientAuthMode::kRequire) {
    verdict_.rejection = Rejection::kNoCertificate;
  }
}

// A ticket that opened holds whom it was given to, judged again when it was opened.
void Engine::TakeTicketVerdict() {
  judged_ = true;
  if (ticket_verdict_ != nullptr) {
    verdict_ = std::move(*ticket_verdict_);
  } else {
    verdict_.rejection = Rejection::kInternal;
  }
  ticket_verdict_.reset();
}

// The client's Finished is here, and what comes next of ours may be a ticket. Judges whoever has
// not been judged yet, that is resumed sessions and clients without a certificate, and bounds the
// ticket by what the verdict stands on.
void Engine::PrepareTicket() {
  if (host_ == nullptr || done_) return;
  SSL_SESSION* const session = SSL_get_session(ssl_.get());
  if (session == nullptr) return;  // Finished at the wrong moment: the library is about to say so.
  const bool is_resumed = SSL_session_reused(ssl_.get()) == 1;
  if (host_->verifier != nullptr && !judged_) is_resumed ? TakeTicketVerdict() : JudgePeer();

  int64_t lifetime =
      is_resumed ? SSL_SESSION_get_timeout(session) : host_->spec->session_lifetime_s;
  if (verdict_.accepted() && verdict_.identity != nullptr) {
    lifetime = std::min(lifetime, verdict_.holds_until - hosts_->now());
    lifetime = std::min(lifetime, status_until_ - hosts_->now());
    EncodeForTicket(is_resumed);
    if (ticket_identity_.empty()) lifetime = 0;
  }
  if (!verdict_.accepted() || lifetime <= 0) {
    ticket_refused_ = true;
    SSL_set_options(ssl_.get(), SSL_OP_NO_TICKET);
  } else if (!is_resumed || IsTls13(ssl_.get())) {
    // A TLS 1.2 session being resumed is the ticket's, and is not issued again.
    SSL_SESSION_set_timeout(session, static_cast<uint32_t>(lifetime));
  }
}

// A client is encoded when it is met first, and once more for good when the verdict cache knows it.
// A resumed one has its encoding with it, unless that holds the leaf and none is kept any more.
void Engine::EncodeForTicket(bool is_resumed) {
  const bool with_leaf = host_->spec->client_auth.keep_leaf;
  const bool has_leaf = !verdict_.identity->chain_der.empty();
  if (verdict_.from_cache) {
    ticket_identity_ = KeptEncoding(*verdict_.identity, with_leaf);
    return;
  }
  if (!is_resumed || has_leaf != with_leaf) {
    ticket_bytes_ = EncodeIdentity(*verdict_.identity, with_leaf);
  }
  ticket_identity_ = ticket_bytes_;
}

// What a ticket says of its client, behind the library's own session: the identity, empty for
// nobody, and its size in two bytes.
std::vector<uint8_t> Engine::TicketPlaintext(std::span<const uint8_t> session) {
  static_assert(kMaxIdentityBytes <= UINT16_MAX);
  std::vector<uint8_t> plain;
  plain.reserve(session.size() + ticket_identity_.size() + kTicketTrailer);
  plain.insert(plain.end(), session.begin(), session.end());
  plain.insert(plain.end(), ticket_identity_.begin(), ticket_identity_.end());
  plain.push_back(static_cast<uint8_t>(ticket_identity_.size() >> 8));
  plain.push_back(static_cast<uint8_t>(ticket_identity_.size()));
  return plain;
}

// Judges the client of an opened ticket. Returns the size of the session in it, 0 when the client
// must prove itself afresh: it will be told the reason then, if there is one.
size_t Engine::JudgeTicket(std::span<const uint8_t> plain) {
  ticket_verdict_.reset();
  ticket_bytes_.clear();
  if (plain.size() < kTicketTrailer) return 0;
  const size_t size = size_t{plain[plain.size() - 2]} << 8 | plain[plain.size() - 1];
  plain = plain.first(plain.size() - kTicketTrailer);
  if (size > plain.size()) return 0;
  const std::span<const uint8_t> bytes = plain.last(size);
  plain = plain.first(plain.size() - size);
  if (bytes.empty()) {
    // Under kRequire there is no such ticket.
    if (host_->spec->client_auth.mode == ClientAuthMode::kRequire) return 0;
    ticket_verdict_ = std::make_unique<Verdict>();
    return plain.size();
  }
  std::shared_ptr<const PeerIdentity> identity = DecodeIdentity(bytes);
  if (identity == nullptr || host_->verifier == nullptr) return 0;
  // The host has come to pass certificates on since.
  if (host_->spec->client_auth.keep_leaf && identity->chain_der.empty()) return 0;
  Verdict verdict = JudgeAgain(*host_, std::move(identity), hosts_->now());
  if (!verdict.accepted()) {
    resumption_refused_ = verdict.rejection;
    return 0;
  }
  if (IsKnownRevoked(*host_, *verdict.identity, hosts_->known_statuses())) {
    resumption_refused_ = Rejection::kRevoked;
    return 0;
  }
  ticket_verdict_ = std::make_unique<Verdict>(std::move(verdict));
  ticket_bytes_.assign(bytes.begin(), bytes.end());
  return plain.size();
}

void Engine::NoteAlert(uint8_t description, bool received) {
  if (failure_.has_alert) return;
  failure_.alert = description;
  failure_.has_alert = true;
  failure_.alert_received = received;
}

void Engine::NoteFailure(int ssl_error) {
  failed_ = true;
  const LibraryErrors errors = {.first = ERR_peek_error(), .last = ERR_peek_last_error()};
  // Of a proof that failed the handshake's own word is the telling one.
  const uint32_t error =
      ERR_GET_LIB(errors.last) == ERR_LIB_SSL && ERR_GET_LIB(errors.first) != ERR_LIB_SSL
          ? errors.last
          : errors.first;
  failure_.detail = error == 0 ? "" : ERR_reason_error_string(error);
  if (failure_.detail == nullptr) failure_.detail = "";
  // A TLS 1.3 client that gives up before it has keys (it does not trust our certificate) says so
  // in the clear, where the library expects ciphertext and sees but a broken record.
  const int clear_alert = !done_ && IsTls13(ssl_.get()) ? io_.LastClearAlert() : -1;
  if (clear_alert >= 0 && !failure_.alert_received) {
    failure_.alert = static_cast<uint8_t>(clear_alert);
    failure_.has_alert = failure_.alert_received = true;
    failure_.detail = "alert before the client had keys";
  }
  const FailureStage stage = {
      .hello_parsed = host_ != nullptr,
      .awaiting_certificate = host_ != nullptr && host_->verifier != nullptr && !judged_ && !done_};

  if (host_ == nullptr && io_.SpeaksHttp()) {
    failure_.reason = Rejection::kPlainHttp;
    failure_.has_alert = false;  // It never reached the sink.
  } else if (sni_refused_) {
    failure_.reason = Rejection::kSniUnknown;
  } else if (failure_.alert_received) {
    failure_.reason = Rejection::kClientAlert;
  } else if (ssl_error == SSL_ERROR_ZERO_RETURN) {
    failure_.reason = Rejection::kEof;
  } else if (ERR_GET_LIB(error) == ERR_LIB_SSL &&
             ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED && !verdict_.accepted()) {
    failure_.reason = verdict_.rejection;
  } else {
    failure_.reason =
        FromLibraryError(errors, failure_.has_alert ? failure_.alert : uint8_t{0}, stage);
  }
  // The library refuses some certificates by itself: that is a verdict all the same.
  if (IsCertificateVerdict(failure_.reason) && verdict_.accepted()) {
    verdict_.rejection = failure_.reason;
    verdict_.x509_error = ToX509Error(failure_.reason);
  }
  ERR_clear_error();
}

// After the handshake nothing that the library calls back asks for a host: servers do not
// renegotiate, tickets have been sealed even where they are kept back. Its contexts it holds
// itself.
void Engine::MoveTo(HostTable& hosts, const Host& host) {
  TLS_CHECK(done_ && io_.sink.append == nullptr);
  if (judged_by_ == nullptr) {
    settled_refusal_ = refusal();
    judged_by_ = std::make_unique<const JudgingRules>(RulesOf(*host_));
  }
  hosts_ = &hosts;
  host_ = &host;
}

JudgingRules Engine::judged_by() const {
  return judged_by_ != nullptr ? *judged_by_ : RulesOf(*host_);
}

Rejection Engine::refusal() const {
  if (judged_by_ != nullptr) return settled_refusal_;
  const bool forgiven =
      host_ != nullptr && IsForgiven(host_->spec->client_auth, verdict_.rejection);
  return forgiven ? Rejection::kNone : verdict_.rejection;
}

std::string_view Engine::sni() const {
  return View(SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name));
}

std::string_view Engine::alpn() const {
  const uint8_t* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string_view Engine::version() const {
  return host_ == nullptr ? "unknown" : View(SSL_get_version(ssl_.get()));
}

std::string_view Engine::cipher() const {
  const SSL_CIPHER* const cipher = SSL_get_current_cipher(ssl_.get());
  if (cipher == nullptr) return {};
  return View(IsTls13(ssl_.get()) ? SSL_CIPHER_standard_name(cipher) : SSL_CIPHER_get_name(cipher));
}

std::string_view Engine::group() const {
  const uint16_t id = compat::GroupId(ssl_.get());
  return id == 0 ? std::string_view() : View(compat::GroupName(id));
}

bool Engine::resumed() const { return SSL_session_reused(ssl_.get()) == 1; }

}  // namespace portcullis::tls
