#include "core/server/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/core/server/config_folder.h"
#include "tls/host_context.h"

namespace portcullis::server {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using tls::testing::kDay;
using tls::testing::kNow;
using tls::testing::MakeCrlPem;
using tls::testing::MakeRoot;

class SnapshotTest : public ::testing::Test {
 protected:
  [[nodiscard]] absl::StatusOr<std::shared_ptr<const Snapshot>> Load() const {
    return LoadSnapshot(folder_.path("portcullis.yaml"), kNow);
  }
  [[nodiscard]] std::shared_ptr<const Snapshot> Loaded() const {
    auto snapshot = Load();
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    return snapshot.ok() ? *std::move(snapshot) : nullptr;
  }
  [[nodiscard]] std::string Error() const { return std::string(Load().status().message()); }
  [[nodiscard]] std::unique_ptr<connection::Runtime> Built(
      const std::shared_ptr<const Snapshot>& snapshot) {
    RuntimeParameters parameters{.version = 7,
                                 .num_workers = 4,
                                 .worker_capacity = 100,
                                 .listener_ports = {},
                                 .ticket_secret = tls::TicketSecret::Random(60)};
    for (size_t i = 0; i < snapshot->listeners.size(); ++i) {
      parameters.listener_ports.push_back(static_cast<uint16_t>(1000 + i));
    }
    auto runtime = BuildRuntime(snapshot, parameters, shards_);
    EXPECT_TRUE(runtime.ok()) << runtime.status();
    return runtime.ok() ? *std::move(runtime) : nullptr;
  }

