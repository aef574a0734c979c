// Signatures by the system's libcrypto, judged by BoringSSL. Where there is no such library, what
// is said of that.
#include "tls/system_libcrypto.h"

#include <dlfcn.h>

#include <atomic>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/tls/test_pki.h"

namespace portcullis::tls {
namespace {

using testing::MakeRoot;
using ::testing::StartsWith;
using testing::TestCertificate;
using testing::TestKey;

constexpr uint16_t kSchemes[] = {SSL_SIGN_RSA_PSS_RSAE_SHA256, SSL_SIGN_RSA_PSS_RSAE_SHA384,
                                 SSL_SIGN_RSA_PSS_RSAE_SHA512, SSL_SIGN_RSA_PKCS1_SHA256,
                                 SSL_SIGN_RSA_PKCS1_SHA384,    SSL_SIGN_RSA_PKCS1_SHA512};
const std::vector<uint8_t> kSignedInput(130, 'x');

class SystemLibcryptoTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // The openssl command, which other tests need, brings the library: a skip would hide that ours
    // does not load it.
    const auto version = SystemLibcryptoVersion();
    ASSERT_TRUE(version.ok()) << version.status();
  }
};

TEST_F(SystemLibcryptoTest, SaysWhichItIs) {
  EXPECT_THAT(*SystemLibcryptoVersion(), StartsWith("OpenSSL 3."));
}

TEST_F(SystemLibcryptoTest, OurOwnNamesAreHiddenFromIt) {
  EXPECT_EQ(dlsym(RTLD_DEFAULT, "RSA_private_encrypt"), nullptr);
  EXPECT_EQ(dlsym(RTLD_DEFAULT, "SSL_CTX_new"), nullptr);
}

TEST_F(SystemLibcryptoTest, EverySchemeOfRsaVerifies) {
  for (const TestKey size : {TestKey::kRsa1024, TestKey::kRsa2048, TestKey::kRsa4096}) {
    const TestCertificate certificate = MakeRoot({.key = size});
    const auto key = MakeSystemKey(certificate.key());
    ASSERT_TRUE(key.ok()) << key.status();
    EXPECT_EQ((*key)->provider(), KeyProvider::kSystem);
    for (const uint16_t scheme : kSchemes) {
      if (size == TestKey::kRsa1024 && scheme == SSL_SIGN_RSA_PSS_RSAE_SHA512) continue;
      const SigningJob job = {.key = *key, .scheme = scheme, .input = kSignedInput};
      const std::vector<uint8_t> signature = job.Run();
      EXPECT_TRUE(IsSignatureOf(certificate.key(), scheme, kSignedInput, signature)) << scheme;
    }
  }
}

TEST_F(SystemLibcryptoTest, AKeyTooSmallForTheHashDoesNotSign) {
  const auto key = MakeSystemKey(MakeRoot({.key = TestKey::kRsa1024}).key());
  ASSERT_TRUE(key.ok()) << key.status();
  const SigningJob job = {
      .key = *key, .scheme = SSL_SIGN_RSA_PSS_RSAE_SHA512, .input = kSignedInput};
  EXPECT_TRUE(job.Run().empty());
}

TEST_F(SystemLibcryptoTest, OtherKindsAndOtherSchemesAreRefused) {
  EXPECT_EQ(MakeSystemKey(MakeRoot({}).key()).status().code(), absl::StatusCode::kInvalidArgument);
  const auto key = MakeSystemKey(MakeRoot({.key = TestKey::kRsa2048}).key());
  ASSERT_TRUE(key.ok()) << key.status();
  std::vector<uint8_t> out(256);
  size_t size = 0;
  EXPECT_FALSE((*key)->Sign(SSL_SIGN_ECDSA_SECP256R1_SHA256, kSignedInput, out, size));
  EXPECT_FALSE((*key)->Sign(0x1234, kSignedInput, out, size));
  EXPECT_FALSE((*key)->Sign(kSchemes[0], kSignedInput, std::span(out).first(255), size));
  EXPECT_TRUE((*key)->Sign(kSchemes[0], kSignedInput, out, size));
}

TEST_F(SystemLibcryptoTest, OneKeySignsOnSeveralThreadsAtOnce) {
  const TestCertificate certificate = MakeRoot({.key = TestKey::kRsa2048});
  const auto key = MakeSystemKey(certificate.key());
  ASSERT_TRUE(key.ok()) << key.status();
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 40; ++round) {
        const uint16_t scheme = kSchemes[static_cast<size_t>(i + round) % std::size(kSchemes)];
        const SigningJob job = {.key = *key, .scheme = scheme, .input = kSignedInput};
        if (IsSignatureOf(certificate.key(), scheme, kSignedInput, job.Run())) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 160);
}

}  // namespace
}  // namespace portcullis::tls
