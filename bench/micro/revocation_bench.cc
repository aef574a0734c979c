// What asking a revocation index costs, by the number of its entries: for whom it lists and for
// whom it does not.
#include <benchmark/benchmark.h>

#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "bench/micro/report.h"
#include "tests/tls/crl_maker.h"
#include "tls/revocation_index.h"

namespace portcullis::bench {
namespace {

using tls::testing::kNow;
using tls::testing::Octets;

constexpr size_t kNumAsked = 4096;

Octets MakeSerial(std::mt19937_64& random) {
  Octets serial(16);
  for (size_t at = 0; at < serial.size(); at += 8) {
    const uint64_t bits = random();
    std::memcpy(serial.data() + at, &bits, sizeof(bits));
  }
  serial[0] = static_cast<uint8_t>((serial[0] & 0x7f) | 1);
  return serial;
}

// Asks in turn about `kNumAsked` certificates, all listed or none: more than a cache would keep.
void Ask(benchmark::State& state, bool listed) {
  const auto root = tls::testing::MakeRoot({.common_name = "root"});
  const std::vector<uint8_t> root_der = root.Der();
  std::mt19937_64 random(1);
  std::vector<tls::CrlSource> sources;
  std::vector<tls::PathLink> links(kNumAsked);
  for (tls::PathLink& link : links) {
    link.issuer = tls::MakeIssuerId(root_der);
    link.serial = MakeSerial(random);
  }
  if (state.range(0) > 0) {
    tls::testing::CrlSpec spec;
    spec.entries.resize(static_cast<size_t>(state.range(0)));
    for (auto& entry : spec.entries) entry.serial = MakeSerial(random);
    const size_t step = std::max<size_t>(spec.entries.size() / kNumAsked, 1);
    for (size_t i = 0; listed && i < links.size(); ++i) {
      links[i].serial = spec.entries[i * step % spec.entries.size()].serial;
    }
    sources.push_back({.bytes = tls::testing::MakeCrl(root, spec), .origin = "bench"});
  }
  const auto index =
      *tls::RevocationIndex::Build(sources, std::vector<tls::CrlIssuer>{{root_der}}, kNow);
  const auto expected =
      listed && state.range(0) > 0 ? tls::Rejection::kRevoked : tls::Rejection::kNone;
  size_t next = 0;
  const CountingScope counting(state);
  for (auto _ : state) {
    const auto answer = index->Ask(links[next++ % kNumAsked], {}, kNow);
    if (answer.rejection != expected) state.SkipWithError("not the answer expected");
  }
  state.counters["index_bytes"] = static_cast<double>(index->memory_bytes());
}

BENCHMARK_CAPTURE(Ask, listed, true)->Arg(1'000)->Arg(1'000'000);
BENCHMARK_CAPTURE(Ask, not_listed, false)->Arg(0)->Arg(1'000)->Arg(1'000'000);

}  // namespace
}  // namespace portcullis::bench
