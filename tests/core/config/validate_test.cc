// What needs more than one section: names, references, addresses, server names, modes, unused
// definitions.

#include "core/config/validate.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/core/config/sample.h"

namespace portcullis::config {
namespace {

struct BadWhole {
  const char* name;
  Edits edits;
  std::string_view errors;  // in full
};

class BadWholes : public testing::TestWithParam<BadWhole> {};

TEST_P(BadWholes, AreRefusedInFull) {
  EXPECT_EQ(Errors(Edited(GetParam().edits)), GetParam().errors);
}

constexpr std::string_view kValidAuth = "client_auth: {mode: require, trust: clients}";
constexpr std::string_view kBackend = "  - {name: app, targets: [\"127.0.0.1:80\"]}\n";
constexpr std::string_view kSecondListener =
    "    hosts: [one]\n  - {name: raw, address: '127.0.0.1:9443', mode: tcp}\n";
constexpr std::string_view kSecondHost =
    "    backend: app\n"
    "  - name: two\n"                       // 11
    "    server_names: [two.example]\n"     // 12
    "    certificates: [{folder: /tls}]\n"  // 13
    "    backend: app\n"                    // 14
    "    client_auth: {mode: off}\n";       // 15

const BadWhole kBadWholes[] = {
    {"DanglingHost",
     {{"hosts: [one]", "hosts: [oen]"}},
     "c.yaml:4:13: listeners[0].hosts[0]: found 'oen'; allowed: a name from virtual_hosts (one); "
     "did you mean 'one'?"},
    {"RepeatedHost",
     {{"hosts: [one]", "hosts: [one, one]"}},
     "c.yaml:4:18: listeners[0].hosts[1]: found 'one'; allowed: each host once"},
    {"DanglingDefaultHost",
     {{"hosts: [one]", "default_host: on"}},
     "c.yaml:4:19: listeners[0].default_host: found 'on'; allowed: a name from virtual_hosts "
     "(one); did you mean "
     "'one'?"},
    {"DefaultHostOfAnotherListener",
     {{"hosts: [one]", "hosts: [one]\n    default_host: two"}, {"    backend: app\n", kSecondHost}},
     "c.yaml:5:19: listeners[0].default_host: found 'two'; allowed: one of the listener's own "
     "hosts; add it to "
     "listeners[0].hosts"},
    {"PolicyOverTheUnverified",
     {{kValidAuth,
       "client_auth: {mode: optional_no_ca, trust: clients, policy: {allow: [{dns: a.b}]}}"}},
     "c.yaml:9:65: virtual_hosts[0].client_auth.policy: found a policy where client_auth.mode is "
     "optional_no_ca; allowed: a policy in other modes; whoever no CA vouches for can claim to be "
     "anyone"},
    {"RevocationWithoutCrls",
     {{"ca: [/ca.crt]", "ca: [/ca.crt], revocation: {mode: require}"}},
     "c.yaml:12:55: trusts[0].revocation.mode: found 'require' in a trust without CRLs; allowed: "
     "crl with files; every client would be refused"},
    {"DanglingTrust",
     {{kValidAuth, "client_auth: {mode: require, trust: client}"}},
     "c.yaml:9:41: virtual_hosts[0].client_auth.trust: found 'client'; allowed: a name from trusts "
     "(clients); did you "
     "mean 'clients'?"},
    {"DanglingTrustWithoutAny",
     {{"trusts:\n  - {name: clients, ca: [/ca.crt]}\n", ""}},
     "c.yaml:9:41: virtual_hosts[0].client_auth.trust: found 'clients'; allowed: a name from "
     "trusts, of which there are "
     "none"},
    {"DanglingBackend",
     {{"backend: app", "backend: ap"}},
     "c.yaml:10:14: virtual_hosts[0].backend: found 'ap'; allowed: a name from backends (app); did "
     "you mean 'app'?"},
    {"RequireWithoutTrust",
     {{kValidAuth, "client_auth: {mode: require}"}},
     "c.yaml:9:18: virtual_hosts[0].client_auth.trust: found nothing; allowed: the name of a "
     "trust; client_auth needs "
     "to know whose certificates to accept"},
    {"OptionalWithoutTrust",
     {{kValidAuth, "client_auth: {mode: optional}"}},
     "c.yaml:9:18: virtual_hosts[0].client_auth.trust: found nothing; allowed: the name of a "
     "trust; client_auth needs "
     "to know whose certificates to accept"},
    {"RepeatedListenerName",
     {{"    hosts: [one]\n", "    hosts: [one]\n  - {name: https, address: '127.0.0.1:9443'}\n"}},
     "c.yaml:5:12: listeners[1].name: found 'https', the name of listeners[0] (line 2); allowed: a "
     "name of its own"},
    {"RepeatedTrustName",
     {{"{name: clients, ca: [/ca.crt]}\n",
       "{name: clients, ca: [/ca.crt]}\n  - {name: clients, ca: [/b.crt]}\n"}},
     "c.yaml:13:12: trusts[1].name: found 'clients', the name of trusts[0] (line 12); allowed: a "
     "name of its own"},
    {"RepeatedBackendName",
     {{kBackend, "  - {name: app, targets: ['a:1']}\n  - {name: app, targets: ['b:1']}\n"}},
     "c.yaml:15:12: backends[1].name: found 'app', the name of backends[0] (line 14); allowed: a "
     "name of its own"},
    {"RepeatedDefaultHostName",
     {{"  - name: one\n    server", "  - server"},
      {"hosts: [one]", "mode: http"},
      {"    backend: app\n",
       "    backend: app\n  - {server_names: [one.example, x], certificates: [{folder: /t}], "
       "backend: app}\n"}},
     "c.yaml:10:5: virtual_hosts[1].name: found 'one.example', the name of virtual_hosts[0] (line "
     "6); allowed: a name "
     "of its own; give it a name: without one it has that of its first server name"},
    {"RepeatedAddress",
     {{"    hosts: [one]\n", "    hosts: [one]\n  - {name: b, address: '127.0.0.1:8443'}\n"}},
     "c.yaml:5:24: listeners[1].address: found '127.0.0.1:8443', which overlaps with the address "
     "of listeners[0] (line "
     "2); allowed: an address of its own"},
    {"OverlappingAddress",
     {{"    hosts: [one]\n", "    hosts: [one]\n  - {name: b, address: '*:8443'}\n"}},
     "c.yaml:5:24: listeners[1].address: found '*:8443', which overlaps with the address of "
     "listeners[0] (line 2); "
     "allowed: an address of its own"},
    {"AddressOfTheAdminServer",
     {{"127.0.0.1:8443", "0.0.0.0:9180"}},
     "c.yaml:1:1: admin.address: found '127.0.0.1:9180', which overlaps with the address of "
     "listeners[0] (line 2); "
     "allowed: an address of its own"},
    {"SameServerNameInOneListener",
     {{"hosts: [one]", "hosts: [one, two]"},
      {"    backend: app\n",
       "    backend: app\n  - {name: two, server_names: [x, ONE.example], certificates: [{folder: "
       "/t}], backend: app}\n"}},
     "c.yaml:11:35: virtual_hosts[1].server_names[1]: found 'one.example', a server name of "
     "virtual_hosts[0] (line 6) "
     "too; allowed: each server name once among the hosts of listeners[0] (line 2)"},
    {"PageInModeTcp",
     {{"hosts: [one]", "mode: tcp"},
      {kValidAuth, "client_auth: {mode: require, trust: clients, refusal: http}"}},
     "c.yaml:9:59: virtual_hosts[0].client_auth.refusal: found 'http' on a host of listeners[0] "
     "(line 2), which is in "
     "mode tcp; allowed: alert; without HTTP there is no page to refuse with"},
    {"PageInModeTcpOnOneOfTwoListeners",
     {{"    hosts: [one]\n", kSecondListener},
      {kValidAuth, "client_auth: {mode: require, trust: clients, refusal: http}"}},
     "c.yaml:10:59: virtual_hosts[0].client_auth.refusal: found 'http' on a host of listeners[1] "
     "(line 5), which is in "
     "mode tcp; allowed: alert; without HTTP there is no page to refuse with"},
    {"SectionOfTheWrongTypeIsNotBlamedOnReferences",
     {{"trusts:\n  - {name: clients, ca: [/ca.crt]}\n", "trusts: clients\n"}},
     "c.yaml:11:9: trusts: found 'clients'; allowed: a list of one or more; write it as '- item' "
     "or [item]"},
    {"NoListeners",
     {{"listeners:\n  - name: https\n    address: 127.0.0.1:8443\n    hosts: [one]\n", ""}},
     "c.yaml:1:1: listeners: found nothing; allowed: a list of addresses to listen on, each with "
     "name and address; the "
     "field is required"},
};

INSTANTIATE_TEST_SUITE_P(Table, BadWholes, testing::ValuesIn(kBadWholes),
                         [](const auto& bad) { return std::string(bad.param.name); });

TEST(Validate, ListsOnlyTheFirstFewOfManyNames) {
  std::string backends;
  for (int i = 0; i < 12; ++i)
    backends += "  - {name: b" + std::to_string(10 + i) + ", targets: ['a:1']}\n";
  EXPECT_EQ(Errors(Edited({{kBackend, backends}})),
            "c.yaml:10:14: virtual_hosts[0].backend: found 'app'; allowed: a name from backends "
            "(b10, b11, b12, b13, "
            "b14, b15, b16, b17, b18, b19, ...)");
}

TEST(Validate, AcceptsOneServerNameUnderTwoPoliciesOnTwoListeners) {
  Accepted(Edited({{"    hosts: [one]\n",
                    "    hosts: [one]\n  - {name: b, address: '127.0.0.1:1', hosts: [two]}\n"},
                   {"    backend: app\n",
                    "    backend: app\n"
                    "  - {name: two, server_names: [one.example], certificates: [{folder: /t}], "
                    "backend: app, client_auth: {mode: off}}\n"}}));
}

TEST(Validate, AcceptsSeveralListenersOnPortZero) {
  Accepted(Edited(
      {{"127.0.0.1:8443", "127.0.0.1:0"},
       {"    hosts: [one]\n", "    hosts: [one]\n  - {name: b, address: '127.0.0.1:0'}\n"}}));
}

TEST(Validate, AcceptsAnAdminPortOfADisabledAdminServer) {
  Accepted("admin: {address: off}\n" + Edited({{"127.0.0.1:8443", "127.0.0.1:9180"}}));
}

TEST(Validate, ReportsEverythingInOneGo) {
  EXPECT_EQ(
      Errors("workers: x\n" + Edited({{"name: https", "nmae: https"},
                                      {"hosts: [one]", "hosts: [two]"},
                                      {"[one.example]", "[one..example]"},
                                      {kValidAuth, "client_auth: {mode: on, trust: nobody}"},
                                      {"backend: app", "backend: [app]"}})),
      "c.yaml:1:10: workers: found 'x'; allowed: auto, or a whole number from 1 to 1024\n"
      "c.yaml:3:5: listeners[0].nmae: found an unknown field; allowed: address, backlog, "
      "default_host, hosts, "
      "mode, name, unknown_sni; did you mean 'name'?\n"
      "c.yaml:3:5: listeners[0].name: found nothing; allowed: a name of 1 to 128 letters, digits, "
      "'.', '_', '-' "
      "and '*'; the field is required\n"
      "c.yaml:5:13: listeners[0].hosts[0]: found 'two'; allowed: a name from virtual_hosts (one)\n"
      "c.yaml:8:20: virtual_hosts[0].server_names[0]: found 'one..example'; allowed: a DNS name "
      "(www.example.org) or a wildcard for the first label (*.example.org); a label is empty, "
      "above 63 bytes or "
      "has other characters\n"
      "c.yaml:10:25: virtual_hosts[0].client_auth.mode: found 'on'; allowed: off, optional, "
      "optional_no_ca, require\n"
      "c.yaml:10:36: virtual_hosts[0].client_auth.trust: found 'nobody'; allowed: a name from "
      "trusts (clients)\n"
      "c.yaml:11:14: virtual_hosts[0].backend: found a list; allowed: a name of 1 to 128 letters, "
      "digits, '.', "
      "'_', '-' and '*'");
}

TEST(Validate, WarnsOfWhatNothingUses) {
  EXPECT_EQ(
      Warnings(Edited(
          {{"    backend: app\n", kSecondHost},
           {"{name: clients, ca: [/ca.crt]}\n",
            "{name: clients, ca: [/ca.crt]}\n  - {name: others, ca: [/b.crt]}\n"},
           {kBackend, "  - {name: app, targets: ['a:1']}\n  - {name: old, targets: ['b:1']}\n"}})),
      "c.yaml:11:5: virtual_hosts[1]: no listener uses 'two'\n"
      "c.yaml:18:5: trusts[1]: no virtual host uses 'others'\n"
      "c.yaml:21:5: backends[1]: no virtual host uses 'old'\n");
}

TEST(Validate, WarnsOfClientAuthFieldsWithoutEffect) {
  EXPECT_EQ(
      Warnings(
          Edited({{kValidAuth,
                   "client_auth: {mode: off, trust: clients, refusal: alert, max_depth: 1}"}})),
      "c.yaml:9:37: virtual_hosts[0].client_auth.trust: has no effect: client_auth.mode is off\n"
      "c.yaml:9:55: virtual_hosts[0].client_auth.refusal: has no effect: client_auth.mode is off\n"
      "c.yaml:9:73: virtual_hosts[0].client_auth.max_depth: has no effect: client_auth.mode is "
      "off\n");
}

TEST(Validate, WarnsOfAHostThatIsOpenToEveryoneUnlessThatIsSaid) {
  const std::string unused = "c.yaml:11:5: trusts[0]: no virtual host uses 'clients'\n";
  EXPECT_EQ(Warnings(Edited({{"    client_auth: {mode: require, trust: clients}\n", ""}})),
            "c.yaml:6:5: virtual_hosts[0].client_auth: is not there: this host is open to "
            "everyone, with a certificate or without; client_auth: {mode: off} says that it is "
            "meant to be\n" +
                unused);
  EXPECT_EQ(Warnings(Edited({{kValidAuth, "client_auth: {mode: off}"}})),
            "c.yaml:12:5: trusts[0]: no virtual host uses 'clients'\n");
}

TEST(Validate, WarnsOfForgivenClientsOfWhomNoBackendIsTold) {
  const std::string_view forgiving = "client_auth: {mode: optional_no_ca, trust: clients}";
  EXPECT_EQ(Warnings(Edited({{"hosts: [one]", "mode: tcp"}, {kValidAuth, forgiving}})),
            "c.yaml:9:25: virtual_hosts[0].client_auth.mode: lets everyone in on listeners[0] "
            "(line 2), whose mode is tcp: nothing tells the backend who has no CA's word\n");
  EXPECT_EQ(Warnings(Edited({{kValidAuth, forgiving}})), "");
}

TEST(Validate, WarnsOfWhatJudgesNobody) {
  EXPECT_EQ(Warnings(Edited({{kValidAuth,
                              "client_auth: {mode: off, trust: clients, profile: strict, policy: "
                              "{deny: [{ip: '::1'}]}, close_on_change: true}"},
                             {"ca: [/ca.crt]",
                              "ca: [/ca.crt], crl: [/x], revocation: {mode: off, scope: leaf, "
                              "grace: 1s}, ocsp: {mode: off, timeout: 1s}"}})),
            "c.yaml:9:37: virtual_hosts[0].client_auth.trust: has no effect: client_auth.mode is "
            "off\n"
            "c.yaml:9:55: virtual_hosts[0].client_auth.profile: has no effect: client_auth.mode is "
            "off\n"
            "c.yaml:9:71: virtual_hosts[0].client_auth.policy: has no effect: client_auth.mode is "
            "off\n"
            "c.yaml:9:111: virtual_hosts[0].client_auth.close_on_change: has no effect: "
            "client_auth.mode is off\n"
            "c.yaml:12:41: trusts[0].crl: has no effect: revocation.mode is off\n"
            "c.yaml:12:78: trusts[0].revocation.scope: has no effect: revocation.mode is off\n"
            "c.yaml:12:91: trusts[0].revocation.grace: has no effect: revocation.mode is off\n"
            "c.yaml:12:123: trusts[0].ocsp.timeout: has no effect: ocsp.mode is off\n");
}

TEST(Validate, WarnsOfProtocolsThatNobodyIsOffered) {
  EXPECT_EQ(Warnings("tls: {alpn: [x]}\n" + Edited({{kValidAuth,
                                                     "tls: {alpn: [y]}\n    client_auth: {mode: "
                                                     "require, trust: clients}"}})),
            "c.yaml:1:13: tls.alpn: has no effect: http listeners offer http/1.1\n"
            "c.yaml:10:17: virtual_hosts[0].tls.alpn: has no effect: http listeners offer "
            "http/1.1\n");
}

TEST(Validate, WarnsOfSessionsThatOutliveTheirKey) {
  EXPECT_EQ(Warnings(WithTop("tls: {session_lifetime: 3h}\n")),
            "c.yaml:1:25: tls.session_lifetime: sessions end after 2h at most, two of "
            "tickets.slot, and not after 3h\n");
  EXPECT_EQ(Warnings(WithTop("tickets: {slot: 10m}\n")),
            "c.yaml:1:17: tickets.slot: sessions end after 20m at most, two of tickets.slot, and "
            "not after 1h\n");
  EXPECT_EQ(Warnings(WithTop("tickets: {slot: 10m}\ntls: {tickets: false}\n")), "");
}

TEST(Validate, WarnsOfHttpFieldsOnAHostOfTcpListenersOnly) {
  const std::string_view fields =
      "    backend: app\n    identity: none\n    forwarding: off\n    server_tokens: true\n";
  EXPECT_EQ(
      Warnings(Edited({{"hosts: [one]", "mode: tcp"}, {"    backend: app\n", fields}})),
      "c.yaml:11:15: virtual_hosts[0].identity: has no effect: only tcp listeners serve this host\n"
      "c.yaml:12:17: virtual_hosts[0].forwarding: has no effect: only tcp listeners serve this "
      "host\n"
      "c.yaml:13:20: virtual_hosts[0].server_tokens: has no effect: only tcp listeners serve this "
      "host\n");
  EXPECT_EQ(
      Warnings(Edited({{"    hosts: [one]\n", kSecondListener}, {"    backend: app\n", fields}})),
      "");
}

TEST(ApplyDefaults, GivesAListenerAllHostsAndTheFirstAsDefault) {
  const Config config =
      Accepted(Edited({{"    hosts: [one]\n", ""}, {"    backend: app\n", kSecondHost}}));
  ASSERT_EQ(config.listeners.size(), 1u);
  EXPECT_EQ(config.listeners[0].hosts, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(config.listeners[0].default_host, "one");
}

TEST(ApplyDefaults, RefusesByAlertWhereOnlyTcpListenersServe) {
  EXPECT_EQ(
      Accepted(Edited({{"hosts: [one]", "mode: tcp"}})).virtual_hosts.at(0).client_auth.refusal,
      Refusal::kAlert);
  const Config both = Accepted(Edited({{"    hosts: [one]\n", kSecondListener}}));
  EXPECT_EQ(both.virtual_hosts.at(0).client_auth.refusal, Refusal::kHttp);
}

TEST(Validate, JudgesAConfigThatWasNotReadFromText) {
  Config config;
  Listener listener;
  listener.name = "https";
  listener.address = "127.0.0.1:0";
  listener.hosts = {"a", "b"};
  listener.default_host = "a";
  config.listeners.push_back(listener);
  VirtualHost host;
  host.name = "a";
  host.backend = "gone";
  host.client_auth.mode = AuthMode::kRequire;
  config.virtual_hosts.push_back(host);
  Diagnostics diagnostics("built");
  Validate(config, SourceMap(), diagnostics);
  EXPECT_EQ(std::string(diagnostics.ToStatus().message()),
            "built:1:1: listeners[0].hosts[1]: found 'b'; allowed: a name from virtual_hosts (a); "
            "did you mean 'a'?\n"
            "built:1:1: virtual_hosts[0].backend: found 'gone'; allowed: a name from backends, of "
            "which there are none\n"
            "built:1:1: virtual_hosts[0].client_auth.trust: found nothing; allowed: the name of a "
            "trust; client_auth "
            "needs to know whose certificates to accept");
}

}  // namespace
}  // namespace portcullis::config
