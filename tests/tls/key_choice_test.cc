#include "tls/key_choice.h"

#include <algorithm>
#include <chrono>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/tls/test_pki.h"
#include "tls/system_libcrypto.h"

namespace portcullis::tls {
namespace {

using std::chrono::microseconds;
using ::testing::HasSubstr;
using testing::MakeRoot;
using testing::TestCertificate;
using testing::TestKey;

TEST(KeyChoice, TheSystemsLibraryMustSaveATenth) {
  const auto prefers = [](microseconds builtin, microseconds system) {
    return PrefersSystem({.builtin = builtin, .system = system});
  };
  EXPECT_TRUE(prefers(microseconds(556), microseconds(238)));
  EXPECT_TRUE(prefers(microseconds(1000), microseconds(900)));
  EXPECT_FALSE(prefers(microseconds(1000), microseconds(901)));
  EXPECT_FALSE(prefers(microseconds(1000), microseconds(2000)));
  EXPECT_FALSE(PrefersSystem({.builtin = microseconds(1), .system = std::nullopt}));
  EXPECT_FALSE(PrefersSystem({.builtin = std::nullopt, .system = microseconds(1)}));
}

TEST(KeyChoice, OtherKeysThanRsaStayAndAreNotMeasured) {
  const TestCertificate certificate = MakeRoot({.key = TestKey::kEcP256});
  for (const KeyProviderWish provider :
       {KeyProviderWish::kAuto, KeyProviderWish::kBuiltin, KeyProviderWish::kSystem}) {
    const auto choice = ChooseSigning(certificate.key(), {.provider = provider});
    ASSERT_TRUE(choice.ok()) << choice.status();
    EXPECT_EQ(choice->provider, KeyProvider::kBuiltin);
    EXPECT_FALSE(choice->on_helper);
    EXPECT_EQ(choice->report, "");
  }
  const auto always = ChooseSigning(certificate.key(), {.helper = HelperWish::kAlways});
  EXPECT_TRUE(always->on_helper);
}

TEST(KeyChoice, MeasuresOnceASizeAndReportsItOnce) {
  const TestCertificate certificate = MakeRoot({.key = TestKey::kRsa4096});
  const auto first = ChooseSigning(certificate.key(), {});
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_THAT(first->report, HasSubstr("RSA-4096 keys: a signature takes "));
  EXPECT_THAT(first->report, HasSubstr("the system's libcrypto"));
  EXPECT_TRUE(first->on_helper) << first->report;
  const auto second = ChooseSigning(certificate.key(), {});
  EXPECT_EQ(second->report, "");
  EXPECT_EQ(second->provider, first->provider);
  const auto never = ChooseSigning(certificate.key(), {.helper = HelperWish::kNever});
  EXPECT_FALSE(never->on_helper);
  EXPECT_EQ(never->provider, first->provider);
}

TEST(KeyChoice, BuiltinIsBuiltin) {
  const TestCertificate certificate = MakeRoot({.key = TestKey::kRsa2048});
  const auto choice = ChooseSigning(
      certificate.key(), {.provider = KeyProviderWish::kBuiltin, .helper = HelperWish::kAlways});
  ASSERT_TRUE(choice.ok()) << choice.status();
  EXPECT_EQ(choice->provider, KeyProvider::kBuiltin);
  EXPECT_TRUE(choice->on_helper);
  EXPECT_EQ(choice->report, "");
}

TEST(KeyChoice, WhoInsistsOnTheSystemGetsItOrAnError) {
  const TestCertificate certificate = MakeRoot({.key = TestKey::kRsa2048});
  const auto choice = ChooseSigning(certificate.key(), {.provider = KeyProviderWish::kSystem});
  if (SystemLibcryptoVersion().ok()) {
    ASSERT_TRUE(choice.ok()) << choice.status();
    EXPECT_EQ(choice->provider, KeyProvider::kSystem);
    const auto key = MakeSigningKey(certificate.key(), choice->provider);
    ASSERT_TRUE(key.ok()) << key.status();
    EXPECT_EQ((*key)->provider(), KeyProvider::kSystem);
  } else {
    EXPECT_THAT(choice.status().message(), HasSubstr("key_provider is system, but"));
    EXPECT_THAT(choice.status().message(), HasSubstr("libcrypto.so.3"));
  }
}

// A key that takes no time, or does not sign at all after `good` signatures.
class FakeKey final : public SigningKey {
 public:
  explicit FakeKey(int good) : good_(good) {}
  [[nodiscard]] bool Sign(uint16_t /*scheme*/, std::span<const uint8_t> /*input*/,
                          std::span<uint8_t> out, size_t& size) const override {
    size = out.size();
    return ++calls_ <= good_;
  }
  [[nodiscard]] size_t max_signature_bytes() const override { return 8; }
  [[nodiscard]] KeyProvider provider() const override { return KeyProvider::kSystem; }
  [[nodiscard]] int calls() const { return calls_; }

 private:
  const int good_;
  mutable int calls_ = 0;
};

TEST(KeyChoice, MeasuringEndsAndFailuresCountForNothing) {
  const FakeKey quick(1'000'000);
  const auto cost = MeasureSigning(quick);
  ASSERT_TRUE(cost.has_value());
  EXPECT_LT(*cost, microseconds(1000));
  EXPECT_LE(quick.calls(), 20);
  EXPECT_EQ(MeasureSigning(FakeKey(0)), std::nullopt);
  EXPECT_EQ(MeasureSigning(FakeKey(2)), std::nullopt);
}

}  // namespace
}  // namespace portcullis::tls
