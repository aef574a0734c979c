// Contexts are shared by hosts that are alike, and what they differ in stays their own.
#include "tls/context_set.h"

#include <memory>
#include <string>
#include <vector>

#include "tests/tls/engine_fixture.h"

namespace portcullis::tls {
namespace {

using testing::EngineTest;
using testing::MakeCredential;
using testing::MakeLeaf;
using testing::Pair;
using testing::TestHosts;

using ContextSetTest = EngineTest;

TEST_F(ContextSetTest, HostsThatAreAlikeShareTheirContext) {
  HostSpec a = Host("a.example", ClientAuthMode::kRequire);
  HostSpec b = Host("b.example", ClientAuthMode::kOptional);
  HostSpec nameless = Host("c.example", ClientAuthMode::kRequire);
  nameless.client_auth.ca_names = CaNames::kNone;
  HostSpec off = Host("d.example", ClientAuthMode::kOff);
  HostSpec ciphers = Host("e.example", ClientAuthMode::kOff);
  ciphers.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
  HostSpec certificate = Host("f.example", ClientAuthMode::kOff);
  certificate.credentials = {MakeCredential(MakeLeaf(server_root_, {}))};
  TestHosts hosts({a, b, nameless, off, ciphers, certificate});
  std::vector<const SSL_CTX*> contexts;
  for (const auto& host : hosts.table().hosts()) contexts.push_back(host->contexts[0].get());
  EXPECT_EQ(contexts[0], contexts[1]);
  EXPECT_EQ(contexts[2], contexts[3]);
  EXPECT_NE(contexts[0], contexts[2]);
  EXPECT_NE(contexts[3], contexts[4]);
  EXPECT_NE(contexts[3], contexts[5]);
  EXPECT_EQ(hosts.table().hosts()[0]->verifier, hosts.table().hosts()[1]->verifier);
}

TEST_F(ContextSetTest, SharingAContextIsNotSharingSettings) {
  HostSpec a = Host("a.example", ClientAuthMode::kRequire);
  a.alpn = {"http/1.1"};
  HostSpec b = Host("b.example", ClientAuthMode::kOptional);
  b.max_version = TLS1_2_VERSION;
  TestHosts hosts({a, b});
  ASSERT_EQ(hosts.table().hosts()[0]->contexts[0].get(),
            hosts.table().hosts()[1]->contexts[0].get());
  testing::ClientOptions options;
  options.certificate = &client_;
  options.alpn = {"http/1.1"};
  options.sni = "a.example";
  Pair first(hosts.table(), options);
  ASSERT_EQ(first.Handshake(), HandshakeStatus::kDone);
  EXPECT_EQ(first.engine().alpn(), "http/1.1");
  EXPECT_EQ(first.engine().version(), "TLSv1.3");
  options.sni = "b.example";
  options.certificate = nullptr;
  Pair second(hosts.table(), options);
  ASSERT_EQ(second.Handshake(), HandshakeStatus::kDone);
  EXPECT_EQ(second.engine().alpn(), "");
  EXPECT_EQ(second.engine().version(), "TLSv1.2");
  options.sni = "a.example";
  Pair third(hosts.table(), options);
  EXPECT_EQ(third.Handshake(), HandshakeStatus::kFailed);
}

}  // namespace
}  // namespace portcullis::tls
