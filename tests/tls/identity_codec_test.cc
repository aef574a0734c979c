// Identities as bytes: what goes in comes out, and nothing else goes out.
#include "tls/identity_codec.h"

#include <algorithm>
#include <limits>
#include <random>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/tls/engine_fixture.h"
#include "tests/tls/test_pki.h"
#include "tls/identity.h"

namespace portcullis::tls {
namespace {

using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::SizeIs;

bool SameLink(const PathLink& a, const PathLink& b) {
  return a.issuer == b.issuer && a.serial == b.serial && a.not_after == b.not_after &&
         a.is_ca == b.is_ca && a.distribution_points == b.distribution_points;
}

// Everything but the chain.
bool Same(const PeerIdentity& a, const PeerIdentity& b) {
  return a.subject == b.subject && a.issuer == b.issuer && a.serial_hex == b.serial_hex &&
         a.sha256 == b.sha256 && a.spki_sha256 == b.spki_sha256 && a.not_before == b.not_before &&
         a.not_after == b.not_after && a.common_names == b.common_names &&
         a.organizations == b.organizations && a.organizational_units == b.organizational_units &&
         a.dns_names == b.dns_names && a.uris == b.uris && a.emails == b.emails && a.ips == b.ips &&
         a.policy_oids == b.policy_oids && a.anchor_sha256 == b.anchor_sha256 && a.lent == b.lent &&
         std::ranges::equal(a.path, b.path, SameLink);
}

class RandomIdentities {
 public:
  explicit RandomIdentities(uint64_t seed) : random_(seed) {}

  PeerIdentity Next() {
    PeerIdentity identity;
    identity.subject = Text();
    identity.issuer = Text();
    identity.serial_hex = Text();
    identity.sha256 = Hash();
    identity.spki_sha256 = Hash();
    identity.not_before = Time();
    identity.not_after = Time();
    for (auto* const texts : {&identity.common_names, &identity.organizations,
                              &identity.organizational_units, &identity.dns_names, &identity.uris,
                              &identity.emails, &identity.ips, &identity.policy_oids}) {
      for (size_t i = Below(4); i > 0; --i) texts->push_back(Text());
    }
    for (size_t i = Below(4); i > 0; --i) {
      PathLink& link = identity.path.emplace_back();
      link.issuer = Hash();
      link.serial = Bytes(21);
      link.not_after = Time();
      link.is_ca = Below(2) == 1;
      for (size_t point = Below(3); point > 0; --point) {
        link.distribution_points.push_back(random_() >> Below(64));
      }
    }
    identity.anchor_sha256 = Hash();
    for (size_t i = Below(3); i > 0; --i) identity.lent.push_back(Hash());
    for (size_t i = Below(4); i > 0; --i) identity.chain_der.emplace_back(Bytes(1000));
    return identity;
  }
  size_t Below(size_t bound) { return random_() % bound; }
  uint8_t Byte() { return static_cast<uint8_t>(random_()); }

 private:
  std::vector<uint8_t> Bytes(size_t bound) {
    std::vector<uint8_t> bytes(Below(bound));
    std::ranges::generate(bytes, [this] { return Byte(); });
    return bytes;
  }
  std::string Text() {
    const std::vector<uint8_t> bytes = Bytes(Below(8) == 0 ? 300 : 20);
    return {bytes.begin(), bytes.end()};
  }
  Sha256 Hash() {
    Sha256 hash;
    std::ranges::generate(hash, [this] { return Byte(); });
    return hash;
  }
  int64_t Time() {
    switch (Below(4)) {
      case 0:
        return std::numeric_limits<int64_t>::min();
      case 1:
        return std::numeric_limits<int64_t>::max();
      case 2:
        return -static_cast<int64_t>(Below(100));
      default:
        return static_cast<int64_t>(random_() >> Below(64));
    }
  }

