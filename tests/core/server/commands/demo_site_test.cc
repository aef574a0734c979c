#include "core/server/commands/demo_site.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace portcullis::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

BackendRequest Request(const std::string& method, const std::string& target) {
  BackendRequest request;
  request.method = method;
  request.target = target;
  return request;
}

SitePlan Get(const std::string& target) { return PlanFor(Request("GET", target)); }

TEST(DemoSite, HomeShowsWhoTheClientIsSaidToBeAndNothingElse) {
  BackendRequest request = Request("GET", "/?x");
  request.headers = {{"Host", "h"},
                     {"ssl-client-verify", "SUCCESS"},
                     {"SSL-Client-Subject-DN", "CN=<script>&\"\x01"},
                     {"X-Forwarded-For", "192.0.2.1"},
                     {"Forwarded", "for=192.0.2.1"},
                     {"X-Real-IP", "192.0.2.1"},
                     {"Cookie", "secret"}};
  const SitePlan plan = PlanFor(request);
  EXPECT_EQ(plan.status, 200);
  EXPECT_THAT(plan.text, HasSubstr("<title>Portcullis demo backend</title>"));
  EXPECT_THAT(plan.text, HasSubstr("\nssl-client-verify: SUCCESS\n"));
  EXPECT_THAT(plan.text, HasSubstr("\nSSL-Client-Subject-DN: CN=&lt;script&gt;&amp;&quot;?\n"));
  EXPECT_THAT(plan.text, HasSubstr("\nX-Forwarded-For: 192.0.2.1\n"));
  EXPECT_THAT(plan.text, HasSubstr("\nForwarded: for=192.0.2.1\n"));
  EXPECT_THAT(plan.text, HasSubstr("\nX-Real-IP: 192.0.2.1\n"));
  EXPECT_THAT(plan.text, Not(HasSubstr("Cookie")));
  EXPECT_THAT(Get("/").text, HasSubstr("no identity headers"));
}

TEST(DemoSite, HeadersAreAllThereInOrderWhateverTheirBytes) {
  BackendRequest request = Request("GET", "/headers");
  request.minor_version = 0;
  request.headers = {{"B", "1"}, {"a", "\"\\ \xff"}, {"B", "2"}};
  const nlohmann::json page = nlohmann::json::parse(PlanFor(request).text);
  EXPECT_EQ(page["method"], "GET");
  EXPECT_EQ(page["target"], "/headers");
  EXPECT_EQ(page["version"], "1.0");
  ASSERT_EQ(page["headers"].size(), 3u);
  EXPECT_EQ(page["headers"][0]["name"], "B");
  EXPECT_EQ(page["headers"][1]["value"], "\"\\ \xef\xbf\xbd");
  EXPECT_EQ(page["headers"][2]["value"], "2");
}

TEST(DemoSite, EveryPathAndMethodHasItsStatus) {
  struct Case {
    const char* method;
    const char* target;
    int status;
  };
  const Case cases[] = {
      {"GET", "/", 200},
      {"HEAD", "/", 200},
      {"POST", "/", 405},
      {"DELETE", "/headers", 405},
      {"GET", "/nothing", 404},
      {"POST", "/nothing", 404},
      {"GET", "/bytes/0", 200},
      {"GET", "/bytes/18446744073709551615", 200},
      {"GET", "/bytes/18446744073709551616", 400},
      {"GET", "/bytes/", 400},
      {"GET", "/bytes/-1", 400},
      {"GET", "/bytes/1k", 400},
      {"PUT", "/bytes/1", 405},
      {"GET", "/status/200", 200},
      {"POST", "/status/503", 503},
      {"GET", "/status/599", 599},
      {"GET", "/status/199", 400},
      {"GET", "/status/600", 400},
      {"GET", "/delay/0", 200},
      {"PUT", "/delay/60000", 200},
      {"GET", "/delay/60001", 400},
      {"POST", "/echo", 200},
      {"PUT", "/echo?a", 200},
      {"GET", "/echo", 405},
      {"PUT", "/sink", 200},
      {"POST", "/sink", 200},
      {"HEAD", "/sink", 405},
      {"OPTIONS", "*", 404},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(PlanFor(Request(each.method, each.target)).status, each.status)
        << each.method << " " << each.target;
  }
}

TEST(DemoSite, PlansSayHowTheBodyIsMade) {
  EXPECT_EQ(Get("/bytes/7").body, SitePlan::Body::kBytes);
  EXPECT_EQ(Get("/bytes/7").num_bytes, 7u);
  EXPECT_EQ(Get("/delay/250").delay, std::chrono::milliseconds(250));
  EXPECT_EQ(PlanFor(Request("PUT", "/sink")).body, SitePlan::Body::kSink);
  EXPECT_EQ(PlanFor(Request("PATCH", "/echo")).allow, "POST, PUT");
  EXPECT_EQ(PlanFor(Request("PATCH", "/")).allow, "GET, HEAD");
  BackendRequest echo = Request("POST", "/echo");
  echo.headers = {{"content-TYPE", "text/x"}};
  EXPECT_EQ(PlanFor(echo).body, SitePlan::Body::kEcho);
  EXPECT_EQ(PlanFor(echo).content_type, "text/x");
}

TEST(DemoSite, BytesAreTheSameHoweverTheyAreCut) {
  std::string whole;
  AppendSiteBytes(0, 1000, whole);
  ASSERT_EQ(whole.size(), 1000u);
  for (size_t i = 0; i < whole.size(); ++i) {
    ASSERT_EQ(static_cast<uint8_t>(whole[i]), SiteByte(i)) << i;
  }
  for (size_t from = 0; from < 20; ++from) {
    for (size_t count = 0; count < 30; ++count) {
      std::string part;
      AppendSiteBytes(from, count, part);
      ASSERT_EQ(part, whole.substr(from, count)) << from << "+" << count;
    }
  }
  // The first output of SplitMix64 seeded with 0 is 0xe220a8397b1dcdaf.
  EXPECT_EQ(whole.substr(0, 8), "\xaf\xcd\x1d\x7b\x39\xa8\x20\xe2");
}

TEST(DemoSite, ReasonsAreNeverEmpty) {
  EXPECT_EQ(StatusReason(200), "OK");
  EXPECT_EQ(StatusReason(504), "Gateway Timeout");
  for (int status = 200; status < 600; ++status) EXPECT_FALSE(StatusReason(status).empty());
}

}  // namespace
}  // namespace portcullis::server
