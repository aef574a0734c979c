#include "tests/tls/test_client.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "tls/identity.h"

namespace portcullis::tls::testing {
namespace {

void Must(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "test client: %s failed\n", what);
  ERR_print_errors_fp(stderr);
  std::abort();
}

int64_t client_now = kNow;

void CurrentTime(const SSL* /*ssl*/, timeval* out) {
  out->tv_sec = client_now;
  out->tv_usec = 0;
}

// Signs with whatever key the client carries, whether it is the certificate's or not. ECDSA on
// P-256 only.
ssl_private_key_result_t SignWithOther(SSL* ssl, uint8_t* out, size_t* out_size, size_t capacity,
                                       uint16_t scheme, const uint8_t* in, size_t in_size) {
  auto* const key = static_cast<EVP_PKEY*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  Must(scheme == SSL_SIGN_ECDSA_SECP256R1_SHA256, "scheme of the other key");
  bssl::ScopedEVP_MD_CTX context;
  *out_size = capacity;
  Must(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
           EVP_DigestSign(context.get(), out, out_size, in, in_size) == 1,
       "signature by the other key");
  return ssl_private_key_success;
}

constexpr SSL_PRIVATE_KEY_METHOD kOtherKey = {SignWithOther, nullptr, nullptr};

ssl_verify_result_t TrustAnyServer(SSL* /*ssl*/, uint8_t* /*out_alert*/) { return ssl_verify_ok; }

ssl_verify_result_t TrustNoServer(SSL* /*ssl*/, uint8_t* out_alert) {
  *out_alert = SSL_AD_UNKNOWN_CA;
  return ssl_verify_invalid;
}

}  // namespace

TestClient::TestClient(const ClientOptions& options)
    : now_(options.now), context_(SSL_CTX_new(TLS_method())) {
  SetUp(options);
}

void TestClient::SetUp(const ClientOptions& options) {
  SSL_CTX* const context = context_.get();
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, OnSession);
  SSL_CTX_set_current_time_cb(context, CurrentTime);
  SSL_CTX_set_info_callback(context, OnInfo);
  SSL_CTX_set_cert_cb(context, OnCertificateRequest, this);
  SSL_CTX_set_custom_verify(context, SSL_VERIFY_PEER,
                            options.distrusts_server ? TrustNoServer : TrustAnyServer);
  Must(SSL_CTX_set_min_proto_version(context, options.min_version) == 1 &&
           SSL_CTX_set_max_proto_version(context, options.max_version) == 1,
       "versions");
  // Everything that a key of a test may need, beyond the library's own choice.
  static constexpr std::array<uint16_t, 10> kSigning = {
      SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_SIGN_ECDSA_SECP384R1_SHA384,
      SSL_SIGN_ECDSA_SECP521R1_SHA512, SSL_SIGN_ED25519,
      SSL_SIGN_RSA_PSS_RSAE_SHA256,    SSL_SIGN_RSA_PSS_RSAE_SHA384,
      SSL_SIGN_RSA_PSS_RSAE_SHA512,    SSL_SIGN_RSA_PKCS1_SHA256,
      SSL_SIGN_RSA_PKCS1_SHA384,       SSL_SIGN_RSA_PKCS1_SHA512};
  Must(SSL_CTX_set_signing_algorithm_prefs(context, kSigning.data(), kSigning.size()) == 1,
       "signing");
  const std::vector<uint16_t> verify(options.verify_signatures.empty()
                                         ? std::vector<uint16_t>(kSigning.begin(), kSigning.end())
                                         : options.verify_signatures);
  Must(SSL_CTX_set_verify_algorithm_prefs(context, verify.data(), verify.size()) == 1, "verify");
  if (!options.ciphers.empty()) {
    Must(SSL_CTX_set_strict_cipher_list(context, options.ciphers.c_str()) == 1, "ciphers");
  }
  if (!options.groups.empty()) {
    Must(SSL_CTX_set1_groups_list(context, options.groups.c_str()) == 1, "groups");
  }
  if (options.certificate != nullptr) {
    std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> owned = MakeBuffers({options.certificate});
    for (const TestCertificate* const other : options.chain) {
      owned.push_back(std::move(MakeBuffers({other}).front()));
    }
    std::vector<CRYPTO_BUFFER*> chain;
    for (const auto& buffer : owned) chain.push_back(buffer.get());
    const bool honest = options.key_of == nullptr;
    if (!honest) SSL_CTX_set_app_data(context, options.key_of->key());
    Must(SSL_CTX_set_chain_and_key(context, chain.data(), chain.size(),
                                   honest ? options.certificate->key() : nullptr,
                                   honest ? nullptr : &kOtherKey) == 1,
         "certificate");
  }
  ssl_.reset(SSL_new(context));
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_connect_state(ssl_.get());
  if (options.asks_for_staple) SSL_enable_ocsp_stapling(ssl_.get());
  if (!options.sni.empty()) {
    Must(SSL_set_tlsext_host_name(ssl_.get(), options.sni.c_str()) == 1, "SNI");
  }
  std::vector<uint8_t> protocols;
  for (const std::string& protocol : options.alpn) {
    protocols.push_back(static_cast<uint8_t>(protocol.size()));
    protocols.insert(protocols.end(), protocol.begin(), protocol.end());
  }
  if (!protocols.empty()) {
    Must(SSL_set_alpn_protos(ssl_.get(), protocols.data(), protocols.size()) == 0, "ALPN");
  }
  if (options.session != nullptr) SSL_set_session(ssl_.get(), options.session);
  in_ = BIO_new(BIO_s_mem());
  out_ = BIO_new(BIO_s_mem());
  BIO_set_mem_eof_return(in_, -1);
  SSL_set_bio(ssl_.get(), in_, out_);
}

