// Handshakes whose signature is made elsewhere: the engine waits, and its owner answers.
#include <thread>
#include <utility>

#include "tests/tls/engine_fixture.h"
#include "tls/engine.h"
#include "tls/system_libcrypto.h"

namespace portcullis::tls {
namespace {

using testing::kVersions;
using testing::MakeCredential;
using testing::MakeLeaf;
using testing::Pair;
using testing::ReasonOf;
using testing::TestHosts;
using testing::TestKey;

class EngineSigningTest : public testing::EngineTest {
 protected:
  // A host whose key is of this kind, and signs so.
  [[nodiscard]] HostSpec HostWith(TestKey key, bool on_helper,
                                  KeyProvider provider = KeyProvider::kBuiltin) const {
    HostSpec spec = Host("edge.example", ClientAuthMode::kRequire);
    spec.credentials = {
        MakeCredential(MakeLeaf(server_root_, {.common_name = "server", .key = key}))};
    spec.credentials.front().key_provider = provider;
    spec.credentials.front().sign_on_helper = on_helper;
    return spec;
  }
};

TEST_F(EngineSigningTest, ASignatureOnTheSpotIsToldOf) {
  for (const uint16_t version : kVersions) {
    TestHosts hosts({HostWith(TestKey::kEcP256, false)});
    Pair pair(hosts.table(), GoodClient(version));
    EXPECT_EQ(pair.engine().signature_state(), SignatureState::kNone);
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
    EXPECT_EQ(pair.engine().signature_state(), SignatureState::kMade);
    EXPECT_EQ(pair.engine().key_provider(), KeyProvider::kBuiltin);
  }
}

TEST_F(EngineSigningTest, TheSystemsLibraryServesBothVersions) {
  ASSERT_TRUE(SystemLibcryptoVersion().ok()) << SystemLibcryptoVersion().status();
  for (const uint16_t version : kVersions) {
    for (const TestKey key : {TestKey::kRsa2048, TestKey::kRsa4096}) {
      TestHosts hosts({HostWith(key, false, KeyProvider::kSystem)});
      Pair pair(hosts.table(), GoodClient(version));
      ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
      EXPECT_EQ(pair.engine().signature_state(), SignatureState::kMade);
      EXPECT_EQ(pair.engine().key_provider(), KeyProvider::kSystem);
      EXPECT_EQ(pair.Send("hello"), "hello");
    }
  }
}

TEST_F(EngineSigningTest, AnAnswerLetsTheHandshakeGoOn) {
  for (const uint16_t version : kVersions) {
    for (const TestKey key : {TestKey::kEcP256, TestKey::kEd25519, TestKey::kRsa2048}) {
      if (key == TestKey::kEd25519 && version == TLS1_2_VERSION) continue;
      testing::ClientOptions client = GoodClient(version);
      if (key == TestKey::kEd25519) client.verify_signatures = {SSL_SIGN_ED25519};
      TestHosts hosts({HostWith(key, true)});
      Pair pair(hosts.table(), client);
      ASSERT_EQ(pair.Handshake(), HandshakeStatus::kWantSignature);
      EXPECT_EQ(pair.engine().signature_state(), SignatureState::kPending);
      const SigningJob job = pair.engine().TakeSigningJob();
      std::vector<uint8_t> signature;
      std::thread helper([&] { signature = job.Run(); });
      helper.join();
      ASSERT_EQ(pair.AnswerSignature(signature), HandshakeStatus::kDone);
      EXPECT_EQ(pair.engine().signature_state(), SignatureState::kMade);
      EXPECT_EQ(pair.Send("hello"), "hello");
    }
  }
}

TEST_F(EngineSigningTest, CalledAgainWithoutAnAnswerItGoesOnWaiting) {
  TestHosts hosts({HostWith(TestKey::kRsa2048, true)});
  Pair pair(hosts.table(), GoodClient());
  ASSERT_EQ(pair.Handshake(), HandshakeStatus::kWantSignature);
  const SigningJob job = pair.engine().TakeSigningJob();
  std::span<const uint8_t> nothing;
  EXPECT_EQ(pair.engine().Handshake(nothing, pair.sink()), HandshakeStatus::kWantSignature);
  EXPECT_EQ(pair.AnswerSignature(job.Run()), HandshakeStatus::kDone);
}

TEST_F(EngineSigningTest, NoSignatureIsAFailureOfOurs) {
  for (const uint16_t version : kVersions) {
    TestHosts hosts({HostWith(TestKey::kRsa2048, true)});
    Pair pair(hosts.table(), GoodClient(version));
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kWantSignature);
    (void)pair.engine().TakeSigningJob();
    ASSERT_EQ(pair.AnswerSignature({}), HandshakeStatus::kFailed);
    EXPECT_EQ(ReasonOf(pair.engine()), "internal");
    EXPECT_EQ(pair.engine().signature_state(), SignatureState::kFailed);
    EXPECT_EQ(pair.client().alert(), SSL_AD_INTERNAL_ERROR);
  }
}

TEST_F(EngineSigningTest, AWrongSignatureIsTheClientsToRefuse) {
  for (const uint16_t version : kVersions) {
    TestHosts hosts({HostWith(TestKey::kRsa2048, true)});
    Pair pair(hosts.table(), GoodClient(version));
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kWantSignature);
    std::vector<uint8_t> signature = pair.engine().TakeSigningJob().Run();
    signature[10] ^= 1;
    EXPECT_EQ(pair.AnswerSignature(signature), HandshakeStatus::kFailed);
    EXPECT_EQ(ReasonOf(pair.engine()), "client_alert");
  }
}

