#include "tls/ocsp_response.h"

#include <openssl/err.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <random>

#include "gtest/gtest.h"

#include "tests/tls/ocsp_maker.h"

namespace portcullis::tls {
namespace {

using testing::CrlSignature;
using testing::ExtensionOf;
using testing::kDay;
using testing::kHour;
using testing::kNow;
using testing::MakeLeaf;
using testing::MakeOcsp;
using testing::MakeRoot;
using testing::OcspSpec;
using testing::Octets;
using testing::TestCertificate;
using testing::TestKey;

// The status, or the fault at whichever step.
std::string Judge(const Octets& der, const TestCertificate& issuer, const Octets& serial,
                  OcspAnswer& answer, int64_t at = kNow) {
  OcspResponse response;
  if (const OcspFault fault = ParseOcspResponse(der, response); !fault.empty()) {
    return std::string(fault);
  }
  if (const OcspFault fault = VerifyOcspResponse(response, issuer.x509(), at); !fault.empty()) {
    return std::string(fault);
  }
  const OcspFault fault = FindOcspAnswer(response, OcspCertId(issuer.x509(), serial), answer);
  return std::string(fault.empty() ? OcspStatusName(answer.status) : fault);
}

class OcspResponseTest : public ::testing::Test {
 protected:
  ~OcspResponseTest() override { EXPECT_EQ(ERR_peek_error(), 0U) << "an error was left behind"; }

  [[nodiscard]] std::string Ask(const OcspSpec& spec) const {
    OcspAnswer answer;
    return Judge(MakeOcsp(root_, kSerial, spec), root_, kSerial, answer);
  }
  // What comes of a response that `responder` signs and sends its certificate with.
  [[nodiscard]] std::string Delegated(const TestCertificate& responder) const {
    return Ask({.responder = &responder, .certificates = {&responder}});
  }

