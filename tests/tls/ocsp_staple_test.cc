#include "tls/ocsp_staple.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/tls/engine_fixture.h"
#include "tests/tls/ocsp_maker.h"
#include "tls/credentials.h"

namespace portcullis::tls {
namespace {

using ::testing::HasSubstr;
using testing::kDay;
using testing::kNow;
using testing::MakeBuffers;
using testing::MakeCredential;
using testing::MakeLeaf;
using testing::MakeOcsp;
using testing::MakeRoot;
using testing::OcspSpec;
using testing::TestCertificate;

class OcspStapleTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string Staple(const OcspSpec& spec = {}) const {
    const auto der = MakeOcsp(root_, testing::SerialOf(leaf_), spec);
    return {der.begin(), der.end()};
  }
  [[nodiscard]] std::string Refusal(const std::string& staple) const {
    const auto answer = CheckStaple(staple, MakeBuffers({&leaf_, &root_}), "a.ocsp");
    return answer.ok() ? "" : std::string(answer.status().message());
  }

  const TestCertificate root_ = MakeRoot({.common_name = "root"});
  const TestCertificate leaf_ = MakeLeaf(root_, {.common_name = "server"});
};

TEST_F(OcspStapleTest, OneOfTheCertificateIsTaken) {
  const auto answer = CheckStaple(Staple(), MakeBuffers({&leaf_, &root_}), "a.ocsp");
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, OcspStatus::kGood);
  EXPECT_EQ(StapleOddity(*answer, kNow), "");
}

TEST_F(OcspStapleTest, OneOfAnotherOrForgedOrBrokenIsAnError) {
  const auto other = MakeOcsp(root_, {0x55});
  EXPECT_EQ(Refusal({other.begin(), other.end()}),
            "a.ocsp: OCSP response: it is about another certificate");
  EXPECT_THAT(Refusal(Staple({.signature = testing::CrlSignature::kDamaged})),
              HasSubstr("does not verify"));
  EXPECT_THAT(Refusal("rubbish"), HasSubstr("not a DER OCSPResponse"));
  EXPECT_THAT(Refusal(Staple({.response_status = 3})), HasSubstr("try later"));
}

TEST_F(OcspStapleTest, TheIssuerMustBeInTheChain) {
  const auto alone = CheckStaple(Staple(), MakeBuffers({&leaf_}), "a.ocsp");
  EXPECT_THAT(alone.status().message(), HasSubstr("lacks the certificate's issuer"));
  const auto self_signed = MakeOcsp(root_, testing::SerialOf(root_));
  const std::string staple(self_signed.begin(), self_signed.end());
  EXPECT_TRUE(CheckStaple(staple, MakeBuffers({&root_}), "a.ocsp").ok());
}

TEST_F(OcspStapleTest, WhatDoesNotHelpClientsIsOdd) {
  const auto oddity = [this](const OcspSpec& spec, int64_t now) {
    return StapleOddity(*CheckStaple(Staple(spec), MakeBuffers({&leaf_, &root_}), ""), now);
  };
  EXPECT_EQ(oddity({}, kNow + 2 * kDay), "expired");
  EXPECT_EQ(oddity({}, kNow - kDay), "not valid yet");
  EXPECT_EQ(oddity({.status = OcspSpec::Status::kRevoked}, kNow),
            "says that the certificate is revoked");
}

TEST_F(OcspStapleTest, ADelegateWasValidWhenItSpoke) {
  const TestCertificate delegate = MakeLeaf(
      root_, {.common_name = "ocsp", .not_after = kNow, .extended_key_usage = "OCSPSigning"});
  const std::string staple = Staple({.responder = &delegate, .certificates = {&delegate}});
  EXPECT_EQ(Refusal(staple), "");
}

TEST_F(OcspStapleTest, ACredentialIsLoadedWithItsOwnOnly) {
  CredentialSpec spec = MakeCredential(leaf_, {&root_});
  spec.ocsp_response = Staple();
  spec.ocsp_origin = "a.ocsp";
  const auto loaded = LoadCredential(spec);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_TRUE(loaded->staple.has_value());
  spec.ocsp_response = "rubbish";
  EXPECT_THAT(LoadCredential(spec).status().message(), HasSubstr("a.ocsp: OCSP response"));
  spec.ocsp_response.clear();
  EXPECT_FALSE(LoadCredential(spec)->staple.has_value());
}

// What the client was stapled in a handshake under `version`.
std::string Stapled(const HostSpec& host, uint16_t version, bool asks, int64_t now = kNow) {
  testing::TestHosts hosts({host});
  hosts.table().SetNow(now);
  testing::Pair pair(hosts.table(), {.sni = "edge.example",
                                     .min_version = version,
                                     .max_version = version,
                                     .asks_for_staple = asks});
  EXPECT_EQ(pair.Handshake(), HandshakeStatus::kDone);
  const uint8_t* staple = nullptr;
  size_t size = 0;
  SSL_get0_ocsp_response(pair.client().ssl(), &staple, &size);
  return {reinterpret_cast<const char*>(staple), size};
}

TEST_F(OcspStapleTest, ClientsWhoAskAreStapledIt) {
  HostSpec host;
  host.name = "edge.example";
  host.server_names = {"edge.example"};
  host.client_auth.mode = ClientAuthMode::kOff;
  host.credentials = {MakeCredential(leaf_, {&root_})};
  for (const uint16_t version : testing::kVersions) {
    host.credentials[0].ocsp_response.clear();
    EXPECT_EQ(Stapled(host, version, true), "");
    host.credentials[0].ocsp_response = Staple();
    EXPECT_EQ(Stapled(host, version, true), host.credentials[0].ocsp_response);
    EXPECT_EQ(Stapled(host, version, false), "");
  }
}

TEST_F(OcspStapleTest, AResponseIsNotStapledBeyondItsEnd) {
  HostSpec host;
  host.name = "edge.example";
  host.server_names = {"edge.example"};
  host.client_auth.mode = ClientAuthMode::kOff;
  host.credentials = {MakeCredential(leaf_, {&root_})};
  host.credentials[0].ocsp_response = Staple();
  const auto answer = CheckStaple(Staple(), MakeBuffers({&leaf_, &root_}), "");
  ASSERT_TRUE(answer.ok());
  const int64_t until = StapleUntil(*answer);
  EXPECT_EQ(until, answer->next_update);
  for (const uint16_t version : testing::kVersions) {
    EXPECT_EQ(Stapled(host, version, true, until), host.credentials[0].ocsp_response);
    EXPECT_EQ(Stapled(host, version, true, until + 1), "");
  }
}

}  // namespace
}  // namespace portcullis::tls
