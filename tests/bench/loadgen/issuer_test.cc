#include "bench/loadgen/issuer.h"

#include <gtest/gtest.h>
#include <openssl/pool.h>

#include <ctime>
#include <string>
#include <vector>

#include "tests/tls/test_pki.h"
#include "tls/client_verifier.h"

namespace portcullis::bench {
namespace {

// What the terminator's own verifier makes of a credential.
tls::Rejection Judge(const Issuer& trusted, const Credential& credential, bool with_crl) {
  const int64_t now = static_cast<int64_t>(std::time(nullptr));
  std::vector<tls::PemSource> crls;
  if (with_crl) crls.push_back({*trusted.CrlPem(), "ca.crl"});
  const auto trust = tls::TrustMaterial::Parse(
      "load", std::vector<tls::PemSource>{{trusted.CaPem(), "ca.crt"}}, crls, now);
  if (!trust.ok()) ADD_FAILURE() << trust.status();
  auto verifier = tls::ClientVerifier::Create(*trust, 8);
  if (!verifier.ok()) ADD_FAILURE() << verifier.status();
  std::vector<CRYPTO_BUFFER*> chain;
  for (const auto& each : credential.chain) chain.push_back(each.get());
  return (*verifier)->Judge(chain, now).rejection;
}

TEST(Issuer, ItsClientsAreWhatTheyAreMeantToBe) {
  const auto issuer = Issuer::Make("Load", KeyKind::kP256);
  const auto stranger = Issuer::Make("Stranger", KeyKind::kP256);
  ASSERT_TRUE(issuer.ok() && stranger.ok());
  const Credential good = *(*issuer)->Sign({.index = 1});
  EXPECT_EQ(Judge(**issuer, good, false), tls::Rejection::kNone);
  EXPECT_EQ(Judge(**issuer, good, true), tls::Rejection::kNone);
  EXPECT_EQ(Judge(**stranger, good, false), tls::Rejection::kUnknownCa);
  const Credential expired = *(*issuer)->Sign({.index = 1, .expired = true});
  EXPECT_EQ(Judge(**issuer, expired, false), tls::Rejection::kExpired);
  const Credential revoked = *(*issuer)->Sign({.index = 15, .revoked = true});
  EXPECT_EQ(Judge(**issuer, revoked, true), tls::Rejection::kRevoked);
}

TEST(Issuer, WhatItWritesSignsForTheSameCaInAnotherRun) {
  const auto first = Issuer::Make("Load", KeyKind::kP256);
  ASSERT_TRUE(first.ok());
  const auto again = Issuer::Read(*(*first)->IssuerPem(), "issuer.pem", KeyKind::kP256);
  ASSERT_TRUE(again.ok()) << again.status();
  const Credential client = *(*again)->Sign({.index = 7});
  EXPECT_EQ(client.chain.size(), 2U);
  EXPECT_EQ(Judge(**first, client, true), tls::Rejection::kNone);
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

TEST(Issuer, WhatIsNoIssuerIsNamed) {
  EXPECT_FALSE(Issuer::Read("nothing", "x.pem", KeyKind::kP256).ok());
  const tls::testing::TestCertificate one = tls::testing::MakeRoot({.common_name = "One"});
  const tls::testing::TestCertificate two = tls::testing::MakeRoot({.common_name = "Two"});
  const auto mixed = Issuer::Read(one.Pem() + two.KeyPem(), "mixed.pem", KeyKind::kP256);
  EXPECT_NE(std::string(mixed.status().message()).find("mixed.pem"), std::string::npos);
}

}  // namespace
}  // namespace portcullis::bench