int TestClient::OnSession(SSL* ssl, SSL_SESSION* session) {
  auto* const self = static_cast<TestClient*>(SSL_get_app_data(ssl));
  self->session_.reset(session);
  ++self->num_tickets_;
  return 1;  // Kept.
}

int TestClient::OnCertificateRequest(SSL* ssl, void* self) {
  const STACK_OF(CRYPTO_BUFFER)* const names = SSL_get0_server_requested_CAs(ssl);
  static_cast<TestClient*>(self)->num_ca_names_ =
      names == nullptr ? 0 : sk_CRYPTO_BUFFER_num(names);
  return 1;
}

void TestClient::OnInfo(const SSL* ssl, int type, int value) {
  if (type != SSL_CB_READ_ALERT) return;
  auto* const self = static_cast<TestClient*>(SSL_get_app_data(ssl));
  self->alert_ = value & 0xff;
}

bool TestClient::Handshake() {
  if (done_ || failed_) return done_;
  client_now = now_;
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  done_ = result == 1;
  failed_ = !done_ && SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ;
  ERR_clear_error();
  return done_;
}

std::string TestClient::Read() {
  std::string all;
  std::array<char, 16384> buffer;
  client_now = now_;
  while (done_ && !failed_ && !saw_close_) {
    ERR_clear_error();
    const int result = SSL_read(ssl_.get(), buffer.data(), buffer.size());
    if (result > 0) {
      all.append(buffer.data(), static_cast<size_t>(result));
      continue;
    }
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ) break;
    saw_close_ = error == SSL_ERROR_ZERO_RETURN;
    failed_ = !saw_close_;
  }
  ERR_clear_error();
  return all;
}

void TestClient::Write(std::string_view text) {
  ERR_clear_error();
  Must(SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())) ==
           static_cast<int>(text.size()),
       "write");
}

void TestClient::Close() {
  ERR_clear_error();
  (void)SSL_shutdown(ssl_.get());
}

void TestClient::Feed(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return;
  Must(BIO_write(in_, bytes.data(), static_cast<int>(bytes.size())) ==
           static_cast<int>(bytes.size()),
       "feed");
}

std::vector<uint8_t> TestClient::TakeOutput() {
  const uint8_t* bytes = nullptr;
  size_t size = 0;
  Must(BIO_mem_contents(out_, &bytes, &size) == 1, "output");
  std::vector<uint8_t> output(bytes, bytes + size);
  BIO_reset(out_);
  return output;
}

std::string TestClient::server_subject() const {
  const bssl::UniquePtr<X509> certificate(SSL_get_peer_certificate(ssl_.get()));
  return certificate == nullptr ? "" : NameText(X509_get_subject_name(certificate.get()));
}

int TestClient::server_key_type() const {
  const bssl::UniquePtr<X509> certificate(SSL_get_peer_certificate(ssl_.get()));
  if (certificate == nullptr) return EVP_PKEY_NONE;
  const bssl::UniquePtr<EVP_PKEY> key(X509_get_pubkey(certificate.get()));
  return EVP_PKEY_id(key.get());
}

