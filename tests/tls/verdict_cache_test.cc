// The verdict cache: what it remembers, what it forgets first, and that nothing but the same chain
// under the same trust is ever found.
#include "tls/verdict_cache.h"

#include <map>
#include <random>
#include <string>

#include "gtest/gtest.h"

#include "tests/tls/engine_fixture.h"
#include "tests/tls/test_pki.h"

namespace portcullis::tls {
namespace {

using testing::MakeBuffers;
using testing::MakeCa;
using testing::MakeLeaf;
using testing::MakeRoot;
using testing::TestCertificate;

std::shared_ptr<const PeerIdentity> Someone(const std::string& subject) {
  auto identity = std::make_shared<PeerIdentity>();
  identity->subject = subject;
  return identity;
}

Sha256 Key(uint64_t number) {
  Sha256 key{};
  for (size_t i = 0; i < 8; ++i) key[i] = static_cast<uint8_t>(number >> (8 * i));
  return key;
}

Sha256 KeyOf(uint64_t epoch, std::initializer_list<const TestCertificate*> chain) {
  const auto buffers = MakeBuffers(chain);
  std::vector<CRYPTO_BUFFER*> pointers;
  for (const auto& buffer : buffers) pointers.push_back(buffer.get());
  return VerdictCache::KeyOf(epoch, pointers);
}

TEST(VerdictCacheTest, FindsWhatWasInsertedAndCounts) {
  VerdictCache cache(4);
  EXPECT_EQ(cache.Find(Key(1)), nullptr);
  const auto someone = Someone("CN=a");
  cache.Insert(Key(1), someone);
  EXPECT_EQ(cache.Find(Key(1)), someone);
  EXPECT_EQ(cache.Find(Key(2)), nullptr);
  EXPECT_EQ(cache.size(), 1U);
  EXPECT_EQ(cache.capacity(), 4U);
  EXPECT_EQ(cache.stats().hits, 1U);
  EXPECT_EQ(cache.stats().misses, 2U);
  EXPECT_EQ(cache.stats().evictions, 0U);
}

TEST(VerdictCacheTest, InsertingAgainReplaces) {
  VerdictCache cache(4);
  cache.Insert(Key(1), Someone("CN=a"));
  cache.Insert(Key(1), Someone("CN=b"));
  EXPECT_EQ(cache.size(), 1U);
  EXPECT_EQ(cache.Find(Key(1))->subject, "CN=b");
}

TEST(VerdictCacheTest, OfCapacityZeroRemembersNothing) {
  VerdictCache cache(0);
  cache.Insert(Key(1), Someone("CN=a"));
  EXPECT_EQ(cache.Find(Key(1)), nullptr);
  cache.Erase(Key(1));
  EXPECT_EQ(cache.size(), 0U);
}

TEST(VerdictCacheTest, ErasedIsGone) {
  VerdictCache cache(4);
  cache.Insert(Key(1), Someone("CN=a"));
  cache.Insert(Key(2), Someone("CN=b"));
  cache.Erase(Key(1));
  cache.Erase(Key(3));
  EXPECT_EQ(cache.Find(Key(1)), nullptr);
  EXPECT_NE(cache.Find(Key(2)), nullptr);
  EXPECT_EQ(cache.size(), 1U);
}

TEST(VerdictCacheTest, WhatIsAskedForSurvivesAFloodOfOthers) {
  VerdictCache cache(16);
  cache.Insert(Key(0), Someone("CN=regular"));
  for (uint64_t i = 1; i <= 1000; ++i) {
    ASSERT_NE(cache.Find(Key(0)), nullptr) << i;
    cache.Insert(Key(i), Someone("CN=passer-by"));
    ASSERT_LE(cache.size(), 16U);
  }
  EXPECT_EQ(cache.stats().evictions, 1001U - 16U);
}

TEST(VerdictCacheTest, TheOldestUnaskedGoesFirst) {
  VerdictCache cache(3);
  cache.Insert(Key(1), Someone("1"));
  cache.Insert(Key(2), Someone("2"));
  cache.Insert(Key(3), Someone("3"));
  (void)cache.Find(Key(1));
  cache.Insert(Key(4), Someone("4"));
  EXPECT_EQ(cache.Find(Key(2)), nullptr);
  EXPECT_NE(cache.Find(Key(1)), nullptr);
}

TEST(VerdictCacheTest, AChainOfUncommonSizeIsNotKept) {
  VerdictCache cache(8);
  auto large = std::make_shared<PeerIdentity>();
  large->chain_der.assign(5, SharedBytes(std::vector<uint8_t>(4096)));
  cache.Insert(Key(1), large);
  EXPECT_EQ(cache.size(), 0U);
}

// Against a map that never forgets: what is found is right, and erasing and evicting leave every
// other key where a search finds it.
TEST(VerdictCacheTest, BehavesAsAMapThatForgets) {
  const uint64_t seed = testing::TestSeed();
  SCOPED_TRACE(::testing::Message() << "PORTCULLIS_TEST_SEED=" << seed);
  std::mt19937_64 random(seed);
  for (const size_t capacity : {1U, 2U, 7U, 64U}) {
    VerdictCache cache(capacity);
    std::map<uint64_t, std::shared_ptr<const PeerIdentity>> model;
    for (int i = 0; i < 20000; ++i) {
      const uint64_t number = random() % (capacity * 3);
      switch (random() % 4) {
        case 0:
          model[number] = Someone(std::to_string(i));
          cache.Insert(Key(number), model[number]);
          ASSERT_EQ(cache.Find(Key(number)), model[number]);
          break;
        case 1:
          model.erase(number);
          cache.Erase(Key(number));
          ASSERT_EQ(cache.Find(Key(number)), nullptr);
          break;
        default:
          if (const auto found = cache.Find(Key(number)); found != nullptr) {
            ASSERT_EQ(found, model[number]);
          }
      }
      ASSERT_LE(cache.size(), capacity);
    }
  }
}

class VerdictKeyTest : public ::testing::Test {
 protected:
  const TestCertificate root_ = MakeRoot({.common_name = "root"});
  const TestCertificate middle_ = MakeCa(root_, {.common_name = "middle"});
  const TestCertificate other_ = MakeCa(root_, {.common_name = "other"});
  const TestCertificate leaf_ = MakeLeaf(middle_, {.common_name = "client"});
};

TEST_F(VerdictKeyTest, IsTheSameForTheSameChainUnderTheSameTrust) {
  EXPECT_EQ(KeyOf(1, {&leaf_, &middle_}), KeyOf(1, {&leaf_, &middle_}));
}

TEST_F(VerdictKeyTest, BindsEveryCertificateInOrder) {
  const Sha256 key = KeyOf(1, {&leaf_, &middle_});
  EXPECT_NE(key, KeyOf(1, {&leaf_}));
  EXPECT_NE(key, KeyOf(1, {&leaf_, &other_}));
  EXPECT_NE(key, KeyOf(1, {&leaf_, &middle_, &other_}));
  EXPECT_NE(KeyOf(1, {&leaf_, &middle_, &other_}), KeyOf(1, {&leaf_, &other_, &middle_}));
}

TEST_F(VerdictKeyTest, BindsTheTrust) {
  EXPECT_NE(KeyOf(1, {&leaf_, &middle_}), KeyOf(2, {&leaf_, &middle_}));
}

// Bytes moved from the end of one certificate to the start of the next.
TEST_F(VerdictKeyTest, BindsWhereOneCertificateEnds) {
  const auto key = [](std::string_view first, std::string_view second) {
    const auto buffer = [](std::string_view text) {
      return bssl::UniquePtr<CRYPTO_BUFFER>(
          CRYPTO_BUFFER_new(reinterpret_cast<const uint8_t*>(text.data()), text.size(), nullptr));
    };
    const auto a = buffer(first);
    const auto b = buffer(second);
    CRYPTO_BUFFER* const chain[] = {a.get(), b.get()};
    return VerdictCache::KeyOf(1, chain);
  };
  EXPECT_EQ(key("ab", "c"), key("ab", "c"));
  EXPECT_NE(key("ab", "c"), key("a", "bc"));
}

}  // namespace
}  // namespace portcullis::tls
