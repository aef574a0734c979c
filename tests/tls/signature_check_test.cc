#include "tls/signature_check.h"

#include <openssl/err.h>

#include "gtest/gtest.h"

#include "tests/tls/crl_maker.h"
#include "tls/boringssl_compat.h"
#include "tls/crl_parser.h"

namespace portcullis::tls {
namespace {

using testing::CrlSignature;
using testing::MakeCrl;
using testing::MakeRoot;
using testing::Octets;
using testing::TestCertificate;
using testing::TestKey;
using testing::Tlv;

// A signed CRL, and what checking it under some key says.
class Signed {
 public:
  Signed(const TestCertificate& signer, CrlSignature kind)
      : der_(MakeCrl(signer, {.signature = kind})) {
    EXPECT_EQ(ParseCrl({reinterpret_cast<const uint8_t*>(der_.data()), der_.size()}, crl_), "");
  }

  [[nodiscard]] std::string Check(const TestCertificate& by) const {
    return CheckWith(by, crl_.signature_algorithm);
  }
  [[nodiscard]] std::string CheckWith(const TestCertificate& by, Bytes algorithm) const {
    const auto key = compat::PublicKey(by.x509());
    return std::string(SignatureText(CheckSignature(algorithm, crl_.tbs, crl_.signature, *key)));
  }
  [[nodiscard]] Octets algorithm() const {
    return {crl_.signature_algorithm.begin(), crl_.signature_algorithm.end()};
  }

 private:
  std::string der_;
  Crl crl_;
};

class SignatureCheckTest : public ::testing::Test {
 protected:
  ~SignatureCheckTest() override { EXPECT_EQ(ERR_peek_error(), 0U) << "an error was left behind"; }

  const TestCertificate rsa_ = MakeRoot({.common_name = "rsa", .key = TestKey::kRsa2048});
  const TestCertificate ec_ = MakeRoot({.common_name = "ec"});
  const TestCertificate ed_ = MakeRoot({.common_name = "ed", .key = TestKey::kEd25519});
};

TEST_F(SignatureCheckTest, GoodOnesVerifyUnderTheirKeyOnly) {
  for (const TestCertificate* const signer : {&rsa_, &ec_, &ed_}) {
    const Signed message(*signer, CrlSignature::kUsual);
    for (const TestCertificate* const by : {&rsa_, &ec_, &ed_}) {
      EXPECT_EQ(message.Check(*by),
                by == signer ? "its signature verifies" : "its signature does not verify");
    }
    EXPECT_EQ(Signed(*signer, CrlSignature::kDamaged).Check(*signer),
              "its signature does not verify");
  }
}

TEST_F(SignatureCheckTest, WeakOnesAreNotEvenTried) {
  EXPECT_EQ(Signed(rsa_, CrlSignature::kSha1).Check(rsa_),
            SignatureText(SignatureResult::kWeakAlgorithm));
  EXPECT_EQ(Signed(ec_, CrlSignature::kSha1).Check(ec_),
            SignatureText(SignatureResult::kWeakAlgorithm));
}

TEST_F(SignatureCheckTest, PssParametersMustBeAllThereAndConsistent) {
  const Signed message(rsa_, CrlSignature::kPss256);
  EXPECT_EQ(message.Check(rsa_), "its signature verifies");
  Octets algorithm = message.algorithm();
  const std::string unknown(SignatureText(SignatureResult::kUnknownAlgorithm));
  algorithm.back() = 20;  // The salt's length.
  EXPECT_EQ(message.CheckWith(rsa_, algorithm), unknown);
  // Defaults are SHA-1.
  const Octets oid = {6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a};
  EXPECT_EQ(message.CheckWith(rsa_, Tlv(0x30, testing::Join({oid, {0x30, 0x00}}))),
            SignatureText(SignatureResult::kWeakAlgorithm));
  EXPECT_EQ(message.CheckWith(rsa_, Tlv(0x30, oid)), unknown);
}

TEST_F(SignatureCheckTest, WhatIsNoAlgorithmIsUnknown) {
  const Signed message(ec_, CrlSignature::kUsual);
  const std::string unknown(SignatureText(SignatureResult::kUnknownAlgorithm));
  EXPECT_EQ(message.CheckWith(ec_, {}), unknown);
  Octets algorithm = message.algorithm();
  algorithm.back() ^= 0x40;
  EXPECT_EQ(message.CheckWith(ec_, algorithm), unknown);
  algorithm = message.algorithm();
  algorithm[1] = static_cast<uint8_t>(algorithm[1] + 3);
  algorithm.insert(algorithm.end(), {0x02, 0x01, 0x01});
  EXPECT_EQ(message.CheckWith(ec_, algorithm), unknown) << "parameters that are not NULL";
}

}  // namespace
}  // namespace portcullis::tls
