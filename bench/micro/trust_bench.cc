// The trust store at 1, 100 and 10,000 CAs: reading the bundle (once a configuration), making a
// worker's verifier of it, judging a client, and asking again of one who was judged before.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/micro/report.h"
#include "tests/tls/test_pki.h"
#include "tls/client_verifier.h"

namespace portcullis::bench {
namespace {

using tls::testing::kNow;
using tls::testing::TestCertificate;

// A bundle of CAs, and a client of the last of them.
struct Bundle {
  tls::TrustSources sources;
  std::unique_ptr<TestCertificate> client;
};

// BundleOf makes each size once: signing ten thousand CAs takes seconds.
const Bundle& BundleOf(int64_t num_cas) {
  static std::map<int64_t, Bundle> made;
  const auto [found, fresh] = made.try_emplace(num_cas);
  Bundle& bundle = found->second;
  if (!fresh) return bundle;
  std::string pem;
  for (int64_t i = 1; i <= num_cas; ++i) {
    const TestCertificate ca = tls::testing::MakeRoot({.common_name = "CA " + std::to_string(i)});
    pem += ca.Pem();
    if (i == num_cas) {
      bundle.client =
          std::make_unique<TestCertificate>(tls::testing::MakeLeaf(ca, {.common_name = "Client"}));
    }
  }
  bundle.sources.cas.push_back({std::move(pem), "ca.crt"});
  return bundle;
}

std::shared_ptr<const tls::TrustMaterial> Parse(const Bundle& bundle) {
  auto trust = tls::TrustMaterial::Parse("clients", bundle.sources, {}, {}, kNow);
  return trust.ok() ? *std::move(trust) : nullptr;
}

void ReadBundle(benchmark::State& state) {
  const Bundle& bundle = BundleOf(state.range(0));
  const CountingScope counting(state);
  for (auto _ : state) {
    if (Parse(bundle) == nullptr) state.SkipWithError("the bundle was not taken");
  }
}

void MakeVerifier(benchmark::State& state) {
  const auto trust = Parse(BundleOf(state.range(0)));
  const CountingScope counting(state);
  for (auto _ : state) {
    if (!tls::ClientVerifier::Create(trust, {}).ok()) state.SkipWithError("no verifier");
  }
}

void JudgeClient(benchmark::State& state) {
  const Bundle& bundle = BundleOf(state.range(0));
  const auto verifier = *tls::ClientVerifier::Create(Parse(bundle), {});
  const auto owned = tls::testing::MakeBuffers({bundle.client.get()});
  const std::array<CRYPTO_BUFFER*, 1> chain = {owned.front().get()};
  const CountingScope counting(state);
  for (auto _ : state) {
    if (verifier->Judge(chain, kNow).rejection != tls::Rejection::kNone)
      state.SkipWithError("the client was refused");
  }
}

void RecheckClient(benchmark::State& state) {
  const Bundle& bundle = BundleOf(state.range(0));
  const auto verifier = *tls::ClientVerifier::Create(Parse(bundle), {});
  const auto owned = tls::testing::MakeBuffers({bundle.client.get()});
  const std::array<CRYPTO_BUFFER*, 1> chain = {owned.front().get()};
  const tls::Verdict first = verifier->Judge(chain, kNow);
  const CountingScope counting(state);
  for (auto _ : state) {
    if (verifier->Recheck(first.identity, kNow).rejection != tls::Rejection::kNone)
      state.SkipWithError("the client was refused");
  }
}

BENCHMARK(ReadBundle)->Arg(1)->Arg(100)->Arg(10'000)->Unit(benchmark::kMicrosecond);
BENCHMARK(MakeVerifier)->Arg(1)->Arg(100)->Arg(10'000)->Unit(benchmark::kMicrosecond);
BENCHMARK(JudgeClient)->Arg(1)->Arg(100)->Arg(10'000)->Unit(benchmark::kMicrosecond);
BENCHMARK(RecheckClient)->Arg(1)->Arg(100)->Arg(10'000);

}  // namespace
}  // namespace portcullis::bench
