// OCSP against OpenSSL: it answers our requests, and we read its answers.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "gtest/gtest.h"

#include "tests/tls/ocsp_maker.h"
#include "tls/ocsp_request.h"
#include "tls/ocsp_response.h"

namespace portcullis::tls {
namespace {

using testing::kDay;
using testing::MakeLeaf;
using testing::MakeRoot;
using testing::Octets;
using testing::TestCertificate;

class OcspOpenSslTest : public ::testing::Test {
 protected:
  OcspOpenSslTest() {
    std::string name = (std::filesystem::temp_directory_path() / "ocsp.XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    Write("root.pem", root_.Pem());
    Write("root.key", root_.KeyPem());
    Write("delegate.pem", delegate_.Pem());
    Write("delegate.key", delegate_.KeyPem());
    // status, expiry, revocation date and reason, serial, file, subject
    Write("index.txt",
          "V\t401231235959Z\t\t0A01\tunknown\t/CN=good\n"
          "R\t401231235959Z\t260101000000Z,keyCompromise\t0A02\tunknown\t/CN=revoked\n");
  }
  ~OcspOpenSslTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }

  // What openssl answers about a serial number, as `signer` with `options`.
  [[nodiscard]] Octets Respond(const Octets& serial, const std::string& signer,
                               const std::string& options) const {
    const Octets request = MakeOcspRequest(OcspCertId(root_.x509(), serial));
    Write("request.der", std::string(request.begin(), request.end()));
    const std::string command = "cd " + folder_.string() +
                                " && openssl ocsp -index index.txt -CA root.pem -reqin request.der "
                                "-respout response.der -rsigner " +
                                signer + ".pem -rkey " + signer + ".key " + options +
                                " >openssl.log 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    std::ifstream in(folder_ / "response.der", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  [[nodiscard]] std::string Judge(const Octets& der, const Octets& serial,
                                  OcspAnswer& answer) const {
    OcspResponse response;
    OcspFault fault = ParseOcspResponse(der, response);
    if (fault.empty()) fault = VerifyOcspResponse(response, root_.x509(), std::time(nullptr));
    if (fault.empty()) {
      fault = FindOcspAnswer(response, OcspCertId(root_.x509(), serial), answer);
    }
    return std::string(fault.empty() ? OcspStatusName(answer.status) : fault);
  }

  // openssl goes by the machine's clock.
  const TestCertificate root_ = MakeRoot({.common_name = "root", .not_before = 0});
  const TestCertificate delegate_ = MakeLeaf(
      root_, {.common_name = "ocsp", .not_before = 0, .extended_key_usage = "OCSPSigning"});
  std::filesystem::path folder_;
};

TEST_F(OcspOpenSslTest, ItsAnswersToOurRequestsAreUnderstood) {
  for (const std::string signer : {"root", "delegate"}) {
    for (const std::string options : {"", "-resp_key_id", "-rmd sha384"}) {
      OcspAnswer answer;
      EXPECT_EQ(Judge(Respond({0x0a, 0x01}, signer, options + " -ndays 1"), {0x0a, 0x01}, answer),
                "good");
      EXPECT_NEAR(static_cast<double>(answer.next_update - answer.this_update), kDay, 5);
      EXPECT_NE(OcspFreshUntil(answer, std::time(nullptr)), 0);
      EXPECT_EQ(Judge(Respond({0x0a, 0x02}, signer, options), {0x0a, 0x02}, answer), "revoked");
      EXPECT_EQ(answer.next_update, 0);
      EXPECT_EQ(answer.reason, 1);
      EXPECT_EQ(answer.revoked_at, 1'767'225'600);
      EXPECT_EQ(Judge(Respond({0x0a, 0x03}, signer, options), {0x0a, 0x03}, answer), "unknown");
      EXPECT_EQ(Judge(Respond({0x0a, 0x01}, signer, options), {0x0a, 0x02}, answer),
                "it is about another certificate");
    }
  }
}

TEST_F(OcspOpenSslTest, AnAnswerWithoutItsSignersCertificateNeedsTheIssuersOwnKey) {
  OcspAnswer answer;
  const Octets serial = {0x0a, 0x01};
  EXPECT_EQ(Judge(Respond(serial, "root", "-resp_no_certs"), serial, answer), "good");
  EXPECT_EQ(Judge(Respond(serial, "delegate", "-resp_no_certs"), serial, answer),
            "the certificate of its responder is not there");
}

}  // namespace
}  // namespace portcullis::tls
