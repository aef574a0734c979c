#include "core/server/commands/verify_report.h"

#include <openssl/x509.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <nlohmann/json.hpp>

namespace portcullis::server {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

VerifyReport Rejected() {
  VerifyReport report;
  report.verdict.rejection = tls::Rejection::kExpired;
  report.verdict.x509_error = X509_V_ERR_CERT_HAS_EXPIRED;
  report.verdict.failed_depth = 1;
  report.verdict.failed_subject = "CN=ca";
  tls::PathCertificate leaf;
  leaf.subject = "CN=client";
  leaf.issuer = "CN=ca";
  leaf.serial_hex = "0A";
  leaf.not_after = 86399;
  leaf.der = {1, 2, 3};
  tls::PathCertificate ca;
  ca.subject = ca.issuer = "CN=ca";
  ca.serial_hex = "01";
  ca.source = tls::PathSource::kAnchor;
  report.path.path = {leaf, ca};
  return report;
}

TEST(VerifyReport, TheReasonComesFirst) {
  EXPECT_EQ(VerdictText(Rejected().verdict), "expired: certificate has expired (depth 1: CN=ca)\n");
  tls::Verdict verdict;
  verdict.rejection = tls::Rejection::kBadCertificate;
  verdict.failed_subject = "CN=x";
  verdict.detail = "not version 3";
  EXPECT_EQ(VerdictText(verdict), "bad_certificate: not version 3 (depth 0: CN=x)\n");
  EXPECT_EQ(VerdictText({}), "accepted\n");
}

TEST(VerifyReport, ThePathIsALineOrTwoForEachCertificate) {
  const std::string text = PathText(Rejected());
  EXPECT_THAT(text, HasSubstr("0  CN=client\n"));
  EXPECT_THAT(text, HasSubstr("presented, serial 0A, until 1970-01-01T23:59:59Z, sha256 "
                              "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81"));
  EXPECT_THAT(text, HasSubstr("1  CN=ca\n   anchor, serial 01"));
  EXPECT_EQ(PathText({}), "");
}

TEST(VerifyReport, JsonSaysItAllOnOneLine) {
  const std::string line = ReportJson(Rejected());
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const json object = json::parse(line);
  EXPECT_EQ(object["verdict"], "rejected");
  EXPECT_EQ(object["reason"], "expired");
  EXPECT_EQ(object["x509_error"], "certificate has expired");
  EXPECT_EQ(object["depth"], 1);
  EXPECT_EQ(object["failing_subject"], "CN=ca");
  ASSERT_EQ(object["path"].size(), 2U);
  EXPECT_EQ(object["path"][0]["serial"], "0A");
  EXPECT_EQ(object["path"][0]["not_after"], 86399);
  EXPECT_EQ(object["path"][1]["source"], "anchor");
  EXPECT_TRUE(object["identity"].is_null());
}

TEST(VerifyReport, JsonHasTheIdentityAndSurvivesAnyBytes) {
  VerifyReport report;
  auto identity = std::make_shared<tls::PeerIdentity>();
  identity->subject = "CN=client";
  identity->dns_names = {"a.example", "\xff"};
  report.verdict.identity = identity;
  const json object = json::parse(ReportJson(report));
  EXPECT_EQ(object["verdict"], "accepted");
  EXPECT_EQ(object["reason"], "none");
  EXPECT_TRUE(object["depth"].is_null());
  EXPECT_EQ(object["identity"]["dns_names"][0], "a.example");
  EXPECT_EQ(json::parse(UnknownJson("no file"))["error"], "no file");
}

}  // namespace
}  // namespace portcullis::server
