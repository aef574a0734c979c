// The floor: what the TLS library alone spends on the server's side of a mutual handshake, in
// memory. No code of ours but the loop around it: SSL objects, X.509 objects, the client's chain
// verified by the library, its own tickets, the first write (which carries them), SSL_free; and,
// for comparison, the same with less (Setup). What a terminator costs is told as a multiple of
// this (bench/compare); handshake_bench is the same with our engine.
#include <benchmark/benchmark.h>
#include <openssl/ssl.h>
#include <sys/time.h>

#include <array>
#include <compare>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/micro/handshake_pki.h"
#include "bench/micro/server_share.h"

namespace portcullis::bench {
namespace {

using tls::testing::TestCertificate;
using tls::testing::TestKey;

constexpr std::string_view kFirstWrite = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n";
constexpr std::string_view kSessionContext = "floor";

void Must(bool condition) {
  if (!condition) std::abort();
}

void CurrentTime(const SSL* /*ssl*/, timeval* out) {
  out->tv_sec = tls::testing::kNow;
  out->tv_usec = 0;
}

// How the library is used.
enum class Library : uint8_t {
  kX509,        // as most servers do: X.509 objects, the client's chain verified
  kUnverified,  // likewise, the chain taken as it is: what remembering chains can save at most
  kBuffers,     // taken as it is, and no X.509 objects
};

ssl_verify_result_t TakeAsItIs(SSL* /*ssl*/, uint8_t* /*out_alert*/) { return ssl_verify_ok; }

// A server as a plain user of the library sets it up.
struct Setup {
  Library library = Library::kX509;
  size_t num_tickets = 2;  // as the library has it
  std::string_view group = "X25519";

  auto operator<=>(const Setup&) const = default;
};

// A PKI and a server's context.
struct World {
  World(TestKey key, const Setup& setup)
      : pki(key),
        group(setup.group),
        context(SSL_CTX_new(setup.library == Library::kBuffers ? TLS_with_buffers_method()
                                                               : TLS_method())) {
    SSL_CTX* const server = context.get();
    const auto buffers = tls::testing::MakeBuffers({&pki.server, &pki.intermediate});
    const std::array<CRYPTO_BUFFER*, 2> chain = {buffers[0].get(), buffers[1].get()};
    Must(SSL_CTX_set_chain_and_key(server, chain.data(), chain.size(), pki.server.key(), nullptr) ==
         1);
    const int mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    if (setup.library == Library::kX509) {
      Must(X509_STORE_add_cert(SSL_CTX_get_cert_store(server), pki.root.x509()) == 1);
      SSL_CTX_set_verify(server, mode, nullptr);
      X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(server), tls::testing::kNow);
    } else {
      SSL_CTX_set_custom_verify(server, mode, TakeAsItIs);
    }
    if (setup.num_tickets == 0) SSL_CTX_set_options(server, SSL_OP_NO_TICKET);
    Must(setup.num_tickets == 0 || SSL_CTX_set_num_tickets(server, setup.num_tickets) == 1);
    SSL_CTX_set_current_time_cb(server, CurrentTime);
    Must(SSL_CTX_set1_groups_list(server, "X25519:P-256") == 1);
    Must(SSL_CTX_set_session_id_context(server,
                                        reinterpret_cast<const uint8_t*>(kSessionContext.data()),
                                        kSessionContext.size()) == 1);
  }

  // Client, with the groups that the load generator is given, or the one asked for.
  [[nodiscard]] tls::testing::ClientOptions Client(uint16_t version) const {
    tls::testing::ClientOptions options = pki.Client(version);
    options.groups = group == "X25519" ? "X25519:P-256" : "P-256";
    return options;
  }

