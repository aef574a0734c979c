// listeners and backends (and what trusts share with them): each field's default, an explicit
// value, and what it refuses.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/core/config/sample.h"

namespace portcullis::config {
namespace {

TEST(Listener, HasDefaults) {
  const Config config = Accepted(Edited({{"    hosts: [one]\n", ""}}));
  ASSERT_EQ(config.listeners.size(), 1u);
  const Listener& listener = config.listeners[0];
  EXPECT_EQ(listener.mode, StageMode::kHttp);
  EXPECT_EQ(listener.hosts, std::vector<std::string>{"one"});
  EXPECT_EQ(listener.default_host, "one");
  EXPECT_FALSE(listener.refuse_unknown_sni);
  EXPECT_EQ(listener.backlog, 4096u);
}

TEST(Listener, TakesItsValues) {
  const Config config = Accepted(Edited({{"    hosts: [one]\n",
                                          "    hosts: [one]\n    mode: tcp\n    default_host: "
                                          "one\n    unknown_sni: refuse\n    backlog: 128\n"}}));
  ASSERT_EQ(config.listeners.size(), 1u);
  const Listener& listener = config.listeners[0];
  EXPECT_EQ(listener.name, "https");
  EXPECT_EQ(listener.address, "127.0.0.1:8443");
  EXPECT_EQ(listener.mode, StageMode::kTcp);
  EXPECT_EQ(listener.hosts, std::vector<std::string>{"one"});
  EXPECT_EQ(listener.default_host, "one");
  EXPECT_TRUE(listener.refuse_unknown_sni);
  EXPECT_EQ(listener.backlog, 128u);
  EXPECT_EQ(listener.where.line, 2);
  EXPECT_EQ(listener.where.column, 5);
  EXPECT_FALSE(
      Accepted(Edited({{"hosts: [one]", "unknown_sni: default"}})).listeners[0].refuse_unknown_sni);
  EXPECT_EQ(Accepted(Edited({{"hosts: [one]", "mode: http"}})).listeners[0].mode, StageMode::kHttp);
}

TEST(Backend, HasDefaults) {
  const Config config = Accepted(kSample);
  ASSERT_EQ(config.backends.size(), 1u);
  EXPECT_EQ(config.backends[0].connect_timeout, milliseconds(3'000));
  EXPECT_EQ(config.backends[0].max_idle_per_target, 32u);
  EXPECT_EQ(config.backends[0].keepalive_timeout, milliseconds(30'000));
}

TEST(Backend, TakesItsValues) {
  const Config config = Accepted(Edited(
      {{"  - {name: app, targets: [\"127.0.0.1:80\"]}\n",
        "  - name: app\n    targets: ['[::1]:1', app.svc:65535, 'unix:/run/a b.sock']\n"
        "    connect_timeout: 5m\n    max_idle_per_target: 0\n    keepalive_timeout: 1ms\n"}}));
  ASSERT_EQ(config.backends.size(), 1u);
  const Backend& backend = config.backends[0];
  EXPECT_EQ(backend.name, "app");
  ASSERT_EQ(backend.targets.size(), 3u);
  EXPECT_EQ(backend.targets[0].address, "[::1]:1");
  EXPECT_EQ(backend.targets[1].address, "app.svc:65535");
  EXPECT_EQ(backend.targets[2].address, "unix:/run/a b.sock");
  EXPECT_EQ(backend.targets[2].where.line, 15);
  EXPECT_EQ(backend.targets[2].where.column, 41);
  EXPECT_EQ(backend.connect_timeout, std::chrono::minutes(5));
  EXPECT_EQ(backend.max_idle_per_target, 0u);
  EXPECT_EQ(backend.keepalive_timeout, milliseconds(1));
  EXPECT_EQ(backend.where.line, 14);
}

struct BadRoute {
  std::string_view from;  // in the sample
  std::string_view to;
  std::string_view errors;  // in full
};

class BadRoutes : public testing::TestWithParam<BadRoute> {};

TEST_P(BadRoutes, AreRefusedInFull) {
  EXPECT_EQ(Errors(Edited({{GetParam().from, GetParam().to}})), GetParam().errors);
}

const BadRoute kBadRoutes[] = {
    {"- name: https\n    address", "- address",
     "c.yaml:2:5: listeners[0].name: found nothing; allowed: a name of 1 to 128 letters, digits, "
     "'.', '_', '-' and "
     "'*'; the field is required"},
    {"name: https", "name: ''",
     "c.yaml:2:11: listeners[0].name: found ''; allowed: a name of 1 to 128 letters, digits, '.', "
     "'_', '-' and '*'; it "
     "is empty"},
    {"    address: 127.0.0.1:8443\n", "",
     "c.yaml:2:5: listeners[0].address: found nothing; allowed: IPv4:port, [IPv6]:port or *:port, "
     "port 0 to 65535; the "
     "field is required"},
    {"127.0.0.1:8443", "127.0.0.1:84430",
     "c.yaml:3:14: listeners[0].address: found '127.0.0.1:84430'; allowed: IPv4:port, [IPv6]:port "
     "or *:port, port 0 to "
     "65535; the port is above 65535"},
    {"127.0.0.1:8443", "unix:/run/x.sock",
     "c.yaml:3:14: listeners[0].address: found 'unix:/run/x.sock'; allowed: IPv4:port, [IPv6]:port "
     "or *:port, port 0 "
     "to 65535; only backend targets can be Unix sockets"},
    {"hosts: [one]", "mode: htpp",
     "c.yaml:4:11: listeners[0].mode: found 'htpp'; allowed: http, tcp; did you mean 'http'?"},
    {"hosts: [one]", "hosts: []",
     "c.yaml:4:12: listeners[0].hosts: found an empty list; allowed: a list of one or more"},
    {"hosts: [one]",
     "hosts:", "c.yaml:4:5: listeners[0].hosts: found nothing; allowed: a list of one or more"},
    {"hosts: [one]", "unknown_sni: drop",
     "c.yaml:4:18: listeners[0].unknown_sni: found 'drop'; allowed: default, refuse"},
    {"hosts: [one]", "backlog: 0",
     "c.yaml:4:14: listeners[0].backlog: found '0'; allowed: a whole number from 1 to 65535"},
    {"hosts: [one]", "adress: x",
     "c.yaml:4:5: listeners[0].adress: found an unknown field; allowed: address, backlog, "
     "default_host, hosts, mode, "
     "name, unknown_sni; did you mean 'address'?"},
    {"hosts: [one]", "address: 127.0.0.1:1",
     "c.yaml:4:5: listeners[0].address: found the field a second time, the first in line 3; "
     "allowed: each field once"},
    {"{name: clients, ca: [/ca.crt]}", "{name: clients}",
     "c.yaml:12:5: trusts[0].ca: found nothing; allowed: a list of files with CA certificates, or "
     "folder with ca.crt "
     "in it; the field is required"},
    {"{name: clients, ca: [/ca.crt]}", "{name: clients, ca: /ca.crt}",
     "c.yaml:12:25: trusts[0].ca: found '/ca.crt'; allowed: a list of one or more; write it as '- "
     "item' or [item]"},
    {"{name: clients, ca: [/ca.crt]}", "{name: clients, ca: [/ca.crt, {}]}",
     "c.yaml:12:35: trusts[0].ca[1]: found a mapping; allowed: text on one line"},
    {"{name: clients, ca: [/ca.crt]}", "{name: clients, ca: [/ca.crt], crls: [x]}",
     "c.yaml:12:36: trusts[0].crls: found an unknown field; allowed: ca, crl, folder, "
     "intermediates, intermediates_as_anchors, name, ocsp, revocation; did "
     "you mean 'crl'?"},
    {"targets: [\"127.0.0.1:80\"]", "targets: []",
     "c.yaml:14:26: backends[0].targets: found an empty list; allowed: a list of one or more"},
    {", targets: [\"127.0.0.1:80\"]", "",
     "c.yaml:14:5: backends[0].targets: found nothing; allowed: a list of addresses; the field is "
     "required"},
    {"\"127.0.0.1:80\"", "127.0.0.1:0",
     "c.yaml:14:27: backends[0].targets[0]: found '127.0.0.1:0'; allowed: IPv4:port, [IPv6]:port, "
     "name:port (port 1 to "
     "65535) or unix:/path; port 0 cannot be connected to"},
    {"\"127.0.0.1:80\"", "'unix:run/app.sock'",
     "c.yaml:14:27: backends[0].targets[0]: found 'unix:run/app.sock'; allowed: IPv4:port, "
     "[IPv6]:port, name:port (port "
     "1 to 65535) or unix:/path; the path of a Unix socket must be absolute"},
    {"{name: app,", "{name: app, connect_timeout: 0s,",
     "c.yaml:14:34: backends[0].connect_timeout: found '0s'; allowed: a duration such as 250ms, "
     "10s, 2m or 1h, from "
     "1ms to 5m"},
    {"{name: app,", "{name: app, max_idle_per_target: -1,",
     "c.yaml:14:38: backends[0].max_idle_per_target: found '-1'; allowed: a whole number from 0 to "
     "65535"},
    {"{name: app,", "{name: app, keepalive_timeout: never,",
     "c.yaml:14:36: backends[0].keepalive_timeout: found 'never'; allowed: a duration such as "
     "250ms, 10s, 2m or 1h, "
     "from 1ms to 24h"},
    {"{name: app,", "{name: app, target: x,",
     "c.yaml:14:17: backends[0].target: found an unknown field; allowed: connect_timeout, "
     "keepalive_timeout, "
     "max_idle_per_target, name, targets; did you mean 'targets'?"},
};

INSTANTIATE_TEST_SUITE_P(Table, BadRoutes, testing::ValuesIn(kBadRoutes));

}  // namespace
}  // namespace portcullis::config
