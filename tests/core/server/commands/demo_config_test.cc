#include "core/server/commands/demo_config.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "core/config/yaml_reader.h"

namespace portcullis::server {
namespace {

TEST(DemoConfig, IsAValidConfigurationWithoutWarnings) {
  std::vector<std::string> warnings;
  const absl::StatusOr<config::Config> parsed =
      config::ParseConfig(DemoConfig({.port = 8443,
                                      .admin_port = 9180,
                                      .backend = "127.0.0.1:4000",
                                      .connection_log = "/tmp/demo/connections.log"}),
                          "/tmp/demo/portcullis.yaml", &warnings);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_TRUE(warnings.empty()) << warnings.front();
  ASSERT_EQ(parsed->listeners.size(), 1u);
  EXPECT_EQ(parsed->listeners[0].name, kDemoListener);
  EXPECT_EQ(parsed->listeners[0].address, "127.0.0.1:8443");
  EXPECT_EQ(parsed->admin.address, "127.0.0.1:9180");
  EXPECT_EQ(parsed->log.connections, "/tmp/demo/connections.log");
  ASSERT_EQ(parsed->virtual_hosts.size(), 1u);
  const config::VirtualHost& host = parsed->virtual_hosts[0];
  EXPECT_EQ(host.client_auth.mode, config::AuthMode::kRequire);
  EXPECT_EQ(host.client_auth.refusal, config::Refusal::kHttp);
  ASSERT_EQ(host.certificates.size(), 1u);
  EXPECT_EQ(host.certificates[0].chain_path, "/tmp/demo/server/tls.crt");
  ASSERT_EQ(parsed->trusts.size(), 1u);
  EXPECT_EQ(parsed->trusts[0].ca_paths, std::vector<std::string>{"/tmp/demo/trust/ca.crt"});
  ASSERT_EQ(parsed->backends.size(), 1u);
  EXPECT_EQ(parsed->backends[0].targets[0].address, "127.0.0.1:4000");
}

TEST(DemoConfig, MayLeaveEveryPortToTheKernel) {
  const absl::StatusOr<config::Config> parsed = config::ParseConfig(
      DemoConfig({.backend = "127.0.0.1:4000", .connection_log = "/tmp/demo/log"}),
      "/tmp/demo/x.yaml");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->listeners[0].address, "127.0.0.1:0");
  EXPECT_EQ(parsed->admin.address, "127.0.0.1:0");
}

}  // namespace
}  // namespace portcullis::server
