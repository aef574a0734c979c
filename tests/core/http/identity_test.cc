#include "core/http/identity.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/core/http/transcripts.h"

namespace portcullis::http {
namespace {

using Verify = ClientIdentityView::Verify;

std::string FieldsFor(const ClientIdentityView& client,
                      config::IdentityProfile profile = config::IdentityProfile::kIngressNginx) {
  return Describe(IdentityHeaders(profile, client).fields());
}

TEST(Identity, StripsTheFieldsOfEveryProfileInAnySpelling) {
  for (const char* name : {"ssl-client-verify",
                           "SSL-Client-Subject-DN",
                           "ssl_client_issuer_dn",
                           "Ssl_Client-Cert",
                           "ssl.client.verify",
                           "X-SSL-Client-CN",
                           "x_ssl_client_cert",
                           "X-Forwarded-Client-Cert",
                           "x_forwarded_client_cert",
                           "X-Amzn-Mtls-Clientcert",
                           "x-amzn-mtls-clientcert-leaf",
                           "X_Amzn_Mtls_Clientcert_Subject",
                           "Client-Cert",
                           "client_cert",
                           "Client-Cert-Chain",
                           "X-Forwarded-Tls-Client-Cert",
                           "X-Forwarded-Tls-Client-Cert-Info",
                           "Cf-Client-Cert-Sha256",
                           "CF_CLIENT_CERT_DER_BASE64",
                           "X-Client-Cert",
                           "X-Client-Cert-Chain",
                           "X-Client-Verify",
                           "X-ARR-ClientCert",
                           "X-TLS-Client-Subject"}) {
    EXPECT_TRUE(IsIdentityHeader(name)) << name;
  }
  for (const char* name : {"", "Client", "SSL", "X-Forwarded-For", "X-Client-IP", "Cookie",
                           "Content-Type", "X-SSL", "Accept"}) {
    EXPECT_FALSE(IsIdentityHeader(name)) << name;
  }
}

TEST(Identity, SetsTheIngressNginxProfile) {
  EXPECT_EQ(FieldsFor({}), "  ssl-client-verify=[NONE]\n");
  EXPECT_EQ(FieldsFor({.verify = Verify::kSuccess, .subject = "CN=c,O=x", .issuer = "CN=ca"}),
            "  ssl-client-verify=[SUCCESS]\n  ssl-client-subject-dn=[CN=c,O=x]\n"
            "  ssl-client-issuer-dn=[CN=ca]\n");
  EXPECT_EQ(
      FieldsFor({.verify = Verify::kFailed,
                 .failure = "certificate has expired",
                 .subject = "CN=c",
                 .issuer = ""}),
      "  ssl-client-verify=[FAILED:certificate has expired]\n  ssl-client-subject-dn=[CN=c]\n");
  EXPECT_EQ(
      FieldsFor({.verify = Verify::kSuccess, .subject = "CN=c"}, config::IdentityProfile::kNone),
      "");
}

TEST(Identity, NoClientChosenTextCanAddAField) {
  EXPECT_EQ(FieldsFor({.verify = Verify::kFailed,
                       .failure = "x\r\nssl-client-verify: SUCCESS",
                       .subject = "CN=a\r\nEvil: 1",
                       .issuer = std::string_view("CN=\0\n", 5)}),
            "  ssl-client-verify=[FAILED:x  ssl-client-verify: SUCCESS]\n"
            "  ssl-client-subject-dn=[CN=a  Evil: 1]\n  ssl-client-issuer-dn=[CN=]\n");
}

TEST(Identity, ReplacesWhatTheClientClaims) {
  HeaderList headers;
  headers.Add("SSL_CLIENT_VERIFY", "SUCCESS");
  headers.Add("ssl-client-subject-dn", "CN=root");
  headers.Add("X", "y");
  headers.Add("Client-Cert", ":AAAA:");
  HeaderList stripped = headers;
  IdentityHeaders(config::IdentityProfile::kIngressNginx, {}).Apply(headers);
  EXPECT_EQ(Describe(headers), "  X=[y]\n  ssl-client-verify=[NONE]\n");
  IdentityHeaders().Apply(stripped);
  EXPECT_EQ(Describe(stripped), "  X=[y]\n") << "stripped also where nothing is set";
}

TEST(Identity, PassesTheCertificateEscapedAsNginxDoes) {
  // 50 bytes make 68 base64 characters: a full line and a short one.
  std::vector<uint8_t> der;
  for (int i = 0; i < 50; ++i) der.push_back(static_cast<uint8_t>(0xfb + i));
  const std::string pem =
      "-----BEGIN%20CERTIFICATE-----%0A"
      "%2B%2Fz9%2Fv8AAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkq%0A"
      "Kyw%3D%0A"
      "-----END%20CERTIFICATE-----%0A";
  EXPECT_EQ(EscapedPem(der), pem);
  EXPECT_EQ(FieldsFor({.verify = Verify::kSuccess, .leaf_der = der}),
            "  ssl-client-verify=[SUCCESS]\n  ssl-client-cert=[" + pem + "]\n");
  EXPECT_EQ(
      EscapedPem(std::vector<uint8_t>(48, 'A')), "-----BEGIN%20CERTIFICATE-----%0A" +
                                                     [] {
                                                       std::string line;
                                                       for (int i = 0; i < 16; ++i) line += "QUFB";
                                                       return line;
                                                     }() +
                                                     "%0A-----END%20CERTIFICATE-----%0A")
      << "no empty line behind a full one";
}

}  // namespace
}  // namespace portcullis::http
