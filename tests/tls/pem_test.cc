#include "tls/pem.h"

#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/pem.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/tls/test_pki.h"

namespace portcullis::tls {
namespace {

using ::testing::AllOf;
using testing::ChainPem;
using ::testing::HasSubstr;
using testing::MakeCrlPem;
using testing::MakeLeaf;
using testing::MakeRoot;
using testing::TestCertificate;

class PemTest : public ::testing::Test {
 protected:
  const TestCertificate root_ = MakeRoot({.common_name = "root"});
  const TestCertificate leaf_ = MakeLeaf(root_, {.common_name = "leaf"});
};

TEST_F(PemTest, BlocksComeInOrderPastTextAndOtherBlocks) {
  const std::string text = "some words\n" + leaf_.Pem() + leaf_.KeyPem() + "more\n" + root_.Pem();
  const auto blocks = ReadPem(text, PemKind::kCertificate, "tls.crt");
  ASSERT_TRUE(blocks.ok()) << blocks.status();
  ASSERT_EQ(blocks->size(), 2U);
  EXPECT_EQ((*blocks)[0], leaf_.Der());
  EXPECT_EQ((*blocks)[1], root_.Der());
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST_F(PemTest, CrlsAreNotCertificates) {
  const std::string text = root_.Pem() + MakeCrlPem(root_, {1});
  EXPECT_EQ(ReadPem(text, PemKind::kCrl, "f")->size(), 1U);
  EXPECT_EQ(ReadPem(text, PemKind::kCertificate, "f")->size(), 1U);
}

TEST_F(PemTest, NothingOfTheKindNamesFileAndKind) {
  for (const std::string& text : {std::string(), std::string("0\x82\x01", 3), leaf_.KeyPem()}) {
    const auto blocks = ReadPem(text, PemKind::kCertificate, "ca.crt");
    EXPECT_EQ(blocks.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(blocks.status().message()),
                AllOf(HasSubstr("ca.crt"), HasSubstr("CERTIFICATE")));
  }
}

TEST_F(PemTest, ADamagedBlockIsAnErrorNotASkip) {
  std::string text = leaf_.Pem() + root_.Pem();
  text[text.size() - 60] = '!';
  const auto blocks = ReadPem(text, PemKind::kCertificate, "ca.crt");
  ASSERT_FALSE(blocks.ok());
  EXPECT_THAT(std::string(blocks.status().message()),
              AllOf(HasSubstr("ca.crt"), HasSubstr("block 2")));
}

TEST_F(PemTest, ATruncatedBlockIsAnErrorToo) {
  const std::string pem = leaf_.Pem();
  const auto blocks =
      ReadPem(std::string_view(pem).substr(0, pem.size() / 2), PemKind::kCertificate, "tls.crt");
  EXPECT_FALSE(blocks.ok());
}

TEST_F(PemTest, KeysOfEveryKindAreRead) {
  for (const testing::TestKey kind : {testing::TestKey::kEcP256, testing::TestKey::kEcP384,
                                      testing::TestKey::kEd25519, testing::TestKey::kRsa2048}) {
    const TestCertificate certificate = MakeLeaf(root_, {.key = kind});
    const auto key = ReadPrivateKey(certificate.KeyPem(), "tls.key");
    ASSERT_TRUE(key.ok()) << key.status();
    EXPECT_EQ(EVP_PKEY_cmp(key->get(), certificate.key()), 1);
  }
}

TEST_F(PemTest, AMissingKeySaysSo) {
  const auto key = ReadPrivateKey(leaf_.Pem(), "tls.key");
  ASSERT_FALSE(key.ok());
  EXPECT_THAT(std::string(key.status().message()),
              AllOf(HasSubstr("tls.key"), HasSubstr("no PEM private key")));
}

TEST_F(PemTest, AnEncryptedKeySaysSoInsteadOfAsking) {
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  char password[] = "secret";
  ASSERT_EQ(PEM_write_bio_PKCS8PrivateKey(bio.get(), leaf_.key(), EVP_aes_128_cbc(), password, 6,
                                          nullptr, nullptr),
            1);
  const uint8_t* text = nullptr;
  size_t size = 0;
  ASSERT_EQ(BIO_mem_contents(bio.get(), &text, &size), 1);
  const auto key = ReadPrivateKey({reinterpret_cast<const char*>(text), size}, "tls.key");
  ASSERT_FALSE(key.ok());
  EXPECT_THAT(std::string(key.status().message()),
              AllOf(HasSubstr("tls.key"), HasSubstr("encrypted")));
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST_F(PemTest, LibraryErrorCarriesTheReasonAndClearsTheQueue) {
  OPENSSL_PUT_ERROR(PEM, PEM_R_BAD_PASSWORD_READ);
  const absl::Status status = LibraryError("tls.key", "went wrong");
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("tls.key: went wrong"), HasSubstr("BAD_PASSWORD_READ")));
  EXPECT_EQ(ERR_peek_error(), 0U);
}

}  // namespace
}  // namespace portcullis::tls
