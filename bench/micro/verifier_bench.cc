// What judging one client chain costs: accepted and refused ones, two key types, with and without a
// CRL.
#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "bench/micro/report.h"
#include "tests/tls/test_pki.h"
#include "tls/client_verifier.h"

namespace portcullis::bench {
namespace {

using tls::testing::kDay;
using tls::testing::kNow;
using tls::testing::TestCertificate;
using tls::testing::TestKey;

void Judge(benchmark::State& state, tls::ClientVerifier& verifier,
           const std::vector<bssl::UniquePtr<CRYPTO_BUFFER>>& owned, tls::Rejection expected) {
  std::vector<CRYPTO_BUFFER*> chain;
  for (const auto& buffer : owned) chain.push_back(buffer.get());
  const CountingScope counting(state);
  for (auto _ : state) {
    const tls::Verdict verdict = verifier.Judge(chain, kNow);
    if (verdict.rejection != expected) state.SkipWithError("not the verdict expected");
  }
}

void Chain(benchmark::State& state, TestKey key, bool with_crl) {
  const TestCertificate root = tls::testing::MakeRoot({.common_name = "Root", .key = key});
  const TestCertificate ca = tls::testing::MakeCa(root, {.common_name = "CA", .key = key});
  const TestCertificate leaf = tls::testing::MakeLeaf(ca, {.common_name = "Client", .key = key});
  std::vector<std::string> crls;
  if (with_crl) crls.push_back(tls::testing::MakeCrlPem(ca, {1, 2, 3}));
  auto verifier = *tls::ClientVerifier::Create(tls::testing::MakeTrust({&root}, crls), {});
  Judge(state, *verifier, tls::testing::MakeBuffers({&leaf, &ca}), tls::Rejection::kNone);
}

void Refused(benchmark::State& state, bool expired) {
  const TestCertificate root = tls::testing::MakeRoot({.common_name = "Root"});
  const TestCertificate other = tls::testing::MakeRoot({.common_name = "Other"});
  const TestCertificate leaf =
      expired
          ? tls::testing::MakeLeaf(root, {.not_before = kNow - 9 * kDay, .not_after = kNow - kDay})
          : tls::testing::MakeLeaf(other, {.common_name = "Stranger"});
  auto verifier = *tls::ClientVerifier::Create(tls::testing::MakeTrust({&root}), {});
  Judge(state, *verifier, tls::testing::MakeBuffers({&leaf}),
        expired ? tls::Rejection::kExpired : tls::Rejection::kUnknownCa);
}

BENCHMARK_CAPTURE(Chain, p256, TestKey::kEcP256, false)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Chain, p256_with_crl, TestKey::kEcP256, true)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Chain, rsa2048, TestKey::kRsa2048, false)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Refused, expired, true)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Refused, unknown_ca, false)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace portcullis::bench
