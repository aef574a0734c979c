// client_auth.policy: rules with one value or several for each field, and what is refused, with its
// place.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/core/config/sample.h"

namespace portcullis::config {
namespace {

constexpr std::string_view kPolicyAuth = "client_auth: {mode: require, trust: clients}";

// The sample with `policy` at 9:55 of its client_auth.
std::string WithPolicy(std::string_view policy) {
  const std::string auth =
      "client_auth: {mode: require, trust: clients, policy: " + std::string(policy) + "}";
  return Edited({{kPolicyAuth, auth}});
}

tls::PolicySpec PolicyOf(std::string_view policy) {
  const Config config = Accepted(WithPolicy(policy));
  return config.virtual_hosts.empty() ? tls::PolicySpec{}
                                      : config.virtual_hosts.front().client_auth.policy;
}

TEST(PolicySection, TakesRulesWithOneValueOrSeveral) {
  const tls::PolicySpec policy = PolicyOf(
      "{allow: [{name: ops, common_name: [alice, bob], organizational_unit: ops}, {dns: '*.a.b'}], "
      "deny: [{serial: 0a:1b}]}");
  ASSERT_EQ(policy.allow.size(), 2u);
  ASSERT_EQ(policy.deny.size(), 1u);
  EXPECT_EQ(policy.allow[0].name, "ops");
  ASSERT_EQ(policy.allow[0].all_of.size(), 2u);
  EXPECT_EQ(policy.allow[0].all_of[0].field, tls::MatchField::kCommonName);
  EXPECT_EQ(policy.allow[0].all_of[0].values, (std::vector<std::string>{"alice", "bob"}));
  EXPECT_EQ(policy.allow[0].all_of[1].field, tls::MatchField::kOrganizationalUnit);
  EXPECT_EQ(policy.allow[1].name, "");
  EXPECT_EQ(policy.deny[0].all_of[0].values, std::vector<std::string>{"0a:1b"});
}

TEST(PolicySection, KnowsEveryFieldAndWhatItReadCompiles) {
  const std::string digest(64, 'a');
  const tls::PolicySpec policy = PolicyOf(
      "{allow: [{common_name: a, organization: b, organizational_unit: c, dns: d, uri: 'e:f', "
      "spiffe: 'spiffe://g', email: '@h', ip: 10.0.0.0/8, subject: CN=i, issuer: CN=j, serial: 1, "
      "sha256: " +
      digest + ", spki: " + digest + ", policy_oid: 1.2.3}]}");
  ASSERT_EQ(policy.allow.size(), 1u);
  EXPECT_EQ(policy.allow[0].all_of.size(), static_cast<size_t>(tls::kNumMatchFields));
  EXPECT_TRUE(tls::Policy::Compile(policy).ok());
}

struct BadPolicy {
  std::string_view policy;
  std::string_view errors;  // in full, without "c.yaml:9:"
};

class BadPolicies : public testing::TestWithParam<BadPolicy> {};

TEST_P(BadPolicies, AreRefusedInFull) {
  EXPECT_EQ(Errors(WithPolicy(GetParam().policy)), "c.yaml:9:" + std::string(GetParam().errors));
}

constexpr BadPolicy kBadPolicies[] = {
    {"{}",
     "58: virtual_hosts[0].client_auth.policy: found nothing; allowed: allow or deny, each a "
     "list of rules"},
    {"[]",
     "58: virtual_hosts[0].client_auth.policy: found a list; allowed: a mapping with the fields "
     "allow, deny"},
    {"{alow: [{dns: a}]}",
     "59: virtual_hosts[0].client_auth.policy.alow: found an unknown field; allowed: allow, deny; "
     "did you mean 'allow'?"},
    {"{allow: []}",
     "66: virtual_hosts[0].client_auth.policy.allow: found an empty list; allowed: a list of one "
     "or more"},
    {"{allow: [{comon_name: a}]}",
     "68: virtual_hosts[0].client_auth.policy.allow[0].comon_name: found an unknown field; "
     "allowed: common_name, dns, email, ip, issuer, name, organization, organizational_unit, "
     "policy_oid, serial, sha256, spiffe, spki, subject, uri; did you mean 'common_name'?"},
    {"{deny: [{name: x}]}",
     "66: virtual_hosts[0].client_auth.policy.deny[0]: found a rule without a field to match; "
     "allowed: one or more of common_name, organization, organizational_unit, dns, uri, spiffe, "
     "email, ip, subject, issuer, serial, sha256, spki, policy_oid"},
    {"{deny: [{ip: [10.0.0.0/8, 10.0.0.1/8]}]}",
     "84: virtual_hosts[0].client_auth.policy.deny[0].ip[1]: found '10.0.0.1/8'; allowed: an IPv4 "
     "or IPv6 address, or a network such as 10.0.0.0/8 or 2001:db8::/32; the address has bits set "
     "beyond its prefix"},
    {"{deny: [{dns: []}]}",
     "72: virtual_hosts[0].client_auth.policy.deny[0].dns: found an empty list; allowed: one value "
     "or more"},
    {"{deny: [{dns: {a: b}}]}",
     "72: virtual_hosts[0].client_auth.policy.deny[0].dns: found a mapping; allowed: a DNS name, "
     "*.suffix for one label more, or **.suffix for one or more"},
    {"{allow: [{name: x, dns: a}], deny: [{name: x, dns: b}]}",
     "101: virtual_hosts[0].client_auth.policy.deny[0].name: found 'x', the name of another rule; "
     "allowed: a name of its own"},
};

INSTANTIATE_TEST_SUITE_P(Table, BadPolicies, testing::ValuesIn(kBadPolicies));

}  // namespace
}  // namespace portcullis::config
