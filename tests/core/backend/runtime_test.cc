#include "core/backend/runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace portcullis::backend {
namespace {

using ::testing::HasSubstr;

config::Backend BackendWith(const std::string& address) {
  config::Backend backend;
  backend.name = "app";
  backend.targets.push_back(
      {.address = address, .where = {.file = "p.yaml", .line = 7, .column = 5}});
  return backend;
}

TEST(ResolveTargets, TakesLiteralsAsTheyAre) {
  for (const char* address : {"127.0.0.1:8080", "[::1]:8080", "unix:/run/app.sock"}) {
    const auto targets = ResolveTargets(BackendWith(address));
    ASSERT_TRUE(targets.ok()) << targets.status();
    ASSERT_EQ(targets->size(), 1U);
    EXPECT_EQ(targets->front().first.ToString(), address);
    EXPECT_EQ(targets->front().second, address);
  }
}

TEST(ResolveTargets, LooksUpNames) {
  const auto targets = ResolveTargets(BackendWith("localhost:81"));
  ASSERT_TRUE(targets.ok()) << targets.status();
  ASSERT_FALSE(targets->empty());
  for (const auto& [address, text] : *targets) {
    EXPECT_EQ(address.port(), 81);
    EXPECT_EQ(text, "localhost:81");
  }
}

TEST(ResolveTargets, SaysWhereTheUnresolvableNameStands) {
  const auto targets = ResolveTargets(BackendWith("no-such-host.invalid:80"));
  ASSERT_FALSE(targets.ok());
  EXPECT_THAT(std::string(targets.status().message()), HasSubstr("p.yaml:7:5"));
  EXPECT_THAT(std::string(targets.status().message()), HasSubstr("no-such-host.invalid"));
}

TEST(MakeRuntime, CopiesLimitsAndTargets) {
  config::Backend backend = BackendWith("127.0.0.1:8080");
  backend.connect_timeout = config::milliseconds(123);
  backend.keepalive_timeout = config::milliseconds(456);
  backend.max_idle_per_target = 7;
  const auto targets = ResolveTargets(backend);
  ASSERT_TRUE(targets.ok());
  const auto runtime = MakeRuntime(backend, 3, *targets);
  EXPECT_EQ(runtime->name, "app");
  EXPECT_EQ(runtime->metrics_id, 3U);
  EXPECT_EQ(runtime->connect_timeout_ms, 123U);
  EXPECT_EQ(runtime->keepalive_ms, 456U);
  EXPECT_EQ(runtime->max_idle_per_target, 7U);
  ASSERT_EQ(runtime->targets.size(), 1U);
  EXPECT_EQ(runtime->targets[0]->address.port(), 8080);
}

}  // namespace
}  // namespace portcullis::backend