TEST_F(EngineSigningTest, RefusingWhileWaitingSendsTheAlert) {
  for (const uint16_t version : kVersions) {
    TestHosts hosts({HostWith(TestKey::kRsa2048, true)});
    Pair pair(hosts.table(), GoodClient(version));
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kWantSignature);
    pair.engine().Refuse(Rejection::kTimeout, pair.sink());
    pair.Pump();
    EXPECT_EQ(ReasonOf(pair.engine()), "timeout");
    EXPECT_EQ(pair.engine().signature_state(), SignatureState::kPending);
    EXPECT_EQ(pair.client().alert(), SSL_AD_INTERNAL_ERROR);
  }
}

TEST_F(EngineSigningTest, AJobOutlivesTheEngineAndItsHosts) {
  SigningJob job;
  {
    TestHosts hosts({HostWith(TestKey::kRsa2048, true)});
    Pair pair(hosts.table(), GoodClient());
    ASSERT_EQ(pair.Handshake(), HandshakeStatus::kWantSignature);
    job = pair.engine().TakeSigningJob();
  }
  EXPECT_FALSE(job.Run().empty());
}

TEST_F(EngineSigningTest, AResumedSessionAsksForNoSignature) {
  for (const uint16_t version : kVersions) {
    TestHosts hosts({HostWith(TestKey::kRsa2048, true)});
    Pair first(hosts.table(), GoodClient(version));
    ASSERT_EQ(first.Handshake(), HandshakeStatus::kWantSignature);
    ASSERT_EQ(first.AnswerSignature(first.engine().TakeSigningJob().Run()), HandshakeStatus::kDone);
    first.Pump();
    testing::ClientOptions options = GoodClient(version);
    options.session = first.client().session();
    ASSERT_NE(options.session, nullptr);
    Pair second(hosts.table(), options);
    EXPECT_EQ(second.Handshake(), HandshakeStatus::kDone);
    EXPECT_TRUE(second.engine().resumed());
    EXPECT_EQ(second.engine().signature_state(), SignatureState::kNone);
  }
}

TEST_F(EngineSigningTest, KeyExchangeByRsaDecryptsAsBefore) {
  HostSpec spec = HostWith(TestKey::kRsa2048, true);
  spec.ciphers = "AES128-GCM-SHA256";
  TestHosts hosts({spec});
  testing::ClientOptions options = GoodClient(TLS1_2_VERSION);
  options.ciphers = "AES128-GCM-SHA256";
  Pair pair(hosts.table(), options);
  ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
  EXPECT_EQ(pair.engine().signature_state(), SignatureState::kNone);
}

}  // namespace
}  // namespace portcullis::tls
