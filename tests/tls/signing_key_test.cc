#include "tls/signing_key.h"

#include <openssl/err.h>

#include <memory>
#include <utility>

#include "gtest/gtest.h"

#include "tests/tls/test_pki.h"

namespace portcullis::tls {
namespace {

using testing::MakeRoot;
using testing::TestCertificate;
using testing::TestKey;

const std::vector<uint8_t> kInput(130, 'x');

struct Case {
  TestKey key;
  std::vector<uint16_t> schemes;
};

std::vector<Case> Cases() {
  return {
      {TestKey::kEcP256, {SSL_SIGN_ECDSA_SECP256R1_SHA256}},
      {TestKey::kEcP384, {SSL_SIGN_ECDSA_SECP384R1_SHA384, SSL_SIGN_ECDSA_SECP256R1_SHA256}},
      {TestKey::kEcP521, {SSL_SIGN_ECDSA_SECP521R1_SHA512}},
      {TestKey::kEd25519, {SSL_SIGN_ED25519}},
      {TestKey::kRsa2048,
       {SSL_SIGN_RSA_PSS_RSAE_SHA256, SSL_SIGN_RSA_PSS_RSAE_SHA384, SSL_SIGN_RSA_PSS_RSAE_SHA512,
        SSL_SIGN_RSA_PKCS1_SHA256, SSL_SIGN_RSA_PKCS1_SHA384, SSL_SIGN_RSA_PKCS1_SHA512}}};
}

TEST(SigningKey, EveryKindSignsUnderEachOfItsSchemesAndNoOther) {
  for (const Case& one : Cases()) {
    const TestCertificate certificate = MakeRoot({.key = one.key});
    const auto key = MakeBuiltinKey(certificate.key());
    EXPECT_EQ(key->provider(), KeyProvider::kBuiltin);
    for (const Case& other : Cases()) {
      for (const uint16_t scheme : other.schemes) {
        const SigningJob job = {.key = key, .scheme = scheme, .input = kInput};
        const std::vector<uint8_t> signature = job.Run();
        const bool same_kind = SSL_get_signature_algorithm_key_type(scheme) ==
                               SSL_get_signature_algorithm_key_type(one.schemes.front());
        EXPECT_EQ(!signature.empty(), same_kind) << scheme;
        EXPECT_EQ(IsSignatureOf(certificate.key(), scheme, kInput, signature), same_kind);
        EXPECT_LE(signature.size(), key->max_signature_bytes());
      }
    }
  }
}

TEST(SigningKey, ASignatureOfSomethingElseIsNone) {
  const TestCertificate certificate = MakeRoot({});
  const TestCertificate other = MakeRoot({});
  const uint16_t scheme = SSL_SIGN_ECDSA_SECP256R1_SHA256;
  const SigningJob job = {
      .key = MakeBuiltinKey(certificate.key()), .scheme = scheme, .input = kInput};
  const std::vector<uint8_t> signature = job.Run();
  ASSERT_TRUE(IsSignatureOf(certificate.key(), scheme, kInput, signature));
  EXPECT_FALSE(IsSignatureOf(other.key(), scheme, kInput, signature));
  EXPECT_FALSE(IsSignatureOf(certificate.key(), scheme, std::vector<uint8_t>(130, 'y'), signature));
  EXPECT_FALSE(IsSignatureOf(certificate.key(), scheme, kInput, {}));
}

TEST(SigningKey, WhatItCannotDoLeavesNoErrorForTheNextCallOfTheLibrary) {
  const auto key = MakeBuiltinKey(MakeRoot({.key = TestKey::kRsa2048}).key());
  std::vector<uint8_t> out(key->max_signature_bytes() - 1);
  size_t size = 0;
  EXPECT_FALSE(key->Sign(SSL_SIGN_RSA_PSS_RSAE_SHA256, kInput, out, size));
  EXPECT_FALSE(key->Sign(0x1234, kInput, out, size));
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(SigningKey, AContextOwnsWhatIsAttachedToIt) {
  auto key = MakeBuiltinKey(MakeRoot({}).key());
  const std::weak_ptr<const SigningKey> watch = key;
  bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_with_buffers_method()));
  EXPECT_EQ(FindKey(context.get()), nullptr);
  AttachKey(context.get(), {.key = std::move(key), .on_helper = true});
  ASSERT_NE(FindKey(context.get()), nullptr);
  EXPECT_EQ(FindKey(context.get())->key, watch.lock());
  EXPECT_TRUE(FindKey(context.get())->on_helper);
  const SigningJob job = {.key = FindKey(context.get())->key, .scheme = 0, .input = {}};
  context.reset();
  EXPECT_EQ(watch.use_count(), 1) << "a job goes on without the context";
}

}  // namespace
}  // namespace portcullis::tls
