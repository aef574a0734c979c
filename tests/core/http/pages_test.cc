#include "core/http/pages.h"

#include <gtest/gtest.h>
#include <openssl/x509.h>

#include <string>
#include <string_view>

#include "core/http/http1_server_codec.h"
#include "tests/core/http/transcripts.h"
#include "tls/x509_map.h"

namespace portcullis::http {
namespace {

TEST(Pages, BodiesAreNginxByteForByte) {
  EXPECT_EQ(FindPage(kNoCertificate).body,
            "<html>\r\n"
            "<head><title>400 No required SSL certificate was sent</title></head>\r\n"
            "<body>\r\n"
            "<center><h1>400 Bad Request</h1></center>\r\n"
            "<center>No required SSL certificate was sent</center>\r\n"
            "<hr><center>nginx</center>\r\n"
            "</body>\r\n"
            "</html>\r\n");
  EXPECT_EQ(FindPage(502).body,
            "<html>\r\n"
            "<head><title>502 Bad Gateway</title></head>\r\n"
            "<body>\r\n"
            "<center><h1>502 Bad Gateway</h1></center>\r\n"
            "<hr><center>nginx</center>\r\n"
            "</body>\r\n"
            "</html>\r\n");
  EXPECT_EQ(FindPage(kNoCertificate).body.size(), 230u);
  EXPECT_EQ(FindPage(kCertificateError).body.size(), 208u);
  EXPECT_EQ(FindPage(kHttpToHttps).body.size(), 248u);
}

TEST(Pages, SendInternalCodesAs400) {
  for (const uint16_t code : {kHeaderTooLarge, kCertificateError, kNoCertificate, kHttpToHttps}) {
    EXPECT_EQ(FindPage(code).code, code);
    EXPECT_EQ(FindPage(code).status, 400);
    EXPECT_EQ(FindPage(code).reason, "Bad Request");
    EXPECT_TRUE(FindPage(code).close);
  }
}

TEST(Pages, ExistForEveryStatusThatIsSentHere) {
  struct Row {
    uint16_t code;
    std::string_view reason;
  };
  const Row rows[] = {{400, "Bad Request"},
                      {403, "Forbidden"},
                      {404, "Not Found"},
                      {405, "Not Allowed"},
                      {408, "Request Time-out"},
                      {413, "Request Entity Too Large"},
                      {414, "Request-URI Too Large"},
                      {417, "Expectation Failed"},
                      {421, "Misdirected Request"},
                      {429, "Too Many Requests"},
                      {431, "Request Header Fields Too Large"},
                      {500, "Internal Server Error"},
                      {501,
                       "Not "
                       "Implemented"},
                      {502, "Bad Gateway"},
                      {503, "Service Temporarily Unavailable"},
                      {504, "Gateway Time-out"},
                      {505, "HTTP Version Not Supported"}};
  for (const Row& row : rows) {
    const Page& page = FindPage(row.code);
    EXPECT_EQ(page.code, row.code);
    EXPECT_EQ(page.status, row.code);
    EXPECT_EQ(page.reason, row.reason);
    const std::string title = std::to_string(row.code) + " " + std::string(row.reason);
    EXPECT_NE(page.body.find("<title>" + title + "</title>"), std::string_view::npos);
    EXPECT_NE(page.body.find("<h1>" + title + "</h1>"), std::string_view::npos);
  }
  EXPECT_EQ(FindPage(418).code, 500) << "a code without a page";
}

TEST(Pages, OfRejections) {
  using tls::Rejection;
  for (int i = 0; i < tls::kNumRejections; ++i) {
    const auto reason = static_cast<Rejection>(i);
    const uint16_t code = RejectionPage(reason);
    if (code != 0) {
      EXPECT_EQ(FindPage(code).code, code) << Name(reason);
    }
    EXPECT_TRUE(code != 0 || !IsCertificateVerdict(reason)) << Name(reason);
  }
  EXPECT_EQ(RejectionPage(Rejection::kNone), 0);
  EXPECT_EQ(RejectionPage(Rejection::kNoCertificate), 496);
  EXPECT_EQ(RejectionPage(Rejection::kExpired), 495);
  EXPECT_EQ(RejectionPage(Rejection::kRevoked), 495);
  EXPECT_EQ(RejectionPage(Rejection::kBadCertificate), 495);
  EXPECT_EQ(RejectionPage(Rejection::kPolicyDenied), 403);
  EXPECT_EQ(RejectionPage(Rejection::kPlainHttp), 497);
  EXPECT_EQ(RejectionPage(Rejection::kSniHostMismatch), 421);
  EXPECT_EQ(RejectionPage(Rejection::kTimeout), 0);
}

TEST(Pages, ARefusalIsExplainedByConstantsAlone) {
  using tls::Rejection;
  EXPECT_EQ(RefusalNote(Rejection::kExpired, 1, X509_V_ERR_CERT_HAS_EXPIRED),
            "expired; depth=1; x509=\"certificate has expired\"");
  EXPECT_EQ(RefusalNote(Rejection::kRevoked, 255, X509_V_ERR_CERT_REVOKED),
            "revoked; depth=255; x509=\"certificate revoked\"");
  EXPECT_EQ(RefusalNote(Rejection::kNoCertificate, 0, 0), "no_cert");
  EXPECT_EQ(RefusalNote(Rejection::kSniHostMismatch, 0, X509_V_ERR_CERT_REVOKED),
            "sni_host_mismatch");
  // Whatever the error, the text fits between quotes.
  for (int error = 1; error < 200; ++error) {
    for (const char c : tls::X509ErrorText(error)) {
      EXPECT_TRUE(c >= ' ' && c <= '~' && c != '"' && c != '\\') << error;
    }
  }
}

// The whole answer to `request` on the wire.
std::string AnswerTo(std::string_view request, uint16_t code) {
  RequestRecorder recorder;
  Http1ServerCodec codec({}, recorder);
  size_t consumed = 0;
  EXPECT_EQ(codec.Feed(Bytes(request), consumed), FeedResult::kMessageEnd);
  DateCache date;
  date.Update(784111777);
  const Page& page = FindPage(code);
  ResponseHead head;
  FillPageHead(page, date, head);
  if (page.close) codec.CloseAfterResponse();
  std::string out;
  codec.EncodeHead(head, Into(out));
  codec.EncodeData(Bytes(page.body), Into(out));
  codec.EncodeEnd(Into(out));
  return out;
}

TEST(Pages, HeadsHaveTheFieldsAndOrderOfNginx) {
  const std::string head =
      "HTTP/1.1 400 Bad Request\r\n"
      "Server: nginx\r\n"
      "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
      "Content-Type: text/html\r\n"
      "Content-Length: 230\r\n"
      "Connection: close\r\n"
      "\r\n";
  EXPECT_EQ(AnswerTo("GET / HTTP/1.1\r\nHost: a\r\n\r\n", kNoCertificate),
            head + std::string(FindPage(kNoCertificate).body));
  EXPECT_EQ(AnswerTo("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", kNoCertificate), head);
  EXPECT_EQ(AnswerTo("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 502).find("Connection"),
            std::string::npos);
}

TEST(DateCache, WritesImfFixdates) {
  DateCache date;
  EXPECT_EQ(date.text(), "Thu, 01 Jan 1970 00:00:00 GMT");
  date.Update(784111777);  // RFC 9110's example
  EXPECT_EQ(date.text(), "Sun, 06 Nov 1994 08:49:37 GMT");
  date.Update(784111777);
  EXPECT_EQ(date.text(), "Sun, 06 Nov 1994 08:49:37 GMT");
  date.Update(951827696);
  EXPECT_EQ(date.text(), "Tue, 29 Feb 2000 12:34:56 GMT");
  date.Update(4102444799);
  EXPECT_EQ(date.text(), "Thu, 31 Dec 2099 23:59:59 GMT");
  date.Update(0);
  EXPECT_EQ(date.text(), "Thu, 01 Jan 1970 00:00:00 GMT");
}

}  // namespace
}  // namespace portcullis::http
