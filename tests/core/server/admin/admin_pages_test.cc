#include "core/server/admin/admin_pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/metric_family.h>

#include <memory>
#include <string>
#include <vector>

namespace portcullis::server {
namespace {

using testing::HasSubstr;

// One counter, or an exception such as the libraries below throw.
class OneCounter : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override {
    prometheus::MetricFamily family;
    if (broken) return {std::vector<prometheus::MetricFamily>().at(0)};
    family.name = "answers_total";
    family.help = "Answers.";
    family.type = prometheus::MetricType::Counter;
    family.metric.emplace_back().counter.value = 42;
    return {family};
  }

  bool broken = false;
};

class AdminPagesTest : public testing::Test {
 protected:
  AdminResponse Get(std::string_view path) const { return pages_.Respond("GET", path); }

  std::shared_ptr<OneCounter> metrics_ = std::make_shared<OneCounter>();
  Readiness readiness_ = Readiness::kServing;
  const AdminPages pages_{metrics_, [this] { return readiness_; }, [] { return "{\"a\":1}\n"; },
                          [] { return "{\"b\":2}\n"; }};
};

TEST_F(AdminPagesTest, ServesMetricsAsPrometheusText) {
  const AdminResponse response = Get("/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(response.body,
            "# HELP answers_total Answers.\n# TYPE answers_total counter\nanswers_total 42\n");
}

TEST_F(AdminPagesTest, LivesWhateverItIsReadyFor) {
  for (const Readiness readiness :
       {Readiness::kStarting, Readiness::kServing, Readiness::kDraining}) {
    readiness_ = readiness;
    EXPECT_EQ(Get("/healthz").status, 200);
    EXPECT_EQ(Get("/healthz").body, "ok\n");
  }
}

TEST_F(AdminPagesTest, IsReadyOnlyWhileServing) {
  EXPECT_EQ(Get("/readyz").status, 200);
  EXPECT_EQ(Get("/readyz").body, "serving\n");
  readiness_ = Readiness::kStarting;
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_EQ(Get("/readyz").body, "starting\n");
  readiness_ = Readiness::kDraining;
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_EQ(Get("/readyz").body, "draining\n");
}

TEST_F(AdminPagesTest, ServesTheStatusItIsGiven) {
  const AdminResponse response = Get("/status");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.body, "{\"a\":1}\n");
}

TEST_F(AdminPagesTest, ServesTheRejectionsItIsGiven) {
  const AdminResponse response = pages_.Respond("GET", "/rejections");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.body, "{\"b\":2}\n");
}

TEST_F(AdminPagesTest, IndexLinksToEveryPage) {
  const AdminResponse response = Get("/");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
  for (const char* path : {"/metrics", "/status", "/healthz", "/readyz"}) {
    EXPECT_THAT(response.body, HasSubstr("href=\"" + std::string(path) + "\""));
    EXPECT_EQ(Get(path).status, 200) << path;
  }
}

TEST_F(AdminPagesTest, KnowsNothingElse) {
  for (const char* path : {"", "/metrics/", "/Metrics", "//", "/../etc/passwd", "/healthz/x"}) {
    EXPECT_EQ(Get(path).status, 404) << path;
  }
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "get", ""}) {
    EXPECT_EQ(pages_.Respond(method, "/metrics").status, 405) << method;
  }
  EXPECT_EQ(pages_.Respond("HEAD", "/healthz").status, 200);
}

TEST_F(AdminPagesTest, AnExceptionBelowCostsOneRequest) {
  metrics_->broken = true;
  EXPECT_EQ(Get("/metrics").status, 500);
  EXPECT_THAT(Get("/metrics").body, testing::Not(HasSubstr("vector")));
  EXPECT_EQ(Get("/healthz").status, 200);
  metrics_->broken = false;
  EXPECT_EQ(Get("/metrics").status, 200);
  const AdminPages empty(metrics_, nullptr, nullptr, nullptr);
  EXPECT_EQ(empty.Respond("GET", "/readyz").status, 500);
  EXPECT_EQ(empty.Respond("GET", "/status").status, 500);
}

}  // namespace
}  // namespace portcullis::server
