#include "core/server/commands/demo_requests.h"

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace portcullis::server {
namespace {

using ::testing::Contains;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

const DemoPlace kPlace{.folder = "/tmp/demo", .port = 8443, .admin_port = 9180};

std::string Scrape(int ok, int rejected, int no_cert, int unknown_ca, int other = 0) {
  constexpr char kCount[] = "portcullis_handshake_duration_seconds_count{listener=\"demo\",result=";
  constexpr char kRejections[] = "portcullis_handshake_rejections_total{listener=\"demo\",reason=";
  return absl::StrCat(kCount, "\"ok\"} ", ok, "\n", kCount, "\"rejected\"} ", rejected, "\n",
                      kRejections, "\"no_cert\"} ", no_cert, "\n", kRejections, "\"unknown_ca\"} ",
                      unknown_ca, "\n", kRejections, "\"expired\"} ", other, "\n");
}

class DemoRequestsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
      unsetenv(name);
  }
};

TEST_F(DemoRequestsTest, AreCurlCommandsToCopy) {
  const std::vector<DemoRequest> requests = DemoRequests(kPlace);
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(ShellLine(requests[0].command),
            "curl -i --cacert /tmp/demo/trust/ca.crt https://localhost:8443/");
  EXPECT_EQ(ShellLine(requests[1].command),
            "curl -i --cacert /tmp/demo/trust/ca.crt --cert /tmp/demo/client.crt "
            "--key /tmp/demo/client.key https://localhost:8443/");
  EXPECT_THAT(ShellLine(requests[2].command), HasSubstr("--cert /tmp/demo/stranger.crt"));
  EXPECT_EQ(ShellLine(MetricsCommand(kPlace)), "curl http://127.0.0.1:9180/metrics");
}

TEST_F(DemoRequestsTest, GoAroundAProxy) {
  setenv("https_proxy", "http://proxy.example:3128", 1);
  for (const DemoRequest& request : DemoRequests(kPlace))
    EXPECT_THAT(request.command, Contains("--noproxy"));
  EXPECT_THAT(MetricsCommand(kPlace), Contains("localhost,127.0.0.1"));
}

TEST_F(DemoRequestsTest, AnAnswerMustHaveTheStatusAndEveryText) {
  const DemoRequest request = DemoRequests(kPlace)[1];
  const std::string good =
      "<title>Portcullis demo backend</title>\nssl-client-verify: SUCCESS\n"
      "ssl-client-subject-dn: CN=Demo Client,O=Portcullis demo\n";
  const Finding right = Judge(request, CurlAnswer{"HTTP/1.1 200 OK", "", good});
  EXPECT_TRUE(right.ok);
  EXPECT_EQ(right.text, "with a certificate: HTTP/1.1 200 OK, page 'Portcullis demo backend'");
  const Finding status = Judge(request, CurlAnswer{"HTTP/1.1 502 Bad Gateway", "", good});
  EXPECT_FALSE(status.ok);
  EXPECT_THAT(status.text, EndsWith("; expected HTTP/1.1 200 OK"));
  const Finding text =
      Judge(request, CurlAnswer{"HTTP/1.1 200 OK", "", "<title>Portcullis demo backend</title>"});
  EXPECT_FALSE(text.ok);
  EXPECT_THAT(text.text, EndsWith("; expected in the page: ssl-client-verify: SUCCESS"));
  const Finding none = Judge(request, absl::UnavailableError("curl exit status 7"));
  EXPECT_FALSE(none.ok);
  EXPECT_EQ(none.text, "with a certificate: curl exit status 7");
}

TEST_F(DemoRequestsTest, MetricsMustMoveByExactlyWhatWasDone) {
  const std::string before = Scrape(10, 20, 5, 6, 9);
  const Finding right = JudgeMetrics(before, Scrape(11, 22, 6, 7, 9));
  EXPECT_TRUE(right.ok) << right.text;
  EXPECT_EQ(right.text,
            "metrics moved: handshakes 3 accepted 1 rejections 2 no_cert 1 unknown_ca 1");
  const std::string wrong[] = {
      before,
      Scrape(11, 23, 6, 7, 9),
      Scrape(12, 21, 6, 7, 9),
      Scrape(11, 22, 7, 6, 9),
      Scrape(11, 22, 6, 6, 10),
      Scrape(11, 22, 6, 7, 10),
      "",
  };
  for (const std::string& after : wrong) {
    const Finding finding = JudgeMetrics(before, after);
    EXPECT_FALSE(finding.ok) << after;
    EXPECT_THAT(finding.text, HasSubstr("(expected "));
  }
}

TEST_F(DemoRequestsTest, EveryFindingIsThereEvenWhenNothingAnswers) {
  const std::vector<Finding> findings =
      CheckDemo({.folder = "/nonexistent", .port = 0, .admin_port = 0});
  EXPECT_EQ(findings.size(), 4u);
  for (const Finding& finding : findings) {
    EXPECT_FALSE(finding.ok);
    EXPECT_THAT(finding.text, HasSubstr("curl exit status "));
    EXPECT_THAT(finding.text, Not(HasSubstr("\n")));
  }
}

}  // namespace
}  // namespace portcullis::server
