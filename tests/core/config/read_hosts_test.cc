// virtual_hosts and tls: each field's default, an explicit value, and what it refuses.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/core/config/sample.h"

namespace portcullis::config {
namespace {

using std::chrono::seconds;

VirtualHost OnlyHost(const Config& config) {
  EXPECT_EQ(config.virtual_hosts.size(), 1u);
  return config.virtual_hosts.empty() ? VirtualHost{} : config.virtual_hosts.front();
}

// The sample with the line of client_auth replaced by `lines`, each indented by four, without the
// last '\n'.
std::string WithHost(std::string_view lines) {
  return Edited({{"    client_auth: {mode: require, trust: clients}", lines}});
}

TEST(VirtualHost, HasDefaults) {
  const VirtualHost host = OnlyHost(Accepted(kSample));
  EXPECT_EQ(host.tls.min_version, "1.2");
  EXPECT_EQ(host.tls.max_version, "1.3");
  EXPECT_EQ(host.tls.ciphers, "");
  EXPECT_TRUE(host.tls.groups.empty());
  EXPECT_TRUE(host.tls.tickets);
  EXPECT_EQ(host.tls.session_lifetime, seconds(3600));
  EXPECT_EQ(host.tls.signing.provider, tls::KeyProviderWish::kAuto);
  EXPECT_EQ(host.tls.signing.helper, tls::HelperWish::kAuto);
  EXPECT_EQ(host.client_auth.refusal, Refusal::kHttp);
  EXPECT_EQ(host.client_auth.max_depth, 8u);
  EXPECT_EQ(host.client_auth.send_ca_names, CaNames::kAuto);
  EXPECT_FALSE(host.client_auth.pass_certificate);
  EXPECT_FALSE(host.client_auth.explain_refusals);
  EXPECT_EQ(host.identity, IdentityProfile::kIngressNginx);
  EXPECT_EQ(host.forwarding, Forwarding::kXForwarded);
  EXPECT_TRUE(host.server_tokens);
}

TEST(VirtualHost, TakesItsValues) {
  const VirtualHost host = OnlyHost(
      Accepted(WithHost("    tls: {min_version: '1.3', max_version: 1.3, groups: [P-384, "
                        "X25519MLKEM768], tickets: false, "
                        "session_lifetime: 10m, key_provider: system, sign_on_helper: never}\n"
                        "    client_auth: {mode: optional, refusal: alert, trust: clients, "
                        "max_depth: 0, send_ca_names: false, "
                        "pass_certificate: true, explain_refusals: true}\n"
                        "    identity: none\n    forwarding: both\n    server_tokens: false")));
  EXPECT_EQ(host.name, "one");
  EXPECT_EQ(host.server_names, std::vector<std::string>{"one.example"});
  EXPECT_EQ(host.backend, "app");
  EXPECT_EQ(host.where.file, "c.yaml");
  EXPECT_EQ(host.where.line, 6);
  EXPECT_EQ(host.where.column, 5);
  EXPECT_EQ(host.tls.min_version, "1.3");
  EXPECT_EQ(host.tls.max_version, "1.3");
  EXPECT_EQ(host.tls.groups, (std::vector<std::string>{"P-384", "X25519MLKEM768"}));
  EXPECT_FALSE(host.tls.tickets);
  EXPECT_EQ(host.tls.session_lifetime, seconds(600));
  EXPECT_EQ(host.tls.signing.provider, tls::KeyProviderWish::kSystem);
  EXPECT_EQ(host.tls.signing.helper, tls::HelperWish::kNever);
  EXPECT_EQ(host.client_auth.mode, AuthMode::kOptional);
  EXPECT_EQ(host.client_auth.refusal, Refusal::kAlert);
  EXPECT_EQ(host.client_auth.trust, "clients");
  EXPECT_EQ(host.client_auth.max_depth, 0u);
  EXPECT_EQ(host.client_auth.send_ca_names, CaNames::kNone);
  EXPECT_TRUE(host.client_auth.pass_certificate);
  EXPECT_TRUE(host.client_auth.explain_refusals);
  EXPECT_EQ(host.identity, IdentityProfile::kNone);
  EXPECT_EQ(host.forwarding, Forwarding::kBoth);
  EXPECT_FALSE(host.server_tokens);
}

TEST(VirtualHost, TakesEveryWord) {
  const auto auth = [](std::string_view words) {
    return OnlyHost(
               Accepted(WithHost("    client_auth: {trust: clients, " + std::string(words) + "}")))
        .client_auth;
  };
  EXPECT_EQ(auth("mode: require").mode, AuthMode::kRequire);
  EXPECT_EQ(auth("mode: require, refusal: http").refusal, Refusal::kHttp);
  const auto forwarding = [](std::string_view word) {
    return OnlyHost(Accepted(Edited(
                        {{"backend: app", "backend: app\n    forwarding: " + std::string(word)}})))
        .forwarding;
  };
  EXPECT_EQ(forwarding("x-forwarded"), Forwarding::kXForwarded);
  EXPECT_EQ(forwarding("forwarded"), Forwarding::kForwarded);
  EXPECT_EQ(forwarding("off"), Forwarding::kOff);
  EXPECT_EQ(
      OnlyHost(Accepted(Edited({{"backend: app", "backend: app\n    identity: ingress-nginx"}})))
          .identity,
      IdentityProfile::kIngressNginx);
}

TEST(VirtualHost, TakesHowClientsAreJudged) {
  const ClientAuth defaults = OnlyHost(Accepted(kSample)).client_auth;
  EXPECT_EQ(defaults.profile, tls::Profile::kCompatible);
  EXPECT_TRUE(defaults.close_on_change);
  EXPECT_TRUE(defaults.policy.allow.empty());
  EXPECT_TRUE(defaults.policy.deny.empty());
  const ClientAuth auth =
      OnlyHost(Accepted(WithHost("    client_auth: {mode: optional_no_ca, trust: clients, profile: "
                                 "strict, send_ca_names: true, close_on_change: false}")))
          .client_auth;
  EXPECT_EQ(auth.mode, AuthMode::kOptionalNoCa);
  EXPECT_EQ(auth.profile, tls::Profile::kStrict);
  EXPECT_EQ(auth.send_ca_names, CaNames::kFit);
  EXPECT_FALSE(auth.close_on_change);
}

TEST(Tls, TakesProtocolsForTcpListeners) {
  const std::string yaml =
      Edited({{"hosts: [one]", "mode: tcp"},
              {"    backend: app\n", "    tls: {alpn: [postgresql, 'h 2']}\n    backend: app\n"}});
  EXPECT_EQ(OnlyHost(Accepted(yaml)).tls.alpn, (std::vector<std::string>{"postgresql", "h 2"}));
  EXPECT_TRUE(OnlyHost(Accepted(kSample)).tls.alpn.empty());
}

TEST(VirtualHost, WithoutClientAuthAsksForNoCertificate) {
  const std::string yaml = Edited({{"    client_auth: {mode: require, trust: clients}\n", ""},
                                   {"trusts:\n  - {name: clients, ca: [/ca.crt]}\n", ""}});
  const absl::StatusOr<Config> config = ParseConfig(yaml, "c.yaml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(OnlyHost(*config).client_auth.mode, AuthMode::kOff);
}

TEST(VirtualHost, IsNamedAfterItsFirstServerName) {
  const std::string yaml = Edited({{"- name: one\n    server_names: [one.example]",
                                    "- server_names: [One.Example, '*.Example']"},
                                   {"hosts: [one]", "hosts: [one.example]"}});
  const VirtualHost host = OnlyHost(Accepted(yaml));
  EXPECT_EQ(host.name, "one.example");
  EXPECT_EQ(host.server_names, (std::vector<std::string>{"one.example", "*.example"}));
}

TEST(VirtualHost, TakesCertificatesFromFoldersAndFiles) {
  const std::string yaml = Edited({{"[{folder: /tls}]",
                                    "\n      - folder: secret\n      - {certificate: /a.crt, key: "
                                    "sub/a.key, ocsp_response: a.ocsp}"}});
  const absl::StatusOr<Config> config = ParseConfig(yaml, "/etc/portcullis/c.yaml");
  ASSERT_TRUE(config.ok()) << config.status().message();
  const std::vector<Certificate>& certificates = OnlyHost(*config).certificates;
  ASSERT_EQ(certificates.size(), 2u);
  EXPECT_EQ(certificates[0].chain_path, "/etc/portcullis/secret/tls.crt");
  EXPECT_EQ(certificates[0].key_path, "/etc/portcullis/secret/tls.key");
  EXPECT_EQ(certificates[0].ocsp_response_path, "");
  EXPECT_EQ(certificates[0].where.line, 9);
  EXPECT_EQ(certificates[1].chain_path, "/a.crt");
  EXPECT_EQ(certificates[1].key_path, "/etc/portcullis/sub/a.key");
  EXPECT_EQ(certificates[1].ocsp_response_path, "/etc/portcullis/a.ocsp");
  EXPECT_EQ(certificates[1].where.line, 10);
  EXPECT_EQ(certificates[1].where.column, 9);
}

TEST(Tls, AtTheTopIsTheDefaultOfEveryHostFieldByField) {
  const std::string top = "tls: {min_version: 1.3, groups: [X25519], session_lifetime: 2h}\n";
  const Tls inherited = OnlyHost(Accepted(top + std::string(kSample))).tls;
  EXPECT_EQ(inherited.min_version, "1.3");
  EXPECT_EQ(inherited.groups, std::vector<std::string>{"X25519"});
  EXPECT_EQ(inherited.session_lifetime, seconds(7200));
  const Tls overridden =
      OnlyHost(Accepted(top + WithHost("    tls: {min_version: 1.2, groups: [P-256, P-521]}\n"
                                       "    client_auth: {mode: require, trust: clients}")))
          .tls;
  EXPECT_EQ(overridden.min_version, "1.2");
  EXPECT_EQ(overridden.groups, (std::vector<std::string>{"P-256", "P-521"}));
  EXPECT_EQ(overridden.session_lifetime, seconds(7200));
  EXPECT_EQ(
      OnlyHost(Accepted("tls: {ciphers: 'ECDHE+AESGCM'}\n" + std::string(kSample))).tls.ciphers,
      "ECDHE+AESGCM");
}

TEST(Tls, WarnsOfCiphersWithoutEffect) {
  EXPECT_EQ(Warnings(WithTop("tls: {ciphers: ALL, min_version: 1.3}\n")),
            "c.yaml:1:16: tls.ciphers: has no effect: it is for TLS 1.2, and min_version is 1.3\n");
}

struct BadHost {
  std::string_view from;  // in the sample
  std::string_view to;
  std::string_view errors;  // in full
};

class BadHosts : public testing::TestWithParam<BadHost> {};

TEST_P(BadHosts, AreRefusedInFull) {
  EXPECT_EQ(Errors(Edited({{GetParam().from, GetParam().to}})), GetParam().errors);
}

constexpr std::string_view kAuth = "client_auth: {mode: require, trust: clients}";

const BadHost kBadHosts[] = {
    {"name: one\n", "name: 'on e'\n",
     "c.yaml:4:13: listeners[0].hosts[0]: found 'one'; allowed: a name from virtual_hosts "
     "(one.example)\n"
     "c.yaml:6:11: virtual_hosts[0].name: found 'on e'; allowed: a name of 1 to 128 letters, "
     "digits, '.', '_', '-' "
     "and '*'; it has other characters"},
    {"server_names: [one.example]", "server_names: one.example",
     "c.yaml:7:19: virtual_hosts[0].server_names: found 'one.example'; allowed: a list of one or "
     "more; write it as "
     "'- item' or [item]"},
    {"server_names: [one.example]", "server_names: []",
     "c.yaml:7:19: virtual_hosts[0].server_names: found an empty list; allowed: a list of one or "
     "more"},
    {"    server_names: [one.example]\n", "",
     "c.yaml:6:5: virtual_hosts[0].server_names: found nothing; allowed: a list of names that "
     "clients ask for (SNI); "
     "the field is required"},
    {"[one.example]", "['*']",
     "c.yaml:7:20: virtual_hosts[0].server_names[0]: found '*'; allowed: a DNS name "
     "(www.example.org) or a wildcard "
     "for the first label (*.example.org); a listener's default_host takes every other name"},
    {"[one.example]", "[one.example, [x]]",
     "c.yaml:7:33: virtual_hosts[0].server_names[1]: found a list; allowed: a DNS name "
     "(www.example.org) or a wildcard "
     "for the first label (*.example.org)"},
    {"[one.example]", "[one.example, ONE.example]",
     "c.yaml:7:33: virtual_hosts[0].server_names[1]: found 'ONE.example'; allowed: each server "
     "name once in a virtual "
     "host"},
    {"    certificates: [{folder: /tls}]\n", "",
     "c.yaml:6:5: virtual_hosts[0].certificates: found nothing; allowed: a list of certificates, "
     "each with folder, or "
     "with certificate and key; the field is required"},
    {"[{folder: /tls}]", "[]",
     "c.yaml:8:19: virtual_hosts[0].certificates: found an empty list; allowed: a list of one or "
     "more"},
    {"[{folder: /tls}]", "[/tls]",
     "c.yaml:8:20: virtual_hosts[0].certificates[0]: found '/tls'; allowed: a mapping with the "
     "fields certificate, "
     "folder, key, ocsp_response"},
    {"[{folder: /tls}]", "[{}]",
     "c.yaml:8:20: virtual_hosts[0].certificates[0].folder: found nothing; allowed: folder, or "
     "both certificate and "
     "key; the field is required"},
    {"[{folder: /tls}]", "[{certificate: a}]",
     "c.yaml:8:20: virtual_hosts[0].certificates[0]: found a certificate without key; allowed: "
     "folder, or both "
     "certificate and key"},
    {"[{folder: /tls}]", "[{key: a}]",
     "c.yaml:8:20: virtual_hosts[0].certificates[0]: found a key without certificate; allowed: "
     "folder, or both "
     "certificate and key"},
    {"[{folder: /tls}]", "[{folder: a, key: a}]",
     "c.yaml:8:20: virtual_hosts[0].certificates[0]: found folder together with certificate or "
     "key; allowed: folder, "
     "or both certificate and key"},
    {"[{folder: /tls}]", "[{folder: }]",
     "c.yaml:8:21: virtual_hosts[0].certificates[0].folder: found nothing; allowed: text on one "
     "line"},
    {"[{folder: /tls}]", "[{folder: \"a\\nb\"}]",
     "c.yaml:8:29: virtual_hosts[0].certificates[0].folder: found 'a\\nb'; allowed: text on one "
     "line; it has a line "
     "break or another control character"},
    {kAuth, "client_auth: require",
     "c.yaml:9:18: virtual_hosts[0].client_auth: found 'require'; allowed: a mapping with the "
     "fields close_on_change, explain_refusals, max_depth, mode, pass_certificate, policy, "
     "profile, "
     "refusal, send_ca_names, trust"},
    {kAuth, "client_auth: {trust: clients}",
     "c.yaml:9:18: virtual_hosts[0].client_auth.mode: found nothing; allowed: off, optional, "
     "optional_no_ca, require; the field is "
     "required"},
    {kAuth, "client_auth:",
     "c.yaml:9:5: virtual_hosts[0].client_auth.mode: found nothing; allowed: off, optional, "
     "optional_no_ca, require; the field is "
     "required"},
    {kAuth, "client_auth: {mode: required, trust: clients}",
     "c.yaml:9:25: virtual_hosts[0].client_auth.mode: found 'required'; allowed: off, optional, "
     "optional_no_ca, require; did you mean "
     "'require'?"},
    {kAuth, "client_auth: {mode: require, trust: clients, refusal: page}",
     "c.yaml:9:59: virtual_hosts[0].client_auth.refusal: found 'page'; allowed: alert, http"},
    {kAuth, "client_auth: {mode: require, trust: clients, max_depth: 101}",
     "c.yaml:9:61: virtual_hosts[0].client_auth.max_depth: found '101'; allowed: a whole number "
     "from 0 to 100"},
    {kAuth, "client_auth: {mode: require, trust: clients, send_ca_names: 1}",
     "c.yaml:9:65: virtual_hosts[0].client_auth.send_ca_names: found '1'; allowed: auto, true, "
     "false"},
    {kAuth, "client_auth: {mode: require, trust: clients, depth: 1}",
     "c.yaml:9:50: virtual_hosts[0].client_auth.depth: found an unknown field; allowed: "
     "close_on_change, explain_refusals, max_depth, mode, pass_certificate, policy, profile, "
     "refusal, send_ca_names, trust"},
    {"backend: app", "bakend: app",
     "c.yaml:6:5: virtual_hosts[0].backend: found nothing; allowed: the name of a backend; the "
     "field is required\n"
     "c.yaml:10:5: virtual_hosts[0].bakend: found an unknown field; allowed: backend, "
     "certificates, client_auth, "
     "forwarding, identity, name, server_names, server_tokens, tls; did you mean 'backend'?"},
    {"backend: app", "backend: app\n    identity: nginx",
     "c.yaml:11:15: virtual_hosts[0].identity: found 'nginx'; allowed: ingress-nginx, none"},
    {"backend: app", "backend: app\n    forwarding: x-forwarded-for",
     "c.yaml:11:17: virtual_hosts[0].forwarding: found 'x-forwarded-for'; allowed: x-forwarded, "
     "forwarded, both, off; "
     "did you mean 'x-forwarded'?"},
    {"backend: app", "backend: app\n    tls: {min_version: 1.1}",
     "c.yaml:11:24: virtual_hosts[0].tls.min_version: found '1.1'; allowed: 1.2, 1.3; did you mean "
     "'1.2'?"},
    {"backend: app", "backend: app\n    tls: {min_version: 1.3, max_version: 1.2}",
     "c.yaml:11:24: virtual_hosts[0].tls.min_version: found min_version 1.3 above max_version 1.2; "
     "allowed: a "
     "min_version up to max_version"},
    {"backend: app", "backend: app\n    tls: {groups: [P-256, P256]}",
     "c.yaml:11:27: virtual_hosts[0].tls.groups[1]: found 'P256'; allowed: X25519MLKEM768, X25519, "
     "P-256, P-384, P-521; "
     "did you mean 'P-256'?"},
    {"backend: app", "backend: app\n    tls: {groups: [P-256, P-256]}",
     "c.yaml:11:27: virtual_hosts[0].tls.groups[1]: found 'P-256'; allowed: each group once"},
    {"backend: app", "backend: app\n    tls: {key_provider: openssl}",
     "c.yaml:11:25: virtual_hosts[0].tls.key_provider: found 'openssl'; allowed: auto, builtin, "
     "system"},
    {"backend: app", "backend: app\n    tls: {session_lifetime: 169h}",
     "c.yaml:11:29: virtual_hosts[0].tls.session_lifetime: found '169h'; allowed: a duration such "
     "as 250ms, 10s, 2m or "
     "1h, from 1s to 168h"},
    {"backend: app", "backend: app\n    tls: {session_lifetime: 1500ms}",
     "c.yaml:11:29: virtual_hosts[0].tls.session_lifetime: found '1500ms'; allowed: whole seconds"},
};

INSTANTIATE_TEST_SUITE_P(Table, BadHosts, testing::ValuesIn(kBadHosts));

TEST(Tls, VersionsAreJudgedAfterMergingAndBlamedOnce) {
  const std::string host =
      WithHost("    tls: {max_version: 1.2}\n    client_auth: {mode: require, trust: clients}");
  EXPECT_EQ(Errors("tls: {min_version: 1.3}\n" + host),
            "c.yaml:10:24: virtual_hosts[0].tls.max_version: found min_version 1.3 above "
            "max_version 1.2; allowed: a "
            "min_version up to max_version");
  EXPECT_EQ(Errors(WithTop("tls: {min_version: 1.3, max_version: 1.2}\n")),
            "c.yaml:1:20: tls.min_version: found min_version 1.3 above max_version 1.2; allowed: a "
            "min_version up to "
            "max_version");
}

}  // namespace
}  // namespace portcullis::config