  HandshakePki pki;
  std::string_view group;
  bssl::UniquePtr<SSL_CTX> context;
};

World& WorldOf(TestKey key, const Setup& setup) {
  static std::map<std::pair<TestKey, Setup>, std::unique_ptr<World>> made;
  std::unique_ptr<World>& world = made[{key, setup}];
  if (world == nullptr) world = std::make_unique<World>(key, setup);
  return *world;
}

// One side of the wire: what a BIO in memory holds goes to the client.
void Deliver(BIO* from, tls::testing::TestClient& client) {
  const uint8_t* bytes = nullptr;
  size_t size = 0;
  Must(BIO_mem_contents(from, &bytes, &size) == 1);
  client.Feed(std::span(bytes, size));
  BIO_reset(from);
}

// One handshake and the first write. `session`: the ticket that came.
bool Handshake(World& world, const tls::testing::ClientOptions& options, Spent& spent,
               bssl::UniquePtr<SSL_SESSION>* session) {
  tls::testing::TestClient client(options);
  bssl::UniquePtr<SSL> server;
  BIO* const in = BIO_new(BIO_s_mem());
  BIO* const out = BIO_new(BIO_s_mem());
  Timed(spent, [&] {
    server.reset(SSL_new(world.context.get()));
    SSL_set_bio(server.get(), in, out);
    SSL_set_accept_state(server.get());
  });
  bool done = false;
  for (int round = 0; round < 6 && !done; ++round) {
    client.Handshake();
    const std::vector<uint8_t> flight = client.TakeOutput();
    Must(BIO_write(in, flight.data(), static_cast<int>(flight.size())) ==
         static_cast<int>(flight.size()));
    Timed(spent, [&] { done = SSL_do_handshake(server.get()) == 1; });
    Deliver(out, client);
  }
  if (!done) return false;
  Timed(spent, [&] {
    done = SSL_write(server.get(), kFirstWrite.data(), static_cast<int>(kFirstWrite.size())) > 0;
  });
  Deliver(out, client);
  client.Handshake();
  const bool answered = client.Read() == kFirstWrite;
  const bool expected = client.resumed() == (options.session != nullptr);
  if (session != nullptr) *session = client.TakeSession();
  Timed(spent, [&] { server.reset(); });
  return done && answered && expected;
}

void Full(benchmark::State& state, TestKey key, uint16_t version, const Setup& setup) {
  World& world = WorldOf(key, setup);
  const tls::testing::ClientOptions options = world.Client(version);
  Handshakes(state, [&](Spent& spent) { return Handshake(world, options, spent, nullptr); });
}

void Resumed(benchmark::State& state, TestKey key, uint16_t version, const Setup& setup) {
  World& world = WorldOf(key, setup);
  tls::testing::ClientOptions options = world.Client(version);
  Spent unused;
  bssl::UniquePtr<SSL_SESSION> session;
  if (!Handshake(world, options, unused, &session) || session == nullptr) {
    state.SkipWithError("no ticket to resume with");
    return;
  }
  options.session = session.get();
  Handshakes(state, [&](Spent& spent) { return Handshake(world, options, spent, nullptr); });
}

constexpr Setup kX509{};
constexpr Setup kUnverified{.library = Library::kUnverified};
constexpr Setup kBuffers{.library = Library::kBuffers};
// What tickets and the group of the key exchange come to.
constexpr Setup kX509OneTicket{.num_tickets = 1};
constexpr Setup kX509NoTickets{.num_tickets = 0};
constexpr Setup kX509OnP256{.group = "P-256"};
constexpr Setup kBuffersOneTicket{.library = Library::kBuffers, .num_tickets = 1};
constexpr Setup kBuffersNoTickets{.library = Library::kBuffers, .num_tickets = 0};
constexpr Setup kBuffersOnP256{.library = Library::kBuffers, .group = "P-256"};

#define FLOOR(what, name, key, version, setup)                \
  BENCHMARK_CAPTURE(what, name, TestKey::key, version, setup) \
      ->UseManualTime()                                       \
      ->Unit(benchmark::kMicrosecond)

FLOOR(Full, p256_tls13, kEcP256, TLS1_3_VERSION, kX509);
FLOOR(Full, p256_tls12, kEcP256, TLS1_2_VERSION, kX509);
FLOOR(Full, rsa2048_tls13, kRsa2048, TLS1_3_VERSION, kX509);
FLOOR(Full, rsa4096_tls13, kRsa4096, TLS1_3_VERSION, kX509);
FLOOR(Resumed, p256_tls13, kEcP256, TLS1_3_VERSION, kX509);
FLOOR(Resumed, p256_tls12, kEcP256, TLS1_2_VERSION, kX509);
FLOOR(Full, p256_tls13_unverified, kEcP256, TLS1_3_VERSION, kUnverified);
FLOOR(Full, p256_tls13_buffers, kEcP256, TLS1_3_VERSION, kBuffers);
FLOOR(Full, rsa2048_tls13_buffers, kRsa2048, TLS1_3_VERSION, kBuffers);
FLOOR(Resumed, p256_tls13_buffers, kEcP256, TLS1_3_VERSION, kBuffers);
FLOOR(Full, p256_tls13_one_ticket, kEcP256, TLS1_3_VERSION, kX509OneTicket);
FLOOR(Full, p256_tls13_no_tickets, kEcP256, TLS1_3_VERSION, kX509NoTickets);
FLOOR(Full, p256_tls13_on_p256, kEcP256, TLS1_3_VERSION, kX509OnP256);
FLOOR(Full, p256_tls13_buffers_one_ticket, kEcP256, TLS1_3_VERSION, kBuffersOneTicket);
FLOOR(Full, p256_tls13_buffers_no_tickets, kEcP256, TLS1_3_VERSION, kBuffersNoTickets);
FLOOR(Full, p256_tls13_buffers_on_p256, kEcP256, TLS1_3_VERSION, kBuffersOnP256);
FLOOR(Resumed, p256_tls13_one_ticket, kEcP256, TLS1_3_VERSION, kX509OneTicket);
FLOOR(Resumed, p256_tls13_on_p256, kEcP256, TLS1_3_VERSION, kX509OnP256);
FLOOR(Resumed, p256_tls13_buffers_one_ticket, kEcP256, TLS1_3_VERSION, kBuffersOneTicket);
FLOOR(Resumed, p256_tls13_buffers_on_p256, kEcP256, TLS1_3_VERSION, kBuffersOnP256);

}  // namespace
}  // namespace portcullis::bench
