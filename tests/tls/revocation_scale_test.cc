// A million revoked certificates: loaded and asked, with the figures printed. Times are for people:
// nothing is asserted of them; of memory it is.
#include <array>
#include <chrono>
#include <cstring>
#include <iostream>
#include <random>

#include "gtest/gtest.h"

#include "tests/tls/crl_maker.h"
#include "tls/revocation_index.h"

namespace portcullis::tls {
namespace {

using testing::EntrySpec;
using testing::kNow;
using testing::MakeRoot;
using testing::Octets;
using Clock = std::chrono::steady_clock;

constexpr size_t kNumEntries = 1'000'000;

// Serials as CAs make them: 16 octets, random.
Octets MakeSerial(std::mt19937_64& random) {
  Octets serial(16);
  for (size_t at = 0; at < serial.size(); at += 8) {
    const uint64_t bits = random();
    std::memcpy(serial.data() + at, &bits, sizeof(bits));
  }
  serial[0] = static_cast<uint8_t>((serial[0] & 0x7f) | 1);
  return serial;
}

int64_t Milliseconds(Clock::time_point from) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - from).count();
}

TEST(RevocationScale, AMillionEntriesLoadAndAnswer) {
  const uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  const auto root = MakeRoot({.common_name = "root"});
  std::vector<CrlSource> sources(1);
  {
    testing::CrlSpec spec;
    spec.entries.resize(kNumEntries);
    for (EntrySpec& entry : spec.entries) entry.serial = MakeSerial(random);
    sources[0] = {.bytes = testing::AsPem(testing::MakeCrl(root, spec)), .origin = "big.crl"};
  }
  const std::vector<uint8_t> root_der = root.Der();
  const std::array<CrlIssuer, 1> issuers = {{{root_der}}};
  const Clock::time_point start = Clock::now();
  const auto built = RevocationIndex::Build(sources, issuers, kNow);
  ASSERT_TRUE(built.ok()) << built.status();
  const RevocationIndex& index = **built;
  std::cout << "PEM of " << sources[0].bytes.size() / 1'000'000 << " MB, " << kNumEntries
            << " entries: loaded in " << Milliseconds(start) << " ms, "
            << index.memory_bytes() / 1'000'000 << " MB\n";
  EXPECT_LT(index.memory_bytes(), 50'000'000U);
  EXPECT_EQ(index.summaries().at(0).num_entries, kNumEntries);

  PathLink link;
  link.issuer = MakeIssuerId(root_der);
  std::mt19937_64 again(seed);
  const Clock::time_point asking = Clock::now();
  for (size_t i = 0; i < kNumEntries; ++i) {
    link.serial = MakeSerial(again);
    ASSERT_EQ(index.Ask(link, {}, kNow).rejection, Rejection::kRevoked);
  }
  std::cout << "asked for each in " << Milliseconds(asking) << " ms\n";
  for (size_t i = 0; i < kNumEntries; ++i) {
    link.serial = MakeSerial(again);
    ASSERT_EQ(index.Ask(link, {}, kNow).rejection, Rejection::kNone);
  }
}

}  // namespace
}  // namespace portcullis::tls