Pair::Pair(HostTable& hosts, const ClientOptions& options, Chunking chunking)
    : engine_(std::make_unique<Engine>(hosts)), client_(options), chunking_(chunking) {}

void Pair::Append(void* self, const uint8_t* bytes, size_t size) {
  auto& to_client = static_cast<Pair*>(self)->to_client_;
  to_client.insert(to_client.end(), bytes, bytes + size);
}

size_t Pair::NextChunk(size_t available) {
  const size_t most = std::min(available, chunking_.max_chunk);
  if (chunking_.random == nullptr || most <= 1) return most;
  return std::uniform_int_distribution<size_t>(1, most)(*chunking_.random);
}

bool Pair::MoveToClient() {
  const bool moved = !to_client_.empty();
  client_.Feed(to_client_);
  to_client_.clear();
  return moved;
}

void Pair::ReadEngine(std::span<const uint8_t>& input) {
  std::array<uint8_t, 4096> plain;
  do {
    size_t produced = 0;
    read_status_ = engine_->Read(input, plain, produced, sink());
    received_.append(reinterpret_cast<const char*>(plain.data()), produced);
  } while (read_status_ == ReadStatus::kData);
}

void Pair::Pump() {
  bool moved = true;
  while (moved) {
    moved = MoveToClient();
    if (client_.Handshake()) client_received_ += client_.Read();
    const std::vector<uint8_t> output = client_.TakeOutput();
    to_engine_.insert(to_engine_.end(), output.begin(), output.end());
    const std::vector<uint8_t> incoming = std::exchange(to_engine_, {});
    moved = moved || !incoming.empty();
    for (size_t at = 0; at < incoming.size();) {
      const size_t size = NextChunk(incoming.size() - at);
      // A copy of exactly this size, so that a sanitizer sees a read beyond it.
      const std::vector<uint8_t> chunk(incoming.begin() + static_cast<ptrdiff_t>(at),
                                       incoming.begin() + static_cast<ptrdiff_t>(at + size));
      std::span<const uint8_t> input(chunk);
      at += size;
      if (status_ == HandshakeStatus::kWantRead) status_ = engine_->Handshake(input, sink());
      if (status_ == HandshakeStatus::kWantStatus || status_ == HandshakeStatus::kWantSignature) {
        held_.insert(held_.end(), input.begin(), input.end());
      }
      if (status_ == HandshakeStatus::kFailed) break;
      if (status_ != HandshakeStatus::kDone) continue;
      ReadEngine(input);
      if (sends_tickets_) engine_->SendTicket(sink());
    }
  }
}

HandshakeStatus Pair::Handshake() {
  Pump();
  return status_;
}

HandshakeStatus Pair::AnswerStatus(const StatusAnswer& answer) {
  engine_->SetStatus(answer);
  return Resume();
}

HandshakeStatus Pair::AnswerSignature(std::vector<uint8_t> signature) {
  engine_->SetSignature(std::move(signature));
  return Resume();
}

HandshakeStatus Pair::Resume() {
  const std::vector<uint8_t> held = std::exchange(held_, {});
  std::span<const uint8_t> input(held);
  status_ = engine_->Handshake(input, sink());
  if (status_ == HandshakeStatus::kDone) {
    ReadEngine(input);
    if (sends_tickets_) engine_->SendTicket(sink());
  }
  return Handshake();
}

std::string Pair::Send(std::string_view text) {
  Must(engine_->Write({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, sink()),
       "engine write");
  Pump();
  return std::exchange(client_received_, {});
}

TestHosts::TestHosts(std::vector<HostSpec> specs, HostTableOptions options,
                     std::shared_ptr<const TicketSecret> secret) {
  std::vector<const HostSpec*> pointers;
  for (HostSpec& spec : specs) {
    specs_.push_back(std::make_unique<HostSpec>(std::move(spec)));
    pointers.push_back(specs_.back().get());
  }
  if (options.default_host.empty() && !specs_.empty()) options.default_host = specs_.front()->name;
  if (secret == nullptr) secret = TicketSecret::Random(3600);
  auto table = HostTable::Build(pointers, options, std::move(secret));
  Must(table.ok(), table.ok() ? "" : table.status().ToString().c_str());
  table_ = *std::move(table);
  table_->SetNow(kNow);
}

}  // namespace portcullis::tls::testing
