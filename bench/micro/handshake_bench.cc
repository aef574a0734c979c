// The server's share of a mutual handshake in memory: only time inside the engine counts, the
// client's is left out. Also reports allocations, bytes and shared locks per handshake.
#include <benchmark/benchmark.h>

#include <memory>
#include <span>
#include <vector>

#include "bench/micro/handshake_pki.h"
#include "bench/micro/read_locks.h"
#include "bench/micro/server_share.h"

namespace portcullis::bench {
namespace {

using tls::testing::TestKey;

// A PKI with one intermediate, and a host that requires its clients' certificates.
struct World {
  explicit World(TestKey key) : pki(key), hosts(Specs()) {}

  std::vector<tls::HostSpec> Specs() {
    tls::HostSpec spec;
    spec.name = "localhost";
    spec.server_names = {"localhost"};
    spec.credentials = {tls::testing::MakeCredential(pki.server, {&pki.intermediate})};
    spec.client_auth = {.mode = tls::ClientAuthMode::kRequire,
                        .refusal = tls::RefusalStyle::kAlert,
                        .trust = tls::testing::MakeTrust({&pki.root})};
    std::vector<tls::HostSpec> specs;
    specs.push_back(std::move(spec));
    return specs;
  }

  HandshakePki pki;
  tls::testing::TestHosts hosts;
};

World& WorldOf(TestKey key) {
  static World ec(TestKey::kEcP256);
  static World rsa(TestKey::kRsa2048);
  return key == TestKey::kEcP256 ? ec : rsa;
}

void Append(void* wire, const uint8_t* bytes, size_t size) {
  auto& out = *static_cast<std::vector<uint8_t>*>(wire);
  out.insert(out.end(), bytes, bytes + size);
}

template <typename F>
void Server(Spent& spent, F&& work) {
  ResumeLocks();
  Timed(spent, work);
  PauseLocks();
}

// One handshake to its end; false if it fails. `session`: the ticket that came with it.
bool Handshake(World& world, const tls::testing::ClientOptions& options, Spent& spent,
               bssl::UniquePtr<SSL_SESSION>* session) {
  tls::testing::TestClient client(options);
  std::unique_ptr<tls::Engine> engine;
  Server(spent, [&] { engine = std::make_unique<tls::Engine>(world.hosts.table()); });
  std::vector<uint8_t> wire;
  wire.reserve(16384);
  tls::HandshakeStatus status = tls::HandshakeStatus::kWantRead;
  for (int round = 0; round < 6 && status == tls::HandshakeStatus::kWantRead; ++round) {
    client.Handshake();
    const std::vector<uint8_t> flight = client.TakeOutput();
    std::span<const uint8_t> input = flight;
    Server(spent, [&] {
      status = engine->Handshake(input, {&wire, &Append});
      engine->SendTicket({&wire, &Append});
    });
    client.Feed(wire);
    wire.clear();
  }
  client.Handshake();
  (void)client.Read();
  if (session != nullptr) *session = client.TakeSession();
  Server(spent, [&] { engine.reset(); });
  return status == tls::HandshakeStatus::kDone && client.done();
}

void Full(benchmark::State& state, TestKey key, uint16_t version) {
  World& world = WorldOf(key);
  const tls::testing::ClientOptions options = world.pki.Client(version);
  const LocksScope locks;
  PauseLocks();
  Handshakes(state, [&](Spent& spent) { return Handshake(world, options, spent, nullptr); });
  locks.Report(state);
}

void Resumed(benchmark::State& state, TestKey key, uint16_t version) {
  World& world = WorldOf(key);
  tls::testing::ClientOptions options = world.pki.Client(version);
  Spent unused;
  bssl::UniquePtr<SSL_SESSION> session;
  if (!Handshake(world, options, unused, &session) || session == nullptr) {
    state.SkipWithError("no ticket to resume with");
    return;
  }
  options.session = session.get();
  const LocksScope locks;
  PauseLocks();
  Handshakes(state, [&](Spent& spent) { return Handshake(world, options, spent, nullptr); });
  locks.Report(state);
}

BENCHMARK_CAPTURE(Full, p256_tls13, TestKey::kEcP256, TLS1_3_VERSION)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Full, p256_tls12, TestKey::kEcP256, TLS1_2_VERSION)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Full, rsa2048_tls13, TestKey::kRsa2048, TLS1_3_VERSION)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Resumed, p256_tls13, TestKey::kEcP256, TLS1_3_VERSION)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Resumed, p256_tls12, TestKey::kEcP256, TLS1_2_VERSION)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace portcullis::bench
