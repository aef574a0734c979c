#include "core/config/describe.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/core/config/sample.h"

namespace portcullis::config {
namespace {

constexpr std::string_view kProcess =
    "workers: one a usable core, pinned\n"
    "admin: 127.0.0.1:9180\n"
    "log: messages from info up on stderr; connections to stdout; the last 32 rejections of each "
    "reason kept\n"
    "timeouts: handshake 10s, request head 15s, idle 1m, write stall 30s, response 1m, drain 10s, "
    "lapse 1s\n"
    "limits: 16384 connections, 4096 handshakes in progress, request head 32KiB and 128 headers, "
    "client chain 64KiB; 8192 chains remembered a worker\n"
    "tickets: a random secret of this process, a key for 1h\n"
    "reload: however many clients it refuses\n";

TEST(Describe, SaysWhatTheSampleWouldRun) {
  EXPECT_EQ(Describe(Accepted(kSample)),
            std::string(kProcess) +
                "listener https: 127.0.0.1:8443, http, backlog 4096\n"
                "  without SNI: one; with an unknown one: one\n"
                "  host one: one.example\n"
                "    TLS 1.2 to 1.3, ciphers default, groups default, tickets for 1h\n"
                "    certificate /tls/tls.crt, key /tls/tls.key\n"
                "    client certificates: required, trust clients, at most 8 intermediates, "
                "refused by an HTTP 400 page\n"
                "    identity headers: ingress-nginx; forwarding headers: x-forwarded\n"
                "    backend app\n"
                "trust clients\n"
                "  CA /ca.crt\n"
                "  revocation is not checked\n"
                "backend app: connect within 3s, keep up to 32 idle connections a target and "
                "worker for 30s\n"
                "  target 127.0.0.1:80\n");
}

TEST(Describe, SaysWhatDiffersFromTheDefaults) {
  const std::string text = Describe(Accepted(
      "workers: 3\npin_workers: false\nadmin: {address: off}\ntls: {min_version: "
      "1.3, groups: [P-256], tickets: false, key_provider: builtin, sign_on_helper: always}\n" +
      Edited({{"hosts: [one]", "mode: tcp\n    unknown_sni: refuse"},
              {"ca: [/ca.crt]", "ca: [/ca.crt], crl: [/ca.crl]"},
              {"client_auth: {mode: require, trust: clients}",
               "client_auth: {mode: optional, trust: clients, max_depth: 1, "
               "send_ca_names: false}"}})));
  EXPECT_NE(text.find("workers: 3, not pinned\nadmin: off\n"), std::string::npos) << text;
  EXPECT_NE(text.find("listener https: 127.0.0.1:8443, tcp, backlog 4096\n"
                      "  without SNI: one; with an unknown one: refused\n"),
            std::string::npos)
      << text;
  EXPECT_NE(
      text.find("    TLS 1.3, ciphers default, groups P-256, no tickets, key provider builtin, "
                "signatures on a helper thread\n"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("    client certificates: optional, trust clients, at most 1 intermediates, "
                      "refused by a TLS alert, "
                      "CA names not sent\n    backend app\n"),
            std::string::npos)
      << text;
  EXPECT_NE(
      text.find("  CA /ca.crt\n  CRL /ca.crl\n  revocation by CRL: soft, chain, grace 0s\nbackend"),
      std::string::npos)
      << text;
}

TEST(Describe, SaysHowClientsAreJudged) {
  const std::string text = Describe(Accepted(
      "tickets: {secret_file: /s, slot: 2h}\nreload: {refuse_over: 5%}\n"
      "tls: {alpn: [postgresql, x]}\n" +
      Edited({{"hosts: [one]", "mode: tcp"},
              {"ca: [/ca.crt]",
               "ca: [/ca.crt], intermediates: [/i.crt], crl: [/ca.crl], "
               "intermediates_as_anchors: false, revocation: {mode: require, scope: leaf, grace: "
               "1h}, ocsp: {mode: soft, responder: 'http://ocsp.example/'}"},
              {"client_auth: {mode: require, trust: clients}",
               "client_auth: {mode: optional, trust: clients, profile: strict, send_ca_names: "
               "true, close_on_change: false, policy: {allow: [{name: ops, common_name: [alice, "
               "bob], organization: Acme}], deny: [{serial: 0a}]}}"}})));
  for (const char* part :
       {"tickets: secret /s, a key for 2h\n",
        "reload: only if it refuses at most 5% of the clients seen lately\n",
        "groups default, ALPN postgresql x, tickets for 1h\n",
        "optional, trust clients, strict, at most 8 intermediates, refused by a TLS alert, CA "
        "names "
        "sent as far as they fit, live connections stay on changes\n"
        "    policy: deny serial 0a\n"
        "    policy: allow (ops) common_name alice or bob, and organization Acme\n",
        "  intermediates /i.crt\n  only self-signed CAs are anchors\n  CRL /ca.crl\n"
        "  revocation by CRL: require, leaf, grace 1h\n"
        "  revocation by OCSP: soft, http://ocsp.example/, within 2s\n"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "in:\n" << text;
  }
}

TEST(Describe, SaysWhenClientsAreNotAsked) {
  const std::string yaml =
      Edited({{"client_auth: {mode: require, trust: clients}", "client_auth: {mode: off}"},
              {"trusts:\n  - {name: clients, ca: [/ca.crt]}\n", ""}});
  EXPECT_NE(Describe(Accepted(yaml)).find("    client certificates: not asked for\n"),
            std::string::npos);
}

TEST(Describe, IsTheSameEachTime) {
  EXPECT_EQ(Describe(Accepted(kSample)), Describe(Accepted(kSample)));
}

}  // namespace
}  // namespace portcullis::config
