// The server's share of a mutual handshake in memory: only time inside the engine counts, the
// client's is left out. Also reports allocations and bytes per handshake.
#include <benchmark/benchmark.h>

#include <chrono>
#include <ctime>
#include <memory>
#include <span>
#include <vector>

#include "bench/micro/allocations.h"
#include "tests/tls/test_client.h"

namespace portcullis::bench {
namespace {

using tls::testing::CertificateOptions;
using tls::testing::TestCertificate;
using tls::testing::TestKey;

// A PKI with one intermediate, and a host that requires its clients' certificates.
struct World {
  explicit World(TestKey key)
      : root(tls::testing::MakeRoot({.common_name = "Root", .key = key})),
        intermediate(tls::testing::MakeCa(root, {.common_name = "Intermediate", .key = key})),
        server(tls::testing::MakeLeaf(intermediate, {.common_name = "localhost", .key = key})),
        client(tls::testing::MakeLeaf(intermediate, {.common_name = "Client", .key = key})),
        hosts(Specs()) {}

  std::vector<tls::HostSpec> Specs() {
    tls::HostSpec spec;
    spec.name = "localhost";
    spec.server_names = {"localhost"};
    spec.credentials = {tls::testing::MakeCredential(server, {&intermediate})};
    spec.client_auth = {.mode = tls::ClientAuthMode::kRequire,
                        .refusal = tls::RefusalStyle::kAlert,
                        .trust = tls::testing::MakeTrust({&root})};
    std::vector<tls::HostSpec> specs;
    specs.push_back(std::move(spec));
    return specs;
  }

  tls::testing::ClientOptions Client(uint16_t version) const {
    tls::testing::ClientOptions options;
    options.sni = "localhost";
    options.min_version = options.max_version = version;
    options.certificate = &client;
    options.chain = {&intermediate};
    return options;
  }

  TestCertificate root;
  TestCertificate intermediate;
  TestCertificate server;
  TestCertificate client;
  tls::testing::TestHosts hosts;
};

World& WorldOf(TestKey key) {
  static World ec(TestKey::kEcP256);
  static World rsa(TestKey::kRsa2048);
  return key == TestKey::kEcP256 ? ec : rsa;
}

// CPU time of this thread: what a neighbour on the machine takes does not count.
struct Clock {
  using Duration = std::chrono::nanoseconds;
  static Duration Now() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + Duration(now.tv_nsec);
  }
};

// What the server has spent on one connection.
struct Spent {
  Clock::Duration time{};
  Allocations allocations;
};

void Append(void* wire, const uint8_t* bytes, size_t size) {
  auto& out = *static_cast<std::vector<uint8_t>*>(wire);
  out.insert(out.end(), bytes, bytes + size);
}

template <typename F>
void Timed(Spent& spent, F&& work) {
  const Allocations before = AllocationsSoFar();
  const Clock::Duration start = Clock::Now();
  work();
  spent.time += Clock::Now() - start;
  const Allocations after = AllocationsSoFar();
  spent.allocations.count += after.count - before.count;
  spent.allocations.bytes += after.bytes - before.bytes;
}

// One handshake to its end; false if it fails. `session`: the ticket that came with it.
bool Handshake(World& world, const tls::testing::ClientOptions& options, Spent& spent,
               bssl::UniquePtr<SSL_SESSION>* session) {
  tls::testing::TestClient client(options);
  std::unique_ptr<tls::Engine> engine;
  Timed(spent, [&] { engine = std::make_unique<tls::Engine>(world.hosts.table()); });
  std::vector<uint8_t> wire;
  wire.reserve(16384);
  tls::HandshakeStatus status = tls::HandshakeStatus::kWantRead;
  for (int round = 0; round < 6 && status == tls::HandshakeStatus::kWantRead; ++round) {
    client.Handshake();
    const std::vector<uint8_t> flight = client.TakeOutput();
    std::span<const uint8_t> input = flight;
    Timed(spent, [&] { status = engine->Handshake(input, {&wire, &Append}); });
    client.Feed(wire);
    wire.clear();
  }
  client.Handshake();
  (void)client.Read();
  if (session != nullptr) *session = client.TakeSession();
  Timed(spent, [&] { engine.reset(); });
  return status == tls::HandshakeStatus::kDone && client.done();
}

void Report(benchmark::State& state, const Spent& spent) {
  const auto runs = static_cast<double>(state.iterations());
  state.counters["allocs"] = static_cast<double>(spent.allocations.count) / runs;
  state.counters["bytes"] = static_cast<double>(spent.allocations.bytes) / runs;
}

void Full(benchmark::State& state, TestKey key, uint16_t version) {
  World& world = WorldOf(key);
  const tls::testing::ClientOptions options = world.Client(version);
  Spent all;
  for (auto _ : state) {
    Spent spent;
    if (!Handshake(world, options, spent, nullptr)) state.SkipWithError("the handshake failed");
    state.SetIterationTime(std::chrono::duration<double>(spent.time).count());
    all.allocations.count += spent.allocations.count;
    all.allocations.bytes += spent.allocations.bytes;
  }
  Report(state, all);
}

void Resumed(benchmark::State& state, TestKey key, uint16_t version) {
  World& world = WorldOf(key);
  tls::testing::ClientOptions options = world.Client(version);
  Spent unused;
  bssl::UniquePtr<SSL_SESSION> session;
  if (!Handshake(world, options, unused, &session) || session == nullptr) {
    state.SkipWithError("no ticket to resume with");
    return;
  }
  options.session = session.get();
  Spent all;
  for (auto _ : state) {
    Spent spent;
    if (!Handshake(world, options, spent, nullptr)) state.SkipWithError("the resumption failed");
    state.SetIterationTime(std::chrono::duration<double>(spent.time).count());
    all.allocations.count += spent.allocations.count;
    all.allocations.bytes += spent.allocations.bytes;
  }
  Report(state, all);
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
