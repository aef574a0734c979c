#include "tls/engine.h"

#include <openssl/err.h>

#include <algorithm>
#include <string>

#include "tests/tls/engine_fixture.h"
#include "tls/boringssl_compat.h"

namespace portcullis::tls {
namespace {

using testing::ClientOptions;
using testing::EngineTest;
using testing::kDay;
using testing::kNow;
using testing::kVersions;
using testing::MakeCredential;
using testing::MakeLeaf;
using testing::Pair;
using testing::Pattern;
using testing::TestCertificate;
using testing::TestHosts;
using testing::TestKey;
using testing::TestSeed;

TEST_F(EngineTest, AMutualHandshakeCompletesAndTellsWhoCame) {
  for (const uint16_t version : kVersions) {
    TestHosts hosts({Host("edge.example", ClientAuthMode::kRequire)});
    Pair pair(hosts.table(), GoodClient(version));
    EXPECT_EQ(pair.engine().version(), "unknown");
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
    EXPECT_TRUE(pair.client().done());
    Engine& engine = pair.engine();
    EXPECT_TRUE(engine.handshake_done());
    EXPECT_TRUE(engine.verdict().accepted());
    ASSERT_NE(engine.verdict().identity, nullptr);
    EXPECT_EQ(engine.verdict().identity->subject, "CN=client");
    EXPECT_EQ(engine.sni(), "edge.example");
    ASSERT_NE(engine.host(), nullptr);
    EXPECT_EQ(engine.host()->spec->name, "edge.example");
    EXPECT_EQ(engine.version(), version == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2");
    EXPECT_EQ(engine.cipher(), version == TLS1_3_VERSION ? "TLS_AES_128_GCM_SHA256"
                                                         : "ECDHE-ECDSA-AES128-GCM-SHA256");
    EXPECT_EQ(engine.alpn(), "");
    EXPECT_FALSE(engine.resumed());
    EXPECT_EQ(engine.failure().reason, Rejection::kNone);
    EXPECT_FALSE(engine.failure().has_alert);
    EXPECT_EQ(ERR_peek_error(), 0U);
  }
}

TEST_F(EngineTest, OffAsksForNothing) {
  for (const uint16_t version : kVersions) {
    TestHosts hosts({Host("edge.example", ClientAuthMode::kOff)});
    Pair pair(hosts.table(), GoodClient(version));
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
    EXPECT_EQ(pair.engine().verdict().identity, nullptr);
    EXPECT_TRUE(pair.engine().verdict().accepted());
  }
}

TEST_F(EngineTest, OptionalTakesNoneAndGoodOnes) {
  for (const uint16_t version : kVersions) {
    TestHosts hosts({Host("edge.example", ClientAuthMode::kOptional)});
    Pair anonymous(hosts.table(), AnonymousClient(version));
    ASSERT_EQ(anonymous.Handshake(), HandshakeStatus::kDone);
    EXPECT_TRUE(anonymous.engine().verdict().accepted());
    EXPECT_EQ(anonymous.engine().verdict().identity, nullptr);
    Pair known(hosts.table(), GoodClient(version));
    ASSERT_EQ(known.Handshake(), HandshakeStatus::kDone);
    EXPECT_NE(known.engine().verdict().identity, nullptr);
  }
}

TEST_F(EngineTest, ByteByByteIsTheSame) {
  for (const uint16_t version : kVersions) {
    TestHosts hosts({Host("edge.example", ClientAuthMode::kRequire)});
    Pair pair(hosts.table(), GoodClient(version), {.max_chunk = 1});
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
    pair.client().Write("hello");
    pair.Pump();
    EXPECT_EQ(pair.received(), "hello");
    EXPECT_EQ(pair.Send("hello yourself"), "hello yourself");
  }
}

TEST_F(EngineTest, AnyCutsAreTheSame) {
  const uint64_t seed = TestSeed();
  SCOPED_TRACE("PORTCULLIS_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  TestHosts hosts({Host("edge.example", ClientAuthMode::kRequire)});
  for (int round = 0; round < 40; ++round) {
    const uint16_t version = kVersions[round % 2];
    Pair pair(hosts.table(), GoodClient(version), {.max_chunk = 700, .random = &random});
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
    const std::string text = Pattern(random() % 50'000);
    if (!text.empty()) pair.client().Write(text);
    pair.Pump();
    ASSERT_EQ(pair.received(), text);
  }
}

TEST_F(EngineTest, LargeTransfersArriveWholeBothWays) {
  for (const uint16_t version : kVersions) {
    TestHosts hosts({Host("edge.example", ClientAuthMode::kRequire)});
    Pair pair(hosts.table(), GoodClient(version));
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
    const std::string text = Pattern(5'000'000);
    pair.client().Write(text);
    pair.Pump();
    EXPECT_TRUE(pair.received() == text);
    EXPECT_TRUE(pair.Send(text) == text);
  }
}

TEST_F(EngineTest, BytesBehindTheHandshakeAreLeftForRead) {
  TestHosts hosts({Host("edge.example", ClientAuthMode::kRequire)});
  Pair pair(hosts.table(), GoodClient());
  // The client's last flight and its first data arrive in one piece.
  std::span<const uint8_t> input;
  std::vector<uint8_t> flight;
  while (!pair.client().Handshake()) {
    flight = pair.client().TakeOutput();
    input = flight;
    ASSERT_EQ(pair.engine().Handshake(input, pair.sink()), HandshakeStatus::kWantRead);
    EXPECT_TRUE(input.empty());
    pair.client().Feed(std::exchange(pair.to_client(), {}));
  }
  pair.client().Write("early bird");
  flight = pair.client().TakeOutput();
  input = flight;
  ASSERT_EQ(pair.engine().Handshake(input, pair.sink()), HandshakeStatus::kDone);
  EXPECT_FALSE(input.empty());
  std::array<uint8_t, 5> plain;
  std::string received;
  size_t produced = 0;
  while (pair.engine().Read(input, plain, produced, pair.sink()) == ReadStatus::kData) {
    received.append(reinterpret_cast<const char*>(plain.data()), produced);
  }
  EXPECT_EQ(received, "early bird");
}

TEST_F(EngineTest, WritesAreCutIntoRecordsOfAtMost16KiB) {
  TestHosts hosts({Host("edge.example", ClientAuthMode::kOff)});
  Pair pair(hosts.table(), AnonymousClient());
  ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
  const std::string text = Pattern(50'000);
  ASSERT_TRUE(pair.engine().Write({reinterpret_cast<const uint8_t*>(text.data()), text.size()},
                                  pair.sink()));
  const std::vector<uint8_t>& wire = pair.to_client();
  int num_records = 0;
  for (size_t at = 0; at < wire.size(); ++num_records) {
    ASSERT_EQ(wire[at], SSL3_RT_APPLICATION_DATA);
    const size_t size = static_cast<size_t>(wire[at + 3]) << 8 | wire[at + 4];
    EXPECT_LE(size, 16384U + 256U);
    at += 5 + size;
  }
  EXPECT_EQ(num_records, 4);
}

// One send instead of two: the ticket and the answer.
TEST_F(EngineTest, TheTicketGoesAlongWithWhatIsWrittenFirst) {
  TestHosts hosts({Host("edge.example", ClientAuthMode::kRequire)});
  Pair pair(hosts.table(), GoodClient());
  pair.KeepTicket();
  ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
  EXPECT_TRUE(pair.engine().ticket_pending());
  EXPECT_EQ(pair.client().num_tickets(), 0U);
  EXPECT_EQ(pair.Send("answer"), "answer");
  EXPECT_EQ(pair.client().num_tickets(), 1U);
  EXPECT_FALSE(pair.engine().ticket_pending());
  pair.engine().SendTicket(pair.sink());
  EXPECT_TRUE(pair.to_client().empty());
}

TEST_F(EngineTest, ATicketKeptBackGoesAlongWithTheEnd) {
  TestHosts hosts({Host("edge.example", ClientAuthMode::kRequire)});
  Pair pair(hosts.table(), GoodClient());
  pair.KeepTicket();
  ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
  pair.engine().CloseNotify(pair.sink());
  pair.Pump();
  EXPECT_TRUE(pair.client().saw_close());
  EXPECT_EQ(pair.client().num_tickets(), 1U);
}

TEST_F(EngineTest, ATls12TicketIsPartOfTheHandshake) {
  TestHosts hosts({Host("edge.example", ClientAuthMode::kRequire)});
  Pair pair(hosts.table(), GoodClient(TLS1_2_VERSION));
  pair.KeepTicket();
  ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
  EXPECT_FALSE(pair.engine().ticket_pending());
  EXPECT_EQ(pair.client().num_tickets(), 1U);
}

TEST_F(EngineTest, AnEmptyWriteSendsNothing) {
  TestHosts hosts({Host("edge.example", ClientAuthMode::kOff)});
  Pair pair(hosts.table(), AnonymousClient());
  ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
  EXPECT_TRUE(pair.engine().Write({}, pair.sink()));
  EXPECT_TRUE(pair.to_client().empty());
}

TEST_F(EngineTest, NothingCanBeReadOrWrittenBeforeTheHandshake) {
  TestHosts hosts({Host("edge.example", ClientAuthMode::kOff)});
  Pair pair(hosts.table(), AnonymousClient());
  const std::array<uint8_t, 1> byte = {1};
  EXPECT_FALSE(pair.engine().Write(byte, pair.sink()));
  std::array<uint8_t, 16> plain;
  std::span<const uint8_t> input = byte;
  size_t produced = 0;
  EXPECT_EQ(pair.engine().Read(input, plain, produced, pair.sink()), ReadStatus::kFailed);
  pair.engine().CloseNotify(pair.sink());
  EXPECT_TRUE(pair.to_client().empty());
}

TEST_F(EngineTest, SniChoosesTheHostAndItsCertificate) {
  const TestCertificate other = MakeLeaf(server_root_, {.common_name = "other"});
  HostSpec wild = Host("wild", ClientAuthMode::kOff);
  wild.server_names = {"*.wild.example"};
  wild.credentials = {MakeCredential(other)};
  TestHosts hosts({Host("edge.example", ClientAuthMode::kOff), wild});
  const std::pair<std::string, std::string> kCases[] = {
      {"edge.example", "CN=server"},     {"a.wild.example", "CN=other"},
      {"A.Wild.Example", "CN=other"},    {"wild.example", "CN=server"},
      {"a.b.wild.example", "CN=server"}, {"", "CN=server"},
      {"nobody.example", "CN=server"}};
  for (const uint16_t version : kVersions) {
    for (const auto& [sni, subject] : kCases) {
      ClientOptions options = AnonymousClient(version);
      options.sni = sni;
      Pair pair(hosts.table(), options);
      ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone) << sni;
      EXPECT_EQ(pair.client().server_subject(), subject) << sni;
      EXPECT_EQ(pair.engine().sni(), sni);
    }
  }
}

TEST_F(EngineTest, TheClientsPowersChooseBetweenRsaAndEcdsa) {
  HostSpec both = Host("edge.example", ClientAuthMode::kOff);
  both.credentials = {MakeCredential(MakeLeaf(server_root_, {.key = TestKey::kRsa2048})),
                      MakeCredential(MakeLeaf(server_root_, {.key = TestKey::kEcP384})),
                      MakeCredential(server_)};
  TestHosts hosts({both});
  struct Case {
    std::vector<uint16_t> schemes;
    int key_type;
  };
  const Case kCases[] = {
      {{}, EVP_PKEY_EC},
      {{SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_SIGN_RSA_PSS_RSAE_SHA256}, EVP_PKEY_EC},
      {{SSL_SIGN_RSA_PSS_RSAE_SHA256, SSL_SIGN_RSA_PKCS1_SHA256}, EVP_PKEY_RSA}};
  for (const uint16_t version : kVersions) {
    for (const Case& one : kCases) {
      ClientOptions options = AnonymousClient(version);
      options.verify_signatures = one.schemes;
      Pair pair(hosts.table(), options);
      ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
      EXPECT_EQ(pair.client().server_key_type(), one.key_type);
    }
  }
  // TLS 1.2 clients without a suite for ECDSA.
  ClientOptions options = AnonymousClient(TLS1_2_VERSION);
  options.ciphers = "ECDHE-RSA-AES128-GCM-SHA256";
  Pair pair(hosts.table(), options);
  ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
  EXPECT_EQ(pair.client().server_key_type(), EVP_PKEY_RSA);
  EXPECT_EQ(pair.engine().cipher(), "ECDHE-RSA-AES128-GCM-SHA256");
}

TEST_F(EngineTest, ServersAndClientsMayHaveKeysOfEveryKind) {
  for (const uint16_t version : kVersions) {
    for (const TestKey key : {TestKey::kRsa2048, TestKey::kEcP256, TestKey::kEcP384,
                              TestKey::kEcP521, TestKey::kEd25519}) {
      HostSpec spec = Host("edge.example", ClientAuthMode::kRequire);
      const TestCertificate server = MakeLeaf(server_root_, {.key = key});
      spec.credentials = {MakeCredential(server)};
      TestHosts hosts({spec});
      const TestCertificate certificate = MakeLeaf(root_, {.key = key});
      ClientOptions options = AnonymousClient(version);
      options.certificate = &certificate;
      // A P-521 key needs its curve among the groups in TLS 1.2.
      options.groups = "X25519:P-256:P-384:P-521";
      Pair pair(hosts.table(), options);
      EXPECT_EQ(pair.Handshake(), HandshakeStatus::kDone)
          << "version " << version << ", key " << static_cast<int>(key) << ", "
          << pair.engine().failure().detail;
    }
  }
}

TEST_F(EngineTest, AlpnFollowsOurOrder) {
  for (const uint16_t version : kVersions) {
    HostSpec spec = Host("edge.example", ClientAuthMode::kOff);
    spec.alpn = {"h2", "http/1.1"};
    TestHosts hosts({spec});
    ClientOptions options = AnonymousClient(version);
    options.alpn = {"x", "http/1.1", "h2"};
    Pair pair(hosts.table(), options);
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
    EXPECT_EQ(pair.engine().alpn(), "h2");
  }
}

TEST_F(EngineTest, WithoutAlpnOnEitherSideThereIsNone) {
  HostSpec spec = Host("edge.example", ClientAuthMode::kOff);
  ClientOptions options = AnonymousClient();
  options.alpn = {"h2"};
  TestHosts ignoring({spec});
  Pair unasked(ignoring.table(), options);
  ASSERT_EQ(unasked.Handshake(), HandshakeStatus::kDone);
  EXPECT_EQ(unasked.engine().alpn(), "");
  spec.alpn = {"h2"};
  TestHosts offering({spec});
  Pair silent(offering.table(), AnonymousClient());
  ASSERT_EQ(silent.Handshake(), HandshakeStatus::kDone);
  EXPECT_EQ(silent.engine().alpn(), "");
}

TEST_F(EngineTest, GroupsFollowTheConfiguration) {
  HostSpec spec = Host("edge.example", ClientAuthMode::kOff);
  TestHosts defaults({spec});
  for (const uint16_t version : kVersions) {
    Pair pair(defaults.table(), AnonymousClient(version));
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
    const bool hybrid = compat::kHasMlKem && version == TLS1_3_VERSION;
    EXPECT_EQ(pair.engine().group(), hybrid ? "X25519MLKEM768" : "X25519");

    spec.groups = {"secp384r1", "P-256"};
    TestHosts chosen({spec});
    Pair other(chosen.table(), AnonymousClient(version));
    ASSERT_EQ(other.Handshake(), HandshakeStatus::kDone);
    EXPECT_EQ(other.engine().group(), "P-384");
    spec.groups.clear();
  }
}

TEST_F(EngineTest, AHelloRetryRequestChangesNothingElse) {
  HostSpec spec = Host("edge.example", ClientAuthMode::kRequire);
  spec.groups = {"P-384"};
  TestHosts hosts({spec});
  ClientOptions options = GoodClient();
  options.groups = "X25519:P-384";  // The key share it sends first is for the former.
  Pair pair(hosts.table(), options, {.max_chunk = 1});
  ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
  EXPECT_EQ(pair.engine().group(), "P-384");
  EXPECT_NE(pair.engine().verdict().identity, nullptr);
}

TEST_F(EngineTest, VersionsFollowTheHost) {
  HostSpec only12 = Host("edge.example", ClientAuthMode::kOff);
  only12.max_version = TLS1_2_VERSION;
  TestHosts hosts({only12});
  ClientOptions options = AnonymousClient();
  options.min_version = TLS1_2_VERSION;
  Pair pair(hosts.table(), options);
  ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
  EXPECT_EQ(pair.engine().version(), "TLSv1.2");
}

TEST_F(EngineTest, CiphersFollowOurOrder) {
  HostSpec spec = Host("edge.example", ClientAuthMode::kOff);
  spec.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256";
  TestHosts hosts({spec});
  Pair pair(hosts.table(), AnonymousClient(TLS1_2_VERSION));
  ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
  EXPECT_EQ(pair.engine().cipher(), "ECDHE-ECDSA-CHACHA20-POLY1305");
}

TEST_F(EngineTest, CaNamesAreSentUnlessSuppressed) {
  for (const uint16_t version : kVersions) {
    for (const bool send : {true, false}) {
      HostSpec spec = Host("edge.example", ClientAuthMode::kRequire);
      spec.client_auth.ca_names = send ? CaNames::kAuto : CaNames::kNone;
      TestHosts hosts({spec});
      Pair pair(hosts.table(), GoodClient(version));
      ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
      EXPECT_EQ(pair.client().num_ca_names(), send ? 1U : 0U);
    }
  }
}

TEST_F(EngineTest, AnIntermediateTheClientSendsIsUsed) {
  const TestCertificate ca = testing::MakeCa(root_, {.common_name = "ca"});
  const TestCertificate leaf = MakeLeaf(ca, {.common_name = "deep"});
  for (const uint16_t version : kVersions) {
    TestHosts hosts({Host("edge.example", ClientAuthMode::kRequire)});
    ClientOptions options = AnonymousClient(version);
    options.certificate = &leaf;
    options.chain = {&ca};
    Pair pair(hosts.table(), options);
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
    EXPECT_EQ(pair.engine().verdict().identity->subject, "CN=deep");
  }
}

}  // namespace
}  // namespace portcullis::tls