  const Octets kSerial = {0x12, 0x34};
  const TestCertificate root_ = MakeRoot({.common_name = "root"});
};

TEST_F(OcspResponseTest, SaysGoodRevokedOrUnknown) {
  OcspAnswer answer;
  EXPECT_EQ(Judge(MakeOcsp(root_, kSerial), root_, kSerial, answer), "good");
  EXPECT_EQ(answer.this_update, kNow - kHour);
  EXPECT_EQ(answer.next_update, kNow + kDay);
  const Octets revoked = MakeOcsp(root_, kSerial,
                                  {.status = OcspSpec::Status::kRevoked,
                                   .next_update = 0,
                                   .revoked_at = kNow - 7,
                                   .reason = 1});
  EXPECT_EQ(Judge(revoked, root_, kSerial, answer), "revoked");
  EXPECT_EQ(answer.next_update, 0);
  EXPECT_EQ(answer.revoked_at, kNow - 7);
  EXPECT_EQ(answer.reason, 1);
  EXPECT_EQ(Ask({.status = OcspSpec::Status::kRevoked}), "revoked");
  EXPECT_EQ(Ask({.status = OcspSpec::Status::kUnknown}), "unknown");
}

TEST_F(OcspResponseTest, MatchesByEitherHash) {
  EXPECT_EQ(Ask({.sha256 = true}), "good");
  EXPECT_EQ(Ask({.sha256 = false}), "good");
}

TEST_F(OcspResponseTest, IsOfNoUseForAnotherCertificate) {
  OcspAnswer answer;
  const std::string other = "it is about another certificate";
  const Octets der = MakeOcsp(root_, kSerial);
  EXPECT_EQ(Judge(der, root_, {0x12, 0x35}, answer), other);
  EXPECT_EQ(Judge(der, root_, {0x00, 0x92, 0x34}, answer), other);
  // The same number, of an issuer with the same name but another key, or the other way about.
  const TestCertificate namesake = MakeRoot({.common_name = "root"});
  OcspResponse response;
  ASSERT_EQ(ParseOcspResponse(der, response), "");
  EXPECT_EQ(FindOcspAnswer(response, OcspCertId(namesake.x509(), kSerial), answer), other);
  const TestCertificate renamed = testing::Reissue(root_, root_, {.common_name = "renamed"});
  EXPECT_EQ(FindOcspAnswer(response, OcspCertId(renamed.x509(), kSerial), answer), other);
}

TEST_F(OcspResponseTest, EveryKindOfKeySigns) {
  for (const TestKey key : {TestKey::kEcP384, TestKey::kEd25519, TestKey::kRsa2048}) {
    const TestCertificate ca = MakeRoot({.common_name = "ca", .key = key});
    for (const bool by_key : {false, true}) {
      OcspAnswer answer;
      EXPECT_EQ(Judge(MakeOcsp(ca, kSerial, {.by_key = by_key}), ca, kSerial, answer), "good");
    }
  }
}

TEST_F(OcspResponseTest, AForgedOrWeakSignatureIsRefused) {
  EXPECT_EQ(Ask({.signature = CrlSignature::kDamaged}), "its signature does not verify");
  EXPECT_EQ(Ask({.signature = CrlSignature::kSha1}),
            "its signature is by SHA-1 or MD5, which prove nothing");
  const TestCertificate stranger = MakeRoot({.common_name = "root"});
  EXPECT_EQ(Ask({.responder = &stranger}), "its signature does not verify");
  EXPECT_EQ(Ask({.by_key = true, .responder = &stranger}),
            "the certificate of its responder is not there");
}

TEST_F(OcspResponseTest, ADelegateOfTheIssuerMaySign) {
  const TestCertificate delegate =
      MakeLeaf(root_, {.common_name = "ocsp", .extended_key_usage = "OCSPSigning"});
  EXPECT_EQ(Delegated(delegate), "good");
  EXPECT_EQ(Ask({.by_key = true, .responder = &delegate, .certificates = {&root_, &delegate}}),
            "good");
  EXPECT_EQ(Ask({.responder = &delegate}), "the certificate of its responder is not there");
  EXPECT_EQ(Ask({.responder = &delegate, .named = &root_, .certificates = {&delegate}}),
            "the certificate of its responder is not there")
      << "the response must name who signed it";
}

TEST_F(OcspResponseTest, NobodyElseMaySign) {
  const std::string may_not = "its responder may not sign OCSP responses";
  EXPECT_EQ(Delegated(MakeLeaf(root_, {.common_name = "plain"})), may_not);
  EXPECT_EQ(
      Delegated(MakeLeaf(root_, {.common_name = "client", .extended_key_usage = "clientAuth"})),
      may_not);
  EXPECT_EQ(Delegated(MakeLeaf(
                root_, {.common_name = "any", .extended_key_usage = "anyExtendedKeyUsage"})),
            may_not);
  EXPECT_EQ(Delegated(MakeLeaf(root_, {.common_name = "agree",
                                       .key_usage = "keyAgreement",
                                       .extended_key_usage = "OCSPSigning"})),
            may_not);
  EXPECT_EQ(Delegated(MakeLeaf(root_, {.common_name = "strange",
                                       .extended_key_usage = "OCSPSigning",
                                       .unknown_critical = true})),
            may_not);
}

TEST_F(OcspResponseTest, ADelegateIsOfThatVeryIssuerAndValid) {
  const auto options = [](int64_t not_before, int64_t not_after) {
    return testing::CertificateOptions{.common_name = "ocsp",
                                       .not_before = not_before,
                                       .not_after = not_after,
                                       .extended_key_usage = "OCSPSigning"};
  };
  const std::string invalid = "its responder's certificate is not valid";
  EXPECT_EQ(Delegated(MakeLeaf(root_, options(kNow - kDay, kNow - 1))), invalid);
  EXPECT_EQ(Delegated(MakeLeaf(root_, options(kNow + 1, kNow + kDay))), invalid);
  const TestCertificate other = MakeRoot({.common_name = "other"});
  EXPECT_EQ(Delegated(MakeLeaf(other, options(kNow - 1, kNow + 1))),
            "its responder's certificate is of another issuer");
  const TestCertificate namesake = MakeRoot({.common_name = "root"});
  EXPECT_EQ(Delegated(MakeLeaf(namesake, options(kNow - 1, kNow + 1))),
            "the signature of its responder's certificate does not verify");
  const TestCertificate below = testing::MakeCa(root_, {.common_name = "below"});
  const TestCertificate nephew = MakeLeaf(below, options(kNow - 1, kNow + 1));
  EXPECT_EQ(Ask({.responder = &nephew, .certificates = {&nephew, &below}}),
            "its responder's certificate is of another issuer");
}

TEST_F(OcspResponseTest, WhatIsNoSuccessSaysSo) {
  EXPECT_EQ(Ask({.response_status = 3}), "the responder says to try later");
  EXPECT_EQ(Ask({.response_status = 6}), "the responder does not serve us");
  EXPECT_EQ(Ask({.response_status = 99}), "the responder's status is not known");
}

TEST_F(OcspResponseTest, WhatIsCriticalIsNotUnderstood) {
  const Octets critical = ExtensionOf(99, true, {5, 0});
  EXPECT_EQ(Ask({.extensions = critical}), "its data are malformed or say something critical");
  EXPECT_EQ(Ask({.single_extensions = critical}),
            "an answer in it is malformed or says something critical");
  const Octets plain = ExtensionOf(99, false, {5, 0});
  EXPECT_EQ(Ask({.extensions = plain, .single_extensions = plain}), "good");
}

TEST_F(OcspResponseTest, AnAnswerIsFreshWithinItsTimes) {
  const OcspAnswer answer = {.this_update = kNow, .next_update = kNow + kHour};
  EXPECT_EQ(OcspFreshUntil(answer, kNow), kNow + kHour);
  EXPECT_EQ(OcspFreshUntil(answer, kNow - 300), kNow + kHour) << "clocks differ";
  EXPECT_EQ(OcspFreshUntil(answer, kNow - 301), 0);
  EXPECT_EQ(OcspFreshUntil(answer, kNow + kHour), kNow + kHour);
  EXPECT_EQ(OcspFreshUntil(answer, kNow + kHour + 1), 0);
  const OcspAnswer open = {.this_update = kNow};
  EXPECT_EQ(OcspFreshUntil(open, kNow + 60), kNow + kHour);
  EXPECT_EQ(OcspFreshUntil(open, kNow + kHour + 1), 0);
}

// Every octet beyond the end of the copy is out of bounds, which a sanitizer sees.
TEST_F(OcspResponseTest, NoTruncationIsReadBeyondItsEndAndNoMutationForgesAnAnswer) {
  const uint32_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  const TestCertificate delegate =
      MakeLeaf(root_, {.common_name = "ocsp", .extended_key_usage = "OCSPSigning"});
  const Octets whole = MakeOcsp(root_, kSerial,
                                {.status = OcspSpec::Status::kRevoked,
                                 .reason = 1,
                                 .responder = &delegate,
                                 .certificates = {&delegate}});
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto copy = std::make_unique<uint8_t[]>(size);
    std::copy_n(whole.begin(), size, copy.get());
    OcspResponse response;
    EXPECT_NE(ParseOcspResponse({copy.get(), size}, response), "");
  }
  for (int i = 0; i < 3000; ++i) {
    Octets copy = whole;
    copy[random() % copy.size()] = static_cast<uint8_t>(random());
    OcspAnswer answer;
    const std::string result = Judge(copy, root_, kSerial, answer);
    EXPECT_NE(result, "good");
    EXPECT_NE(result, "unknown");
  }
}

}  // namespace
}  // namespace portcullis::tls
