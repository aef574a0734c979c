// What a virtual host's judgement of one client costs: a chain seen for the first time, one that is
// remembered, and a ticket's identity, decoded and asked about again. Chain: leaf and intermediate;
// the trust has a CRL of each CA.
#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "bench/micro/report.h"
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
        hosts_({Spec()}),
        buffers_(tls::testing::MakeBuffers({&leaf_, &ca_})) {
    for (const auto& buffer : buffers_) chain_.push_back(buffer.get());
  }

  [[nodiscard]] tls::Verdict Judge(tls::VerdictCache* cache) {
    tls::Verdict verdict = tls::JudgeChain(host(), chain_, cache, kNow);
    tls::Remember(host(), verdict, cache);
    return verdict;
  }
  [[nodiscard]] const tls::Host& host() { return *hosts_.table().hosts().front(); }

 private:
  [[nodiscard]] tls::HostSpec Spec() const {
    tls::HostSpec spec;
    spec.name = "edge.example";
    spec.server_names = {"edge.example"};
    spec.credentials = {tls::testing::MakeCredential(leaf_)};
    spec.client_auth.mode = tls::ClientAuthMode::kRequire;
    spec.client_auth.trust =
        tls::testing::MakeTrust({&root_}, {tls::testing::MakeCrlPem(root_, {1, 2, 3})});
    return spec;
  }

  const TestCertificate root_;
  const TestCertificate ca_;
  const TestCertificate leaf_;
  tls::testing::TestHosts hosts_;
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> buffers_;
  std::vector<CRYPTO_BUFFER*> chain_;
};

void Cold(benchmark::State& state, TestKey key) {
  Scene scene(key);
  const CountingScope counting(state);
  for (auto _ : state) {
    tls::VerdictCache cache(1);
    if (!scene.Judge(&cache).accepted()) state.SkipWithError("not accepted");
  }
}

void Warm(benchmark::State& state, TestKey key) {
  Scene scene(key);
  tls::VerdictCache cache(8192);
  (void)scene.Judge(&cache);
  const CountingScope counting(state);
  for (auto _ : state) {
    if (!scene.Judge(&cache).from_cache) state.SkipWithError("not from memory");
  }
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

BENCHMARK_CAPTURE(Cold, p256, TestKey::kEcP256)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Warm, p256, TestKey::kEcP256)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Ticket, p256, TestKey::kEcP256)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Cold, rsa2048, TestKey::kRsa2048)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Warm, rsa2048, TestKey::kRsa2048)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace portcullis::bench
