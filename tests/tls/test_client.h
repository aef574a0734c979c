// A TLS client in memory and the pair it makes with an Engine: tests say what the client is like,
// and how the bytes are cut up on their way, and read what either side came to. One thread.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/tls/test_pki.h"
#include "tls/engine.h"
#include "tls/host_table.h"

namespace portcullis::tls::testing {

struct ClientOptions {
  std::string sni = {};
  uint16_t min_version = TLS1_2_VERSION;
  uint16_t max_version = TLS1_3_VERSION;
  const TestCertificate* certificate = nullptr;
  std::vector<const TestCertificate*> chain = {};  // behind the certificate
  const TestCertificate* key_of = nullptr;         // signs with this one's key instead of its own
  std::vector<std::string> alpn = {};
  std::string ciphers = {};  // TLS 1.2
  std::string groups = {};
  std::vector<uint16_t> verify_signatures = {};  // schemes it says it can verify
  bool distrusts_server = false;                 // answers the certificate with unknown_ca
  SSL_SESSION* session = nullptr;                // to resume
  bool asks_for_staple = false;                  // status_request
  int64_t now = kNow;
};

class TestClient {
 public:
  explicit TestClient(const ClientOptions& options);
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  // Handshake goes as far as it can; true when complete.
  bool Handshake();
  // Read returns all that has come.
  std::string Read();
  void Write(std::string_view text);
  void Close();  // sends close_notify

  void Feed(std::span<const uint8_t> bytes);
  std::vector<uint8_t> TakeOutput();

  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
  [[nodiscard]] bool done() const { return done_; }
  // alert: the last one received; -1 for none.
  [[nodiscard]] int alert() const { return alert_; }
  [[nodiscard]] bool saw_close() const { return saw_close_; }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  [[nodiscard]] size_t num_tickets() const { return num_tickets_; }
  // num_ca_names: in the server's CertificateRequest.
  [[nodiscard]] size_t num_ca_names() const { return num_ca_names_; }
  // session: the last that the server gave a ticket for; null when it gave none.
  [[nodiscard]] SSL_SESSION* session() const { return session_.get(); }
  [[nodiscard]] bssl::UniquePtr<SSL_SESSION> TakeSession() { return std::move(session_); }
  // What the server presented.
  [[nodiscard]] std::string server_subject() const;
  [[nodiscard]] int server_key_type() const;

 private:
  static int OnSession(SSL* ssl, SSL_SESSION* session);
  static int OnCertificateRequest(SSL* ssl, void* self);
  static void OnInfo(const SSL* ssl, int type, int value);
  void SetUp(const ClientOptions& options);

  int64_t now_;
  bssl::UniquePtr<SSL_CTX> context_;
  bssl::UniquePtr<SSL> ssl_;
  bssl::UniquePtr<SSL_SESSION> session_;
  BIO* in_ = nullptr;   // owned by ssl_
  BIO* out_ = nullptr;  // owned by ssl_
  int alert_ = -1;
  size_t num_tickets_ = 0;
  size_t num_ca_names_ = 0;
  bool done_ = false;
  bool failed_ = false;
  bool saw_close_ = false;
};

// How bytes reach the engine: pieces of 1 to `max_chunk` bytes, random when a generator is given.
struct Chunking {
  size_t max_chunk = SIZE_MAX;
  std::mt19937_64* random = nullptr;
};

// A client and an engine, and the wire between them.
class Pair {
 public:
  Pair(HostTable& hosts, const ClientOptions& options, Chunking chunking = {});

  // Handshake runs both sides until nothing moves any more; the engine's last word.
  HandshakeStatus Handshake();
  // AnswerStatus answers kWantStatus, and both sides go on; the engine's last word.
  HandshakeStatus AnswerStatus(const StatusAnswer& answer);
  // AnswerSignature answers kWantSignature, and both sides go on; the engine's last word.
  HandshakeStatus AnswerSignature(std::vector<uint8_t> signature);
  // KeepTicket leaves the engine's ticket to be sent with what is written first, or by the test.
  void KeepTicket() { sends_tickets_ = false; }
  // Pump carries what is on the wire either way, and reads the engine empty into received().
  void Pump();
  // Send has the engine encrypt `text` and the client receive it; what the client has read since
  // the last one.
  std::string Send(std::string_view text);

  Engine& engine() { return *engine_; }
  TestClient& client() { return client_; }
  [[nodiscard]] const std::string& received() const { return received_; }
  [[nodiscard]] ReadStatus read_status() const { return read_status_; }
  [[nodiscard]] Sink sink() { return {this, &Pair::Append}; }
  std::vector<uint8_t>& to_client() { return to_client_; }
  std::vector<uint8_t>& to_engine() { return to_engine_; }

 private:
  static void Append(void* self, const uint8_t* bytes, size_t size);
  HandshakeStatus Resume();
  size_t NextChunk(size_t available);
  bool MoveToClient();
  void ReadEngine(std::span<const uint8_t>& input);

  std::unique_ptr<Engine> engine_;
  TestClient client_;
  Chunking chunking_;
  std::vector<uint8_t> to_engine_;
  std::vector<uint8_t> to_client_;
  std::vector<uint8_t> held_;  // came while the engine waited for its owner
  std::string received_;
  std::string client_received_;
  HandshakeStatus status_ = HandshakeStatus::kWantRead;
  ReadStatus read_status_ = ReadStatus::kWantRead;
  bool sends_tickets_ = true;
};

// A table of hosts with the specs it needs, at kNow.
class TestHosts {
 public:
  explicit TestHosts(std::vector<HostSpec> specs, HostTableOptions options = {},
                     std::shared_ptr<const TicketSecret> secret = nullptr);
  HostTable& table() { return *table_; }

 private:
  std::vector<std::unique_ptr<HostSpec>> specs_;
  std::unique_ptr<HostTable> table_;
};

}  // namespace portcullis::tls::testing