  std::mt19937_64 random_;
};

TEST(IdentityCodecTest, WhatGoesInComesOut) {
  const uint64_t seed = testing::TestSeed();
  SCOPED_TRACE(::testing::Message() << "PORTCULLIS_TEST_SEED=" << seed);
  RandomIdentities identities(seed);
  for (int i = 0; i < 2000; ++i) {
    const PeerIdentity identity = identities.Next();
    const bool with_leaf = identities.Below(2) == 1;
    const std::vector<uint8_t> bytes = EncodeIdentity(identity, with_leaf);
    ASSERT_FALSE(bytes.empty());
    EXPECT_EQ(bytes.capacity(), bytes.size()) << "one allocation, of the right size";
    const auto decoded = DecodeIdentity(bytes);
    ASSERT_NE(decoded, nullptr);
    EXPECT_TRUE(Same(identity, *decoded));
    if (with_leaf && !identity.chain_der.empty()) {
      ASSERT_THAT(decoded->chain_der, SizeIs(1));
      EXPECT_EQ(decoded->chain_der.front(), identity.chain_der.front());
    } else {
      EXPECT_THAT(decoded->chain_der, IsEmpty());
    }
  }
}

TEST(IdentityCodecTest, AKeptEncodingIsMadeOnceAndStaysWithItsIdentity) {
  RandomIdentities identities(3);
  PeerIdentity identity = identities.Next();
  identity.chain_der.emplace_back(std::vector<uint8_t>{1, 2, 3});
  for (const bool with_leaf : {false, true}) {
    const std::span<const uint8_t> kept = KeptEncoding(identity, with_leaf);
    EXPECT_THAT(kept, ElementsAreArray(EncodeIdentity(identity, with_leaf)));
    EXPECT_EQ(KeptEncoding(identity, with_leaf).data(), kept.data());
    const PeerIdentity copy = identity;
    EXPECT_NE(KeptEncoding(copy, with_leaf).data(), kept.data());
    EXPECT_EQ(KeptEncoding(identity, with_leaf).data(), kept.data());
  }
}

TEST(IdentityCodecTest, WhateverIsAcceptedHasThisOneEncoding) {
  const uint64_t seed = testing::TestSeed();
  SCOPED_TRACE(::testing::Message() << "PORTCULLIS_TEST_SEED=" << seed);
  RandomIdentities identities(seed);
  int accepted = 0;
  for (int i = 0; i < 5000; ++i) {
    std::vector<uint8_t> bytes = EncodeIdentity(identities.Next(), true);
    bytes[identities.Below(bytes.size())] = identities.Byte();
    if (identities.Below(4) == 0) bytes.resize(identities.Below(bytes.size()));
    if (identities.Below(4) == 0) bytes.push_back(identities.Byte());
    const auto decoded = DecodeIdentity(bytes);
    if (decoded == nullptr) continue;
    ++accepted;
    EXPECT_EQ(EncodeIdentity(*decoded, !decoded->chain_der.empty()), bytes);
  }
  EXPECT_GT(accepted, 0);
}

TEST(IdentityCodecTest, EveryTruncationIsRefused) {
  RandomIdentities identities(7);
  const std::vector<uint8_t> bytes = EncodeIdentity(identities.Next(), true);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeIdentity(std::span(bytes).first(size)), nullptr) << size;
  }
}

TEST(IdentityCodecTest, AnotherFormIsRefused) {
  std::vector<uint8_t> bytes = EncodeIdentity(PeerIdentity(), false);
  ASSERT_NE(DecodeIdentity(bytes), nullptr);
  ++bytes.front();
  EXPECT_EQ(DecodeIdentity(bytes), nullptr);
}

TEST(IdentityCodecTest, WhatIsTooLargeGivesNoBytes) {
  PeerIdentity identity;
  identity.subject = std::string(16384, 'x');
  EXPECT_THAT(EncodeIdentity(identity, false), IsEmpty());
  identity.subject.clear();
  identity.chain_der.emplace_back(std::vector<uint8_t>(16384));
  EXPECT_THAT(EncodeIdentity(identity, true), IsEmpty());
  EXPECT_FALSE(EncodeIdentity(identity, false).empty());
}

TEST(IdentityCodecTest, ACountWithoutItsItemsIsRefusedCheaply) {
  PeerIdentity identity;
  std::vector<uint8_t> bytes = EncodeIdentity(identity, false);
  // The count of common names: form, three empty texts, two hashes, two times of zero before it.
  const size_t at = 1 + 3 + 64 + 2;
  ASSERT_EQ(bytes[at], 0);
  bytes.erase(bytes.begin() + at);
  const uint8_t huge[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
  bytes.insert(bytes.begin() + at, std::begin(huge), std::end(huge));
  EXPECT_EQ(DecodeIdentity(bytes), nullptr);
}

TEST(IdentityCodecTest, AnOrdinaryClientTakesAFewHundredBytes) {
  const testing::TestCertificate root = testing::MakeRoot({.common_name = "root"});
  const testing::TestCertificate leaf =
      testing::MakeLeaf(root, {.common_name = "client-17", .subject_alt_name = "DNS:a.example"});
  PeerIdentity identity = *MakeIdentity(leaf.x509(), leaf.Der());
  identity.path.resize(2);
  EXPECT_LT(EncodeIdentity(identity, false).size(), 400U);
}

}  // namespace
}  // namespace portcullis::tls
