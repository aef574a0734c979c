// One signature of a server's key, as a TLS 1.3 handshake asks for it, by either library.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/micro/report.h"
#include "tests/tls/test_pki.h"
#include "tls/key_choice.h"
#include "tls/signing_key.h"

namespace portcullis::bench {
namespace {

using tls::KeyProvider;
using tls::testing::TestKey;

void Sign(benchmark::State& state, TestKey kind, KeyProvider provider, uint16_t scheme) {
  const tls::testing::TestCertificate certificate = tls::testing::MakeRoot({.key = kind});
  const auto key = tls::MakeSigningKey(certificate.key(), provider);
  if (!key.ok()) {
    state.SkipWithError(std::string(key.status().message()).c_str());
    return;
  }
  const std::vector<uint8_t> input(130, 'x');
  std::vector<uint8_t> out((*key)->max_signature_bytes());
  size_t size = 0;
  const CountingScope counting(state);
  for (auto _ : state) {
    if (!(*key)->Sign(scheme, input, out, size)) state.SkipWithError("it does not sign");
  }
}

BENCHMARK_CAPTURE(Sign, p256_builtin, TestKey::kEcP256, KeyProvider::kBuiltin,
                  SSL_SIGN_ECDSA_SECP256R1_SHA256)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Sign, rsa2048_builtin, TestKey::kRsa2048, KeyProvider::kBuiltin,
                  SSL_SIGN_RSA_PSS_RSAE_SHA256)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Sign, rsa2048_system, TestKey::kRsa2048, KeyProvider::kSystem,
                  SSL_SIGN_RSA_PSS_RSAE_SHA256)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Sign, rsa4096_builtin, TestKey::kRsa4096, KeyProvider::kBuiltin,
                  SSL_SIGN_RSA_PSS_RSAE_SHA256)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Sign, rsa4096_system, TestKey::kRsa4096, KeyProvider::kSystem,
                  SSL_SIGN_RSA_PSS_RSAE_SHA256)
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace portcullis::bench
