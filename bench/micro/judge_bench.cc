// What a virtual host's judgement of one client costs: the first client of its issuer, with nothing
// in memory yet; a chain seen for the first time, of an issuer seen before; one that is remembered;
// and a ticket's identity, decoded and asked about again. Chain: leaf and intermediate; the trust
// has a CRL of each CA.
#include <benchmark/benchmark.h>

#include <memory>
#include <utility>
#include <vector>

#include "bench/micro/read_locks.h"
#include "bench/micro/report.h"
#include "bench/micro/server_share.h"
#include "tests/tls/test_client.h"
#include "tests/tls/test_pki.h"
#include "tls/host_judge.h"
#include "tls/identity_codec.h"

namespace portcullis::bench {
namespace {

using tls::testing::kNow;
using tls::testing::TestCertificate;
using tls::testing::TestKey;

class Scene {
 public:
  explicit Scene(TestKey key)
      : root_(tls::testing::MakeRoot({.common_name = "Root", .key = key})),
        ca_(tls::testing::MakeCa(root_, {.common_name = "CA", .key = key})),
        leaf_(tls::testing::MakeLeaf(ca_, {.common_name = "Client", .key = key})),
        hosts_(MakeHosts()),
        buffers_(tls::testing::MakeBuffers({&leaf_, &ca_})) {
    for (const auto& buffer : buffers_) chain_.push_back(buffer.get());
  }

  [[nodiscard]] tls::Verdict Judge(tls::VerdictCache* cache) {
    tls::Verdict verdict = tls::JudgeChain(host(), chain_, cache, kNow);
    tls::Remember(host(), verdict, cache);
    return verdict;
  }
  [[nodiscard]] const tls::Host& host() { return *hosts_->table().hosts().front(); }
  // Forget makes the host anew: no CA is parsed, no issuer known.
  void Forget() { hosts_ = MakeHosts(); }

 private:
  [[nodiscard]] std::unique_ptr<tls::testing::TestHosts> MakeHosts() const {
    tls::HostSpec spec;
    spec.name = "edge.example";
    spec.server_names = {"edge.example"};
    spec.credentials = {tls::testing::MakeCredential(leaf_)};
    spec.client_auth.mode = tls::ClientAuthMode::kRequire;
    spec.client_auth.trust =
        tls::testing::MakeTrust({&root_}, {tls::testing::MakeCrlPem(root_, {1, 2, 3})});
    std::vector<tls::HostSpec> specs;
    specs.push_back(std::move(spec));
    return std::make_unique<tls::testing::TestHosts>(std::move(specs));
  }

  const TestCertificate root_;
  const TestCertificate ca_;
  const TestCertificate leaf_;
  std::unique_ptr<tls::testing::TestHosts> hosts_;
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> buffers_;
  std::vector<CRYPTO_BUFFER*> chain_;
};

void First(benchmark::State& state, TestKey key) {
  Scene scene(key);
  const LocksScope locks;
  Handshakes(state, [&scene](Spent& spent) {
    PauseLocks();
    scene.Forget();
    ResumeLocks();
    tls::VerdictCache cache(1);
    bool accepted = false;
    Timed(spent, [&] { accepted = scene.Judge(&cache).accepted(); });
    return accepted;
  });
  locks.Report(state);
}

void Cold(benchmark::State& state, TestKey key) {
  Scene scene(key);
  (void)scene.Judge(nullptr);
  const LocksScope locks;
  const CountingScope counting(state);
  for (auto _ : state) {
    tls::VerdictCache cache(1);
    if (!scene.Judge(&cache).accepted()) state.SkipWithError("not accepted");
  }
  locks.Report(state);
}

void Warm(benchmark::State& state, TestKey key) {
  Scene scene(key);
  tls::VerdictCache cache(8192);
  (void)scene.Judge(&cache);
  const LocksScope locks;
  const CountingScope counting(state);
  for (auto _ : state) {
    if (!scene.Judge(&cache).from_cache) state.SkipWithError("not from memory");
  }
  locks.Report(state);
}

void Ticket(benchmark::State& state, TestKey key) {
  Scene scene(key);
  const std::vector<uint8_t> bytes =
      tls::EncodeIdentity(*scene.Judge(nullptr).identity, /*with_leaf=*/false);
  const CountingScope counting(state);
  for (auto _ : state) {
    const tls::Verdict verdict = tls::JudgeAgain(scene.host(), tls::DecodeIdentity(bytes), kNow);
    if (!verdict.accepted()) state.SkipWithError("not accepted");
  }
}

BENCHMARK_CAPTURE(First, p256, TestKey::kEcP256)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Cold, p256, TestKey::kEcP256)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Warm, p256, TestKey::kEcP256)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Ticket, p256, TestKey::kEcP256)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(First, rsa2048, TestKey::kRsa2048)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Cold, rsa2048, TestKey::kRsa2048)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Warm, rsa2048, TestKey::kRsa2048)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace portcullis::bench