  ConfigFolder folder_;
  metrics::ShardSet shards_{1, {{.name = "none", .judges_certificate = false}}};
};

TEST_F(SnapshotTest, LoadsWhatTheConfigurationNames) {
  const auto snapshot = Loaded();
  ASSERT_NE(snapshot, nullptr);
  EXPECT_THAT(snapshot->warnings, IsEmpty());
  ASSERT_THAT(snapshot->listeners, SizeIs(1));
  ASSERT_THAT(snapshot->listeners[0].hosts, SizeIs(1));
  const tls::HostSpec& host = *snapshot->listeners[0].hosts[0];
  EXPECT_EQ(host.name, "one");
  EXPECT_THAT(host.server_names, ElementsAre("one.example"));
  EXPECT_THAT(host.alpn, ElementsAre("http/1.1"));
  EXPECT_EQ(host.client_auth.mode, tls::ClientAuthMode::kRequire);
  EXPECT_EQ(host.client_auth.refusal, tls::RefusalStyle::kHttp);
  EXPECT_EQ(host.client_auth.trust, snapshot->trusts.at("clients"));
  EXPECT_EQ(host.client_auth.policy, nullptr);
  ASSERT_THAT(snapshot->certificates, SizeIs(2));
  EXPECT_EQ(snapshot->certificates[0].kind, metrics::CertificateKind::kCa);
  EXPECT_EQ(snapshot->certificates[0].name, "clients");
  EXPECT_EQ(snapshot->certificates[1].kind, metrics::CertificateKind::kServer);
  EXPECT_EQ(snapshot->certificates[1].name, "one");
  EXPECT_THAT(snapshot->backend_targets, SizeIs(1));
  EXPECT_EQ(snapshot->ticket_secret, nullptr);
}

TEST_F(SnapshotTest, RsaKeysSignAsTheHostWishesAndOthersByBoringSsl) {
  folder_.Edit("limits: {}", "tls: {key_provider: builtin, sign_on_helper: always}");
  const auto elliptic = Loaded();
  ASSERT_NE(elliptic, nullptr);
  EXPECT_TRUE(elliptic->listeners[0].hosts[0]->credentials[0].sign_on_helper);
  EXPECT_THAT(elliptic->notes, IsEmpty());

  const auto server = tls::testing::MakeLeaf(
      folder_.root(), {.common_name = "one.example", .key = tls::testing::TestKey::kRsa2048});
  folder_.Write("tls.crt", server.Pem());
  folder_.Write("tls.key", server.KeyPem());
  const auto builtin = Loaded();
  ASSERT_NE(builtin, nullptr);
  EXPECT_EQ(builtin->listeners[0].hosts[0]->credentials[0].key_provider,
            tls::KeyProvider::kBuiltin);
  EXPECT_NE(Built(builtin), nullptr);

  folder_.Edit("key_provider: builtin, sign_on_helper: always", "sign_on_helper: never");
  const auto chosen = Loaded();
  ASSERT_NE(chosen, nullptr);
  EXPECT_FALSE(chosen->listeners[0].hosts[0]->credentials[0].sign_on_helper);
  EXPECT_THAT(chosen->notes, ElementsAre(HasSubstr("RSA-2048 keys: a signature takes")));
  EXPECT_THAT(Loaded()->notes, IsEmpty()) << "measured once";
  EXPECT_NE(Built(chosen), nullptr);
}

TEST_F(SnapshotTest, CollectsEveryProblemWithItsPlace) {
  folder_.Write("tls.key", "no key");
  std::filesystem::remove(folder_.path("ca.crt"));
  folder_.Edit("limits: {}", "tickets: {secret_file: short}");
  folder_.Write("short", "abc");
  const std::string error = Error();
  EXPECT_THAT(error, AllOf(HasSubstr("portcullis.yaml:13:25: trusts[0].ca: cannot read '"),
                           HasSubstr("/ca.crt'")));
  EXPECT_THAT(error, HasSubstr("portcullis.yaml:9:20: virtual_hosts[0].certificates[0]: "));
  EXPECT_THAT(error, HasSubstr("portcullis.yaml:1:24: tickets.secret_file: '"));
  EXPECT_THAT(error, HasSubstr("/short': a ticket secret of 3 bytes"));
  EXPECT_THAT(error, Not(HasSubstr("abc")));
}

TEST_F(SnapshotTest, AMissingFileIsNamedWithTheFieldThatNamesIt) {
  folder_.Edit("certificates: [{folder: .}]", "certificates: [{certificate: no.crt, key: no.key}]");
  EXPECT_THAT(Error(), AllOf(HasSubstr("yaml:9:34: virtual_hosts[0].certificates[0].certificate: "),
                             HasSubstr("yaml:9:47: virtual_hosts[0].certificates[0].key: ")));
  folder_.Edit("certificate: no.crt, key: no.key", "folder: no");
  EXPECT_THAT(Error(),
              HasSubstr("yaml:9:29: virtual_hosts[0].certificates[0].folder: cannot read"));
}

TEST_F(SnapshotTest, WhatTheLibraryDoesNotKnowIsNamedAtItsHost) {
  folder_.Edit("    backend: app\n",
               "    backend: app\n    tls: {ciphers: NONSENSE, groups: [X25519MLKEM768]}\n");
  EXPECT_THAT(Error(), AllOf(HasSubstr("yaml:12:20: virtual_hosts[0].tls.ciphers: "),
                             HasSubstr("\"NONSENSE\" is not understood")));
  if (tls::GroupList({"X25519MLKEM768"}).ok()) return;  // this build's library has it
  EXPECT_THAT(Error(), AllOf(HasSubstr("yaml:12:38: virtual_hosts[0].tls.groups: "),
                             HasSubstr("group \"X25519MLKEM768\" is not known")));
}

TEST_F(SnapshotTest, WhatHostsHaveFromTheTopIsNamedThereOnce) {
  folder_.Edit("limits: {}\n", "tls: {ciphers: NONSENSE}\n");
  folder_.Edit("virtual_hosts:\n",
               "virtual_hosts:\n  - {server_names: [two.example], certificates: [{folder: .}], "
               "backend: app}\n");
  EXPECT_THAT(Error(), HasSubstr("portcullis.yaml:1:16: tls.ciphers: "));
  EXPECT_THAT(Error(), Not(HasSubstr("\n"))) << "two hosts, one mistake";
}

TEST_F(SnapshotTest, AConfigurationThatDoesNotParseIsTheOnlyProblem) {
  folder_.Edit("mode: require", "mode: reqiure");
  EXPECT_THAT(Error(), AllOf(HasSubstr("portcullis.yaml:10:25: virtual_hosts[0].client_auth.mode"),
                             HasSubstr("did you mean 'require'?")));
}

TEST_F(SnapshotTest, WarnsOfWhatIsExpired) {
  const auto server =
      tls::testing::MakeLeaf(folder_.root(), {.common_name = "old", .not_after = kNow - kDay});
  folder_.Write("tls.crt", server.Pem());
  folder_.Write("tls.key", server.KeyPem());
  const auto old = MakeRoot({.common_name = "old root", .not_after = kNow - 1});
  folder_.Write("ca.crt", folder_.root().Pem() + old.Pem());
  const auto snapshot = Loaded();
  ASSERT_NE(snapshot, nullptr);
  ASSERT_THAT(snapshot->warnings, SizeIs(2));
  EXPECT_THAT(snapshot->warnings[0],
              AllOf(HasSubstr("portcullis.yaml:13:5: trusts[0]: trust 'clients': CA '"),
                    HasSubstr("CN=old root"), HasSubstr("expired")));
  EXPECT_THAT(snapshot->warnings[1], AllOf(HasSubstr("/tls.crt"), HasSubstr("expired")));
}

TEST_F(SnapshotTest, TakesCasAndCrlsFromFolders) {
  std::filesystem::create_directory(folder_.path("cas"));
  std::filesystem::create_directory(folder_.path("crls"));
  const auto other = MakeRoot({.common_name = "other"});
  folder_.Write("cas/b.pem", other.Pem());
  folder_.Write("cas/a.crt", folder_.root().Pem());
  folder_.Write("cas/notes.txt", "no certificate");
  folder_.Write("crls/a.crl", MakeCrlPem(folder_.root(), {1}));
  folder_.Write("crls/b.pem", MakeCrlPem(other, {2}, {.next_update = kNow + kDay}));
  folder_.Edit("ca: [ca.crt]", "ca: [cas], crl: [crls]");
  const auto snapshot = Loaded();
  ASSERT_NE(snapshot, nullptr);
  EXPECT_THAT(snapshot->trusts.at("clients")->cas, SizeIs(2));
  ASSERT_THAT(snapshot->crls, SizeIs(2));
  EXPECT_EQ(snapshot->crls[0].trust, "clients");
  EXPECT_EQ(snapshot->crls[0].issuer, "CN=root");
  EXPECT_EQ(snapshot->crls[0].next_update, kNow + 30 * kDay);
  EXPECT_EQ(snapshot->crls[1].issuer, "CN=other");
  EXPECT_EQ(snapshot->crls[1].next_update, kNow + kDay);
}

// A CA and its renewed twin expire at different times.
TEST_F(SnapshotTest, CasOfOneSubjectAreToldApartBySerial) {
  const auto twin = MakeRoot({.common_name = "root", .not_after = kNow + kDay, .serial = 0xabc});
  folder_.Write("ca.crt", folder_.root().Pem() + twin.Pem());
  const auto snapshot = Loaded();
  ASSERT_NE(snapshot, nullptr);
  ASSERT_THAT(snapshot->certificates, SizeIs(3));
  EXPECT_EQ(snapshot->certificates[0].subject, snapshot->certificates[1].subject);
  EXPECT_NE(snapshot->certificates[0].serial, "");
  EXPECT_NE(snapshot->certificates[0].serial, "0ABC");
  EXPECT_EQ(snapshot->certificates[1].serial, "0ABC");
  EXPECT_EQ(snapshot->certificates[1].not_after, kNow + kDay);
}

TEST_F(SnapshotTest, WarnsOfACrlThatNobodyKnownSigned) {
  folder_.Write("x.crl", MakeCrlPem(folder_.other_root(), {1}));
  folder_.Edit("ca: [ca.crt]", "ca: [ca.crt], crl: [x.crl]");
  const auto snapshot = Loaded();
  ASSERT_NE(snapshot, nullptr);
  EXPECT_THAT(snapshot->warnings,
              ElementsAre(AllOf(HasSubstr("CRL of 'CN=other root'"), HasSubstr("x.crl"))));
  EXPECT_THAT(snapshot->crls, IsEmpty());
}

TEST_F(SnapshotTest, AStaleCrlIsWarnedOfAndStaysInTheMetrics) {
  folder_.Write("x.crl", MakeCrlPem(folder_.root(), {1}, {.next_update = kNow - 1}));
  folder_.Edit("ca: [ca.crt]", "ca: [ca.crt], crl: [x.crl]");
  const auto snapshot = Loaded();
  ASSERT_NE(snapshot, nullptr);
  EXPECT_THAT(snapshot->warnings, ElementsAre(HasSubstr("stale")));
  ASSERT_THAT(snapshot->crls, SizeIs(1));
  EXPECT_EQ(snapshot->crls[0].next_update, kNow - 1);
}

TEST_F(SnapshotTest, HowATrustIsAskedReachesTheTrust) {
  folder_.Write("ca.crl", MakeCrlPem(folder_.root(), {1}));
  folder_.Edit("ca: [ca.crt]",
               "ca: [ca.crt], crl: [ca.crl], revocation: {mode: require, scope: leaf, grace: 1h}, "
               "intermediates_as_anchors: false");
  const auto snapshot = Loaded();
  ASSERT_NE(snapshot, nullptr);
  const tls::TrustMaterial& trust = *snapshot->trusts.at("clients");
  EXPECT_EQ(trust.revocation_spec.mode, tls::RevocationMode::kRequire);
  EXPECT_EQ(trust.revocation_spec.scope, tls::RevocationScope::kLeaf);
  EXPECT_EQ(trust.revocation_spec.grace_s, 3600);
  EXPECT_FALSE(snapshot->listeners[0].hosts[0]->client_auth.intermediates_as_anchors);
}

TEST_F(SnapshotTest, TheTrustKnowsWhomToAsk) {
  folder_.Edit("ca: [ca.crt]",
               "ca: [ca.crt], ocsp: {mode: require, responder: 'http://a/', timeout: 1s}");
  const auto snapshot = LoadSnapshot(folder_.path("portcullis.yaml"), kNow);
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  const tls::OcspSpec& spec = (*snapshot)->trusts.at("clients")->ocsp_spec;
  EXPECT_EQ(spec.mode, tls::OcspMode::kRequire);
  EXPECT_EQ(spec.responder_url, "http://a/");
  EXPECT_EQ(spec.timeout_ms, 1000U);
}

TEST_F(SnapshotTest, PoliciesAreCompiledOnceAHost) {
  folder_.Edit("trust: clients}",
               "trust: clients, profile: strict, send_ca_names: true, "
               "close_on_change: false, pass_certificate: true, "
               "policy: {deny: [{common_name: mallory}]}}");
  folder_.Edit("    hosts: [one]\n",
               "    hosts: [one]\n  - {name: raw, address: '127.0.0.1:0', mode: tcp}\n");
  folder_.Edit("    backend: app\n", "    tls: {alpn: [x, y]}\n    backend: app\n");
  const auto snapshot = Loaded();
  ASSERT_NE(snapshot, nullptr);
  ASSERT_THAT(snapshot->listeners, SizeIs(2));
  const tls::HostSpec& http = *snapshot->listeners[0].hosts[0];
  const tls::HostSpec& tcp = *snapshot->listeners[1].hosts[0];
  ASSERT_NE(http.client_auth.policy, nullptr);
  EXPECT_EQ(http.client_auth.policy, tcp.client_auth.policy);
  tls::PeerIdentity mallory;
  mallory.common_names = {"mallory"};
  EXPECT_FALSE(http.client_auth.policy->Evaluate(mallory).allowed);
  EXPECT_EQ(http.client_auth.profile, tls::Profile::kStrict);
  EXPECT_EQ(http.client_auth.ca_names, tls::CaNames::kFit);
  EXPECT_FALSE(http.client_auth.close_on_change);
  EXPECT_TRUE(http.client_auth.keep_leaf);
  EXPECT_FALSE(tcp.client_auth.keep_leaf) << "raw TCP passes no certificate on";
  EXPECT_EQ(tcp.client_auth.refusal, tls::RefusalStyle::kAlert);
  EXPECT_THAT(http.alpn, ElementsAre("http/1.1"));
  EXPECT_THAT(tcp.alpn, ElementsAre("x", "y"));
}

TEST_F(SnapshotTest, TheTicketSecretIsThatOfTheFile) {
  const std::string bytes = "0123456789abcdef0123456789ABCDEF";
  folder_.Write("secret", bytes);
  ASSERT_EQ(chmod(folder_.path("secret").c_str(), 0600), 0);
  folder_.Edit("limits: {}", "tickets: {secret_file: secret, slot: 30m}");
  const auto snapshot = Loaded();
  ASSERT_NE(snapshot, nullptr);
  ASSERT_NE(snapshot->ticket_secret, nullptr);
  EXPECT_EQ(snapshot->ticket_secret->bytes, (*tls::TicketSecret::FromBytes(bytes, 1))->bytes);
  EXPECT_EQ(snapshot->ticket_secret->slot_seconds, 1800U);
  EXPECT_THAT(snapshot->warnings, IsEmpty());
  ASSERT_EQ(chmod(folder_.path("secret").c_str(), 0644), 0);
  EXPECT_THAT(Loaded()->warnings,
              ElementsAre(AllOf(HasSubstr("portcullis.yaml:1:24: tickets.secret_file: '"),
                                HasSubstr("can be read by others than its owner"))));
}

TEST_F(SnapshotTest, ARuntimeHasAWorkersShare) {
  folder_.Edit("limits: {}", "limits: {max_connections: 10, max_handshakes: 6}");
  const auto snapshot = Loaded();
  ASSERT_NE(snapshot, nullptr);
  const auto runtime = Built(snapshot);
  ASSERT_NE(runtime, nullptr);
  EXPECT_EQ(runtime->version, 7U);
  EXPECT_EQ(runtime->max_connections, 3U) << "10 among 4 workers, rounded up";
  EXPECT_EQ(runtime->max_handshakes, 2U);
  ASSERT_THAT(runtime->backends, SizeIs(1));
  ASSERT_THAT(runtime->listeners, SizeIs(1));
  const connection::ListenerRuntime& listener = *runtime->listeners[0];
  EXPECT_EQ(listener.name, "https");
  EXPECT_EQ(listener.port, 1000);
  ASSERT_THAT(listener.host_runtimes, SizeIs(1));
  EXPECT_EQ(listener.host_runtimes[0].backend, runtime->backends[0]);
  ASSERT_NE(listener.hosts->Select("one.example"), nullptr);
  EXPECT_EQ(listener.hosts->Select("one.example")->spec->name, "one");
}

TEST_F(SnapshotTest, ARuntimeNeverHasMoreThanTheWorkersSlots) {
  folder_.Edit("limits: {}", "limits: {max_connections: 100000}");
  const auto snapshot = Loaded();
  ASSERT_NE(snapshot, nullptr);
  EXPECT_EQ(Built(snapshot)->max_connections, 100U);
}

TEST_F(SnapshotTest, ARuntimeOutlivesWhoeverLoadedIt) {
  auto snapshot = Loaded();
  ASSERT_NE(snapshot, nullptr);
  const auto runtime = Built(snapshot);
  snapshot.reset();
  EXPECT_EQ(runtime->listeners[0]->hosts->Select("")->spec->server_names[0], "one.example");
}

TEST(SocketKey, IsTheAddressAndOfFreePortsTheNameToo) {
  config::Listener listener;
  listener.name = "https";
  listener.address = "0.0.0.0:8443";
  EXPECT_EQ(SocketKey(listener), "0.0.0.0:8443");
  listener.address = "0.0.0.0:0";
  EXPECT_EQ(SocketKey(listener), "0.0.0.0:0#https");
  listener.address = "[::]:80";
  EXPECT_EQ(SocketKey(listener), "[::]:80");
}

}  // namespace
}  // namespace portcullis::server
