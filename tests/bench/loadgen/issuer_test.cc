#include "bench/loadgen/issuer.h"

#include <gtest/gtest.h>
#include <openssl/pool.h>
#include <openssl/stack.h>
#include <openssl/x509.h>

#include <string>
#include <vector>

#include "tests/tls/test_pki.h"
#include "tls/pem.h"

namespace portcullis::bench {
namespace {

bssl::UniquePtr<X509> ToX509(const tls::Der& der) {
  const uint8_t* data = der.data();
  return bssl::UniquePtr<X509>(d2i_X509(nullptr, &data, static_cast<long>(der.size())));
}

// What the library makes of a credential: X509_V_OK or X509_V_ERR_...
int Judge(const Issuer& trusted, const Credential& credential, bool with_crl) {
  const bssl::UniquePtr<X509_STORE> store(X509_STORE_new());
  const std::vector<tls::Der> cas =
      *tls::ReadPem(trusted.CaPem(), tls::PemKind::kCertificate, "ca");
  for (const tls::Der& der : cas) X509_STORE_add_cert(store.get(), ToX509(der).get());
  if (with_crl) {
    const std::vector<tls::Der> crls = *tls::ReadPem(*trusted.CrlPem(), tls::PemKind::kCrl, "crl");
    for (const tls::Der& der : crls) {
      const uint8_t* data = der.data();
      const bssl::UniquePtr<X509_CRL> crl(
          d2i_X509_CRL(nullptr, &data, static_cast<long>(der.size())));
      X509_STORE_add_crl(store.get(), crl.get());
    }
    X509_STORE_set_flags(store.get(), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  }
  std::vector<bssl::UniquePtr<X509>> chain;
  const bssl::UniquePtr<STACK_OF(X509)> rest(sk_X509_new_null());
  for (const auto& each : credential.chain) {
    const uint8_t* data = CRYPTO_BUFFER_data(each.get());
    chain.emplace_back(d2i_X509(nullptr, &data, static_cast<long>(CRYPTO_BUFFER_len(each.get()))));
    if (chain.size() > 1) bssl::PushToStack(rest.get(), bssl::UpRef(chain.back()));
  }
  const bssl::UniquePtr<X509_STORE_CTX> context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), chain.front().get(), rest.get());
  X509_STORE_CTX_set_default(context.get(), "ssl_client");
  return X509_verify_cert(context.get()) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context.get());
}

TEST(Issuer, ItsClientsAreWhatTheyAreMeantToBe) {
  const auto issuer = Issuer::Make("Load", KeyKind::kP256);
  const auto stranger = Issuer::Make("Stranger", KeyKind::kP256);
  ASSERT_TRUE(issuer.ok() && stranger.ok());
  const Credential good = *(*issuer)->Sign({.index = 1});
  EXPECT_EQ(Judge(**issuer, good, false), X509_V_OK);
  EXPECT_EQ(Judge(**issuer, good, true), X509_V_OK);
  EXPECT_EQ(Judge(**stranger, good, false), X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
  const Credential expired = *(*issuer)->Sign({.index = 1, .expired = true});
  EXPECT_EQ(Judge(**issuer, expired, false), X509_V_ERR_CERT_HAS_EXPIRED);
  const Credential revoked = *(*issuer)->Sign({.index = 15, .revoked = true});
  EXPECT_EQ(Judge(**issuer, revoked, true), X509_V_ERR_CERT_REVOKED);
}

TEST(Issuer, WhatItWritesSignsForTheSameCaInAnotherRun) {
  const auto first = Issuer::Make("Load", KeyKind::kP256);
  ASSERT_TRUE(first.ok());
  const auto again = Issuer::Read(*(*first)->IssuerPem(), "issuer.pem", KeyKind::kP256);
  ASSERT_TRUE(again.ok()) << again.status();
  const Credential client = *(*again)->Sign({.index = 7});
  EXPECT_EQ(client.chain.size(), 2U);
  EXPECT_EQ(Judge(**first, client, true), X509_V_OK);
  EXPECT_EQ((*again)->CaPem(), (*first)->CaPem()) << "the root, which the intermediate is not";
}

TEST(Issuer, ARootThatWasReadSignsWithoutSendingItself) {
  const tls::testing::TestCertificate root = tls::testing::MakeRoot(
      {.common_name = "Given", .not_before = 0, .not_after = tls::testing::kNow});
  const auto issuer = Issuer::Read(root.Pem() + root.KeyPem(), "root.pem", KeyKind::kRsa2048);
  ASSERT_TRUE(issuer.ok()) << issuer.status();
  const Credential client = *(*issuer)->Sign({.index = 7});
  EXPECT_EQ(client.chain.size(), 1U);
  EXPECT_EQ(EVP_PKEY_id(client.key.get()), EVP_PKEY_RSA);
  EXPECT_EQ((*issuer)->CaPem(), root.Pem());
}

TEST(Issuer, WithoutARootAllThatWasReadIsTrusted) {
  const auto root = tls::testing::MakeRoot({.common_name = "Root"});
  const auto upper = tls::testing::MakeCa(root, {.common_name = "Upper"});
  const auto lower = tls::testing::MakeCa(upper, {.common_name = "Lower"});
  const auto without =
      Issuer::Read(lower.Pem() + upper.Pem() + lower.KeyPem(), "chain.pem", KeyKind::kP256);
  ASSERT_TRUE(without.ok()) << without.status();
  EXPECT_EQ((*without)->CaPem(), lower.Pem() + upper.Pem());
  const auto with = Issuer::Read(lower.Pem() + upper.Pem() + root.Pem() + lower.KeyPem(),
                                 "chain.pem", KeyKind::kP256);
  ASSERT_TRUE(with.ok()) << with.status();
  EXPECT_EQ((*with)->CaPem(), root.Pem());
  EXPECT_EQ((*with)->Sign({.index = 7})->chain.size(), 3U) << "not the root";
}

TEST(Issuer, WhatIsNoIssuerIsNamed) {
  EXPECT_FALSE(Issuer::Read("nothing", "x.pem", KeyKind::kP256).ok());
  const tls::testing::TestCertificate one = tls::testing::MakeRoot({.common_name = "One"});
  const tls::testing::TestCertificate two = tls::testing::MakeRoot({.common_name = "Two"});
  const auto mixed = Issuer::Read(one.Pem() + two.KeyPem(), "mixed.pem", KeyKind::kP256);
  EXPECT_NE(std::string(mixed.status().message()).find("mixed.pem"), std::string::npos);
}

}  // namespace
}  // namespace portcullis::bench
