#include "tls/credentials.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/tls/test_pki.h"

namespace portcullis::tls {
namespace {

using ::testing::AllOf;
using testing::CertificateOptions;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kDay;
using testing::kNow;
using testing::MakeCa;
using testing::MakeCredential;
using testing::MakeLeaf;
using testing::MakeRoot;
using testing::TestCertificate;
using testing::TestKey;

class CredentialsTest : public ::testing::Test {
 protected:
  static std::string ErrorOf(const CredentialSpec& spec) {
    const auto credential = LoadCredential(spec);
    return credential.ok() ? "no error" : std::string(credential.status().message());
  }

  const TestCertificate root_ = MakeRoot({.common_name = "root"});
  const TestCertificate intermediate_ = MakeCa(root_, {.common_name = "intermediate"});
  const TestCertificate leaf_ = MakeLeaf(intermediate_, {.common_name = "server"});
};

TEST_F(CredentialsTest, AChainComesLeafFirstWithItsKey) {
  const auto credential = LoadCredential(MakeCredential(leaf_, {&intermediate_}));
  ASSERT_TRUE(credential.ok()) << credential.status();
  EXPECT_EQ(credential->chain.size(), 2U);
  EXPECT_EQ(credential->kind, KeyKind::kEcdsaP256);
  EXPECT_EQ(EVP_PKEY_cmp(credential->key.get(), leaf_.key()), 1);
}

TEST_F(CredentialsTest, KindsOfKeysAreTold) {
  const std::pair<TestKey, KeyKind> kKinds[] = {{TestKey::kRsa2048, KeyKind::kRsa},
                                                {TestKey::kEcP384, KeyKind::kEcdsaP384},
                                                {TestKey::kEcP521, KeyKind::kEcdsaP521},
                                                {TestKey::kEd25519, KeyKind::kEd25519}};
  for (const auto& [key, kind] : kKinds) {
    const auto credential = LoadCredential(MakeCredential(MakeLeaf(root_, {.key = key})));
    ASSERT_TRUE(credential.ok()) << credential.status();
    EXPECT_EQ(credential->kind, kind);
    EXPECT_NE(KeyKindName(kind), "unknown");
  }
}

TEST_F(CredentialsTest, AForeignKeyIsRefusedByNameOfTheCertificate) {
  CredentialSpec spec = MakeCredential(leaf_);
  spec.key_pem = intermediate_.KeyPem();
  EXPECT_THAT(ErrorOf(spec), AllOf(HasSubstr("tls.crt"), HasSubstr("does not belong"),
                                   HasSubstr("CN=server"), HasSubstr("ECDSA P-256")));
  // Also where not even the kinds of key agree.
  spec.key_pem = MakeLeaf(root_, {.key = TestKey::kRsa2048}).KeyPem();
  EXPECT_THAT(ErrorOf(spec), HasSubstr("does not belong"));
}

TEST_F(CredentialsTest, AChainInTheWrongOrderIsAForeignKey) {
  CredentialSpec spec = MakeCredential(leaf_);
  spec.chain_pem = intermediate_.Pem() + leaf_.Pem();
  EXPECT_THAT(ErrorOf(spec), AllOf(HasSubstr("does not belong"), HasSubstr("CN=intermediate")));
}

TEST_F(CredentialsTest, MissingPartsAreNamed) {
  CredentialSpec spec = MakeCredential(leaf_);
  spec.key_pem.clear();
  EXPECT_THAT(ErrorOf(spec), AllOf(HasSubstr("tls.crt"), HasSubstr("private key")));
  spec = MakeCredential(leaf_);
  spec.chain_pem = "nothing";
  EXPECT_THAT(ErrorOf(spec), AllOf(HasSubstr("tls.crt"), HasSubstr("CERTIFICATE")));
}

TEST_F(CredentialsTest, GarbageInThePemArmourIsTold) {
  CredentialSpec spec = MakeCredential(leaf_);
  spec.chain_pem += "-----BEGIN CERTIFICATE-----\nZ2FyYmFnZQ==\n-----END CERTIFICATE-----\n";
  EXPECT_THAT(ErrorOf(spec), AllOf(HasSubstr("tls.crt"), HasSubstr("certificate 2")));
}

TEST_F(CredentialsTest, InspectTellsWhoAndUntilWhen) {
  const TestCertificate leaf = MakeLeaf(root_, {.common_name = "server",
                                                .organization = "Acme",
                                                .not_before = kNow - 5 * kDay,
                                                .not_after = kNow + 9 * kDay,
                                                .subject_alt_name = "DNS:a.example,DNS:*.b.example",
                                                .serial = 0xabcd});
  const auto info = InspectCertificatePem(leaf.Pem(), "tls.crt");
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->subject, "CN=server,O=Acme");
  EXPECT_EQ(info->issuer, "CN=root");
  EXPECT_EQ(info->serial_hex, "ABCD");
  EXPECT_EQ(info->sha256_hex.size(), 64U);
  EXPECT_EQ(info->key_type, "ECDSA P-256");
  EXPECT_THAT(info->dns_names, ElementsAre("a.example", "*.b.example"));
  EXPECT_EQ(info->not_before, kNow - 5 * kDay);
  EXPECT_EQ(info->not_after, kNow + 9 * kDay);
}

TEST_F(CredentialsTest, InspectNamesTheSizeOfRsaAndTheFileOnError) {
  const auto info =
      InspectCertificatePem(MakeLeaf(root_, {.key = TestKey::kRsa2048}).Pem(), "tls.crt");
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->key_type, "RSA 2048");
  EXPECT_THAT(std::string(InspectCertificatePem("x", "other.crt").status().message()),
              HasSubstr("other.crt"));
}

}  // namespace
}  // namespace portcullis::tls
