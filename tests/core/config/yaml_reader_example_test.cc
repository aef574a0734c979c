// README's example and deploy/portcullis.example.yaml are what newcomers start from: both must be
// accepted, and the latter show every field there is.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "core/config/describe.h"
#include "core/config/yaml_reader.h"

namespace portcullis::config {
namespace {

std::string ReadFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string ExampleText() { return ReadFile(PORTCULLIS_EXAMPLE_CONFIG); }

// The first fenced block of YAML in README.
std::string ReadmeText() {
  const std::string readme = ReadFile(PORTCULLIS_README);
  const std::string fence = "\n```yaml\n";
  const size_t fence_at = readme.find(fence);
  EXPECT_NE(fence_at, std::string::npos);
  if (fence_at == std::string::npos) return {};
  const size_t start = fence_at + fence.size();
  return readme.substr(start, readme.find("\n```", start) + 1 - start);
}

// Whether `field` stands somewhere as a whole word before a colon, in a remark or not.
bool Shows(const std::string& text, const std::string& field) {
  for (const char before : {' ', '{', '\n'}) {
    if (text.find(before + field + ":") != std::string::npos) return true;
  }
  return false;
}

TEST(ExampleConfig, IsAcceptedWithoutAWarning) {
  std::vector<std::string> warnings;
  const absl::StatusOr<Config> config =
      ParseConfig(ExampleText(), "/etc/portcullis/portcullis.yaml", &warnings);
  ASSERT_TRUE(config.ok()) << config.status().message();
  for (const std::string& warning : warnings) ADD_FAILURE() << warning;
  EXPECT_EQ(config->listeners.size(), 2u);
  EXPECT_EQ(config->virtual_hosts.at(0).client_auth.mode, AuthMode::kRequire);
}

TEST(ReadmeConfig, IsAcceptedWithoutAWarning) {
  std::vector<std::string> warnings;
  const absl::StatusOr<Config> config =
      ParseConfig(ReadmeText(), "/etc/portcullis/portcullis.yaml", &warnings);
  ASSERT_TRUE(config.ok()) << config.status().message();
  for (const std::string& warning : warnings) ADD_FAILURE() << warning;
  ASSERT_EQ(config->virtual_hosts.size(), 1u);
  const tls::PolicySpec& policy = config->virtual_hosts[0].client_auth.policy;
  EXPECT_EQ(policy.allow.size(), 1u);
  EXPECT_EQ(policy.deny.size(), 1u);
  EXPECT_TRUE(tls::Policy::Compile(policy).ok());
  EXPECT_EQ(config->backends.at(0).targets.size(), 2u);
}

TEST(ExampleConfig, StatesTheDefaults) {
  const absl::StatusOr<Config> config =
      ParseConfig(ExampleText(), "/etc/portcullis/portcullis.yaml");
  ASSERT_TRUE(config.ok()) << config.status().message();
  const Config defaults;
  EXPECT_EQ(config->workers, defaults.workers);
  EXPECT_EQ(config->pin_workers, defaults.pin_workers);
  EXPECT_EQ(config->admin.address, defaults.admin.address);
  EXPECT_EQ(config->log.level, defaults.log.level);
  EXPECT_EQ(config->log.connections, defaults.log.connections);
  EXPECT_EQ(config->timeouts.handshake, defaults.timeouts.handshake);
  EXPECT_EQ(config->timeouts.request_head, defaults.timeouts.request_head);
  EXPECT_EQ(config->timeouts.idle, defaults.timeouts.idle);
  EXPECT_EQ(config->timeouts.write_stall, defaults.timeouts.write_stall);
  EXPECT_EQ(config->timeouts.response, defaults.timeouts.response);
  EXPECT_EQ(config->timeouts.drain, defaults.timeouts.drain);
  EXPECT_EQ(config->timeouts.lapse, defaults.timeouts.lapse);
  EXPECT_EQ(config->limits.max_connections, defaults.limits.max_connections);
  EXPECT_EQ(config->limits.max_handshakes, defaults.limits.max_handshakes);
  EXPECT_EQ(config->limits.max_request_head_bytes, defaults.limits.max_request_head_bytes);
  EXPECT_EQ(config->limits.max_headers, defaults.limits.max_headers);
  EXPECT_EQ(config->limits.max_chain_bytes, defaults.limits.max_chain_bytes);
  EXPECT_EQ(config->limits.verdict_cache, defaults.limits.verdict_cache);
  EXPECT_EQ(config->log.rejections_kept, defaults.log.rejections_kept);
  EXPECT_EQ(config->tickets.slot, defaults.tickets.slot);
  EXPECT_EQ(config->reload.refuse_over, defaults.reload.refuse_over);
  EXPECT_EQ(config->reload.is_percent, defaults.reload.is_percent);
  const ClientAuth& auth = config->virtual_hosts.at(0).client_auth;
  const ClientAuth default_auth;
  EXPECT_EQ(auth.profile, default_auth.profile);
  EXPECT_EQ(auth.max_depth, default_auth.max_depth);
  EXPECT_EQ(auth.send_ca_names, default_auth.send_ca_names);
  EXPECT_EQ(auth.close_on_change, default_auth.close_on_change);
  const Trust default_trust;
  const Trust& trust = config->trusts.at(0);
  EXPECT_EQ(trust.intermediates_as_anchors, default_trust.intermediates_as_anchors);
  EXPECT_EQ(trust.revocation.mode, default_trust.revocation.mode);
  EXPECT_EQ(trust.revocation.scope, default_trust.revocation.scope);
  EXPECT_EQ(trust.revocation.grace_s, default_trust.revocation.grace_s);
  EXPECT_EQ(trust.ocsp.mode, default_trust.ocsp.mode);
}

TEST(ExampleConfig, HasAPolicyThatCompiles) {
  const absl::StatusOr<Config> config =
      ParseConfig(ExampleText(), "/etc/portcullis/portcullis.yaml");
  ASSERT_TRUE(config.ok()) << config.status().message();
  const tls::PolicySpec& policy = config->virtual_hosts.at(1).client_auth.policy;
  EXPECT_GE(policy.allow.size(), 5u);
  EXPECT_TRUE(tls::Policy::Compile(policy).ok());
}

// A field that the reader gains must be added to the example: the reader itself lists the fields of
// each section.
TEST(ExampleConfig, ShowsEveryField) {
  const std::string probe =
      "{x: 1, admin: {x: 1}, log: {x: 1}, timeouts: {x: 1}, limits: {x: 1}, tls: {x: 1}, "
      "tickets: {x: 1}, reload: {x: 1}, "
      "listeners: [{x: 1}], "
      "virtual_hosts: [{x: 1, certificates: [{x: 1}], client_auth: {x: 1, policy: {x: 1, allow: "
      "[{x: 1}]}}}], trusts: [{x: 1, revocation: {x: 1}, ocsp: {x: 1}}], "
      "backends: [{x: 1}]}";
  const std::string errors(ParseConfig(probe, "probe").status().message());
  const std::string example = ExampleText();
  const std::string start = ".x: found an unknown field; allowed: ";
  size_t num_fields = 0;
  size_t num_sections = 0;
  for (size_t at = errors.find(start); at != std::string::npos;
       at = errors.find(start, at + 1), ++num_sections) {
    std::string fields = errors.substr(at + start.size());
    fields = fields.substr(0, fields.find_first_of("\n;")) + ", ";
    for (size_t end = fields.find(", "); end != std::string::npos; end = fields.find(", ")) {
      EXPECT_TRUE(Shows(example, fields.substr(0, end))) << fields.substr(0, end);
      fields.erase(0, end + 2);
      ++num_fields;
    }
  }
  EXPECT_EQ(num_sections, 17u) << errors;
  EXPECT_GT(num_fields, 80u);
}

}  // namespace
}  // namespace portcullis::config
