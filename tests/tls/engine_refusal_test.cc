// Every reason to refuse a client, under TLS 1.2 and 1.3 and in both styles: what the engine says
// and what the client sees.
#include <openssl/err.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/tls/engine_fixture.h"
#include "tls/engine.h"

namespace portcullis::tls {
namespace {

using testing::CertificateOptions;
using testing::ClientOptions;
using testing::EngineTest;
using testing::kDay;
using testing::kNow;
using testing::kVersions;
using testing::MakeCa;
using testing::MakeCrlPem;
using testing::MakeLeaf;
using testing::MakeRoot;
using testing::Pair;
using testing::ReasonOf;
using testing::TestCertificate;
using testing::TestHosts;
using testing::TestKey;

// A client's certificate and what is to be said of it.
struct Refused {
  std::string what = {};
  Rejection reason;
  std::optional<TestCertificate> certificate = {};  // none: the client sends none
  std::vector<TestCertificate> chain = {};
  std::string crl_pem = {};
  RevocationMode revocation = RevocationMode::kSoft;
  uint32_t max_depth = 8;
  uint32_t max_chain_bytes = 64 * 1024;
};

class RefusalTest : public EngineTest {
 protected:
  Refused Leaf(std::string what, Rejection reason, const CertificateOptions& options) const {
    return {.what = std::move(what), .reason = reason, .certificate = MakeLeaf(root_, options)};
  }

  std::vector<Refused> Cases() const {
    std::vector<Refused> cases;
    cases.push_back({.what = "none", .reason = Rejection::kNoCertificate});
    cases.push_back(Leaf("expired", Rejection::kExpired, {.not_after = kNow - 1}));
    cases.push_back(Leaf("future", Rejection::kNotYetValid, {.not_before = kNow + 1}));
    cases.push_back({.what = "stranger",
                     .reason = Rejection::kUnknownCa,
                     .certificate = MakeLeaf(MakeRoot({.common_name = "stranger"}), {})});
    cases.push_back({.what = "self-signed",
                     .reason = Rejection::kUnknownCa,
                     .certificate = testing::MakeSelfSigned({.common_name = "me"})});
    cases.push_back(Leaf("revoked", Rejection::kRevoked, {.serial = 66}));
    cases.back().crl_pem = MakeCrlPem(root_, {66});
    cases.push_back(Leaf("stale", Rejection::kCrlStale, {}));
    cases.back().crl_pem = MakeCrlPem(root_, {}, {.next_update = kNow - 1});
    cases.push_back(Leaf("no crl", Rejection::kCrlMissing, {}));
    cases.back().revocation = RevocationMode::kRequire;
    cases.push_back({.what = "forged",
                     .reason = Rejection::kBadSignature,
                     .certificate = MakeLeaf(MakeRoot({.common_name = "root", .key_ids = false}),
                                             {.key_ids = false})});
    cases.push_back(Leaf("server", Rejection::kBadPurpose, {.extended_key_usage = "serverAuth"}));
    cases.push_back(Leaf("weak", Rejection::kWeakKey, {.key = TestKey::kRsa1024}));
    cases.push_back(Leaf("odd", Rejection::kBadCertificate, {.unknown_critical = true}));
    cases.push_back(Leaf("big", Rejection::kChainTooBig, {.padding_bytes = 3000}));
    cases.back().max_chain_bytes = 2000;
    TestCertificate ca = MakeCa(root_, {.common_name = "ca"});
    cases.push_back({.what = "long",
                     .reason = Rejection::kChainTooLong,
                     .certificate = MakeLeaf(ca, {}),
                     .max_depth = 0});
    cases.back().chain.push_back(std::move(ca));
    return cases;
  }

  TestHosts HostsFor(const Refused& refused, ClientAuthMode mode, RefusalStyle style) const {
    HostSpec spec = Host("edge.example", mode, style);
    spec.client_auth.max_depth = refused.max_depth;
    TrustSources sources{.cas = {{root_.Pem(), "ca.crt"}}};
    if (!refused.crl_pem.empty()) sources.crls.push_back({refused.crl_pem, "ca.crl"});
    spec.client_auth.trust = testing::ParseTrust(sources, {.mode = refused.revocation});
    return TestHosts({spec}, {.max_chain_bytes = refused.max_chain_bytes});
  }

  static ClientOptions ClientFor(const Refused& refused, uint16_t version) {
    ClientOptions options = AnonymousClient(version);
    if (refused.certificate.has_value()) options.certificate = &*refused.certificate;
    for (const TestCertificate& other : refused.chain) options.chain.push_back(&other);
    return options;
  }
};

TEST_F(RefusalTest, AlertStyleEndsTheHandshakeWithTheReasonsAlert) {
  for (const Refused& refused : Cases()) {
    for (const uint16_t version : kVersions) {
      SCOPED_TRACE(refused.what + " under version " + std::to_string(version));
      TestHosts hosts = HostsFor(refused, ClientAuthMode::kRequire, RefusalStyle::kAlert);
      Pair pair(hosts.table(), ClientFor(refused, version));
      EXPECT_EQ(pair.Handshake(), HandshakeStatus::kFailed);
      const Failure& failure = pair.engine().failure();
      EXPECT_EQ(ReasonOf(pair.engine()), Name(refused.reason));
      EXPECT_TRUE(failure.has_alert);
      EXPECT_FALSE(failure.alert_received);
      EXPECT_EQ(AlertName(failure.alert),
                AlertName(Alert(refused.reason, version == TLS1_3_VERSION)));
      EXPECT_NE(std::string(failure.detail), "");
      EXPECT_EQ(pair.engine().verdict().rejection, refused.reason);
      EXPECT_EQ(pair.engine().verdict().identity != nullptr, refused.certificate.has_value());
      EXPECT_FALSE(pair.engine().handshake_done());
      (void)pair.client().Read();
      EXPECT_EQ(pair.client().alert(), failure.alert);
      EXPECT_EQ(pair.client().num_tickets(), 0U);
      EXPECT_EQ(ERR_peek_error(), 0U);
    }
  }
}

TEST_F(RefusalTest, HttpStyleCompletesWithTheVerdictAndWithoutATicket) {
  for (const Refused& refused : Cases()) {
    for (const uint16_t version : kVersions) {
      SCOPED_TRACE(refused.what + " under version " + std::to_string(version));
      TestHosts hosts = HostsFor(refused, ClientAuthMode::kRequire, RefusalStyle::kHttp);
      Pair pair(hosts.table(), ClientFor(refused, version));
      ASSERT_EQ(pair.Handshake(), HandshakeStatus::kDone);
      EXPECT_EQ(pair.engine().verdict().rejection, refused.reason);
      EXPECT_EQ(pair.engine().failure().reason, Rejection::kNone);
      EXPECT_EQ(pair.Send("HTTP/1.1 400 Bad Request\r\n"), "HTTP/1.1 400 Bad Request\r\n");
      EXPECT_EQ(pair.client().num_tickets(), 0U);
    }
  }
}

TEST_F(RefusalTest, OptionalStillRefusesABadCertificate) {
  for (const Refused& refused : Cases()) {
    if (!refused.certificate.has_value()) continue;
    for (const uint16_t version : kVersions) {
      SCOPED_TRACE(refused.what + " under version " + std::to_string(version));
      TestHosts strict = HostsFor(refused, ClientAuthMode::kOptional, RefusalStyle::kAlert);
      Pair pair(strict.table(), ClientFor(refused, version));
      EXPECT_EQ(pair.Handshake(), HandshakeStatus::kFailed);
      EXPECT_EQ(ReasonOf(pair.engine()), Name(refused.reason));
      TestHosts polite = HostsFor(refused, ClientAuthMode::kOptional, RefusalStyle::kHttp);
      Pair page(polite.table(), ClientFor(refused, version));
      EXPECT_EQ(page.Handshake(), HandshakeStatus::kDone);
      EXPECT_EQ(page.engine().verdict().rejection, refused.reason);
      EXPECT_EQ(page.client().num_tickets(), 0U);
    }
  }
}

TEST_F(RefusalTest, ACertificateWithoutItsKeyIsABadProofInEitherStyle) {
  const TestCertificate thief = MakeLeaf(root_, {.common_name = "thief"});
  for (const uint16_t version : kVersions) {
    for (const RefusalStyle style : {RefusalStyle::kAlert, RefusalStyle::kHttp}) {
      TestHosts hosts({Host("edge.example", ClientAuthMode::kRequire, style)});
      ClientOptions options = GoodClient(version);
      options.key_of = &thief;
      Pair pair(hosts.table(), options);
      EXPECT_EQ(pair.Handshake(), HandshakeStatus::kFailed);
      EXPECT_EQ(ReasonOf(pair.engine()), "bad_proof");
      (void)pair.client().Read();
      EXPECT_EQ(pair.client().alert(), SSL_AD_DECRYPT_ERROR);
    }
  }
}

TEST_F(RefusalTest, AKeyUsageWithoutSignaturesIsABadPurpose) {
  const TestCertificate leaf =
      MakeLeaf(root_, {.key = TestKey::kRsa2048, .key_usage = "critical,keyEncipherment"});
  for (const uint16_t version : kVersions) {
    TestHosts hosts({Host("edge.example", ClientAuthMode::kRequire)});
    ClientOptions options = AnonymousClient(version);
    options.certificate = &leaf;
    Pair pair(hosts.table(), options);
    EXPECT_EQ(pair.Handshake(), HandshakeStatus::kFailed);
    EXPECT_EQ(ReasonOf(pair.engine()), "bad_purpose") << version;
  }
}

TEST_F(RefusalTest, ChainsBeyondTheLibrarysOwnLimitAreTooBigToo) {
  // More than the slack beyond the limit, so that the message is refused before it is read to the
  // end.
  const TestCertificate leaf = MakeLeaf(root_, {.padding_bytes = 40'000});
  for (const uint16_t version : kVersions) {
    TestHosts hosts({Host("edge.example", ClientAuthMode::kRequire)}, {.max_chain_bytes = 20'000});
    ClientOptions options = AnonymousClient(version);
    options.certificate = &leaf;
    Pair pair(hosts.table(), options);
    EXPECT_EQ(pair.Handshake(), HandshakeStatus::kFailed);
    EXPECT_EQ(ReasonOf(pair.engine()), "chain_too_big");
    EXPECT_EQ(pair.engine().verdict().rejection, Rejection::kChainTooBig);
  }
}

TEST_F(RefusalTest, AnUnknownNameIsRefusedWhereTheListenerSaysSo) {
  for (const uint16_t version : kVersions) {
    TestHosts hosts({Host("edge.example", ClientAuthMode::kOff)}, {.refuse_unknown_sni = true});
    ClientOptions options = AnonymousClient(version);
    options.sni = "nobody.example";
    Pair pair(hosts.table(), options);
    EXPECT_EQ(pair.Handshake(), HandshakeStatus::kFailed);
    EXPECT_EQ(ReasonOf(pair.engine()), "sni_unknown");
    EXPECT_EQ(pair.engine().failure().alert, SSL_AD_UNRECOGNIZED_NAME);
    EXPECT_EQ(pair.client().alert(), SSL_AD_UNRECOGNIZED_NAME);
    EXPECT_EQ(pair.engine().host(), nullptr);
    EXPECT_EQ(pair.engine().sni(), "nobody.example");
    options.sni.clear();
    Pair silent(hosts.table(), options);
    EXPECT_EQ(silent.Handshake(), HandshakeStatus::kDone);
  }
}

TEST_F(RefusalTest, NoVersionInCommon) {
  HostSpec modern = Host("edge.example", ClientAuthMode::kOff);
  modern.min_version = TLS1_3_VERSION;
  TestHosts hosts({modern});
  Pair pair(hosts.table(), AnonymousClient(TLS1_2_VERSION));
  EXPECT_EQ(pair.Handshake(), HandshakeStatus::kFailed);
  EXPECT_EQ(ReasonOf(pair.engine()), "protocol_version");
  EXPECT_EQ(pair.client().alert(), SSL_AD_PROTOCOL_VERSION);

  TestHosts defaults({Host("edge.example", ClientAuthMode::kOff)});
  ClientOptions old = AnonymousClient();
  old.min_version = TLS1_VERSION;
  old.max_version = TLS1_1_VERSION;
  Pair aged(defaults.table(), old);
  EXPECT_EQ(aged.Handshake(), HandshakeStatus::kFailed);
  EXPECT_EQ(ReasonOf(aged.engine()), "protocol_version");
}

TEST_F(RefusalTest, CbcAndRsaKeyExchangeHaveNothingInCommonWithUs) {
  HostSpec spec = Host("edge.example", ClientAuthMode::kOff);
  spec.credentials = {testing::MakeCredential(MakeLeaf(server_root_, {.key = TestKey::kRsa2048}))};
  TestHosts hosts({spec});
  for (const char* const ciphers : {"ECDHE-RSA-AES128-SHA", "AES128-GCM-SHA256", "AES128-SHA"}) {
    ClientOptions options = AnonymousClient(TLS1_2_VERSION);
    options.ciphers = ciphers;
    Pair pair(hosts.table(), options);
    EXPECT_EQ(pair.Handshake(), HandshakeStatus::kFailed) << ciphers;
    EXPECT_EQ(ReasonOf(pair.engine()), "no_shared_parameters") << ciphers;
    EXPECT_EQ(pair.client().alert(), SSL_AD_HANDSHAKE_FAILURE) << ciphers;
  }
}

TEST_F(RefusalTest, NoGroupSignatureOrProtocolInCommon) {
  for (const uint16_t version : kVersions) {
    HostSpec spec = Host("edge.example", ClientAuthMode::kOff);
    spec.groups = {"P-384"};
    spec.alpn = {"h2"};
    TestHosts hosts({spec});
    ClientOptions groups = AnonymousClient(version);
    groups.groups = "X25519";
    Pair first(hosts.table(), groups);
    EXPECT_EQ(first.Handshake(), HandshakeStatus::kFailed);
    EXPECT_EQ(ReasonOf(first.engine()), "no_shared_parameters") << version;

    ClientOptions signatures = AnonymousClient(version);
    signatures.verify_signatures = {SSL_SIGN_RSA_PSS_RSAE_SHA256};
    Pair second(hosts.table(), signatures);
    EXPECT_EQ(second.Handshake(), HandshakeStatus::kFailed);
    EXPECT_EQ(ReasonOf(second.engine()), "no_shared_parameters") << version;

    ClientOptions alpn = AnonymousClient(version);
    alpn.alpn = {"spdy/1"};
    Pair third(hosts.table(), alpn);
    EXPECT_EQ(third.Handshake(), HandshakeStatus::kFailed);
    EXPECT_EQ(ReasonOf(third.engine()), "no_shared_parameters") << version;
    EXPECT_EQ(third.client().alert(), SSL_AD_NO_APPLICATION_PROTOCOL);
  }
}

TEST_F(RefusalTest, RefuseTellsTheClientAndEndsTheEngine) {
  for (const uint16_t version : kVersions) {
    TestHosts hosts({Host("edge.example", ClientAuthMode::kRequire)});
    Pair pair(hosts.table(), GoodClient(version));
    (void)pair.client().Handshake();
    const std::vector<uint8_t> hello = pair.client().TakeOutput();
    std::span<const uint8_t> input(hello);
    ASSERT_EQ(pair.engine().Handshake(input, pair.sink()), HandshakeStatus::kWantRead);
    pair.engine().Refuse(Rejection::kTimeout, pair.sink());
    EXPECT_EQ(ReasonOf(pair.engine()), "timeout");
    EXPECT_EQ(pair.engine().failure().alert, SSL_AD_INTERNAL_ERROR);
    pair.Pump();
    (void)pair.client().Read();
    EXPECT_EQ(pair.client().alert(), SSL_AD_INTERNAL_ERROR);
    EXPECT_EQ(pair.engine().Handshake(input, pair.sink()), HandshakeStatus::kFailed);
    EXPECT_EQ(ReasonOf(pair.engine()), "timeout");
  }
}

TEST_F(RefusalTest, RefuseBeforeAnyByteIsAPlainAlertRecord) {
  TestHosts hosts({Host("edge.example", ClientAuthMode::kOff)});
  Pair pair(hosts.table(), AnonymousClient());
  pair.engine().Refuse(Rejection::kOverload, pair.sink());
  ASSERT_EQ(pair.to_client().size(), 7U);
  EXPECT_EQ(pair.to_client()[0], SSL3_RT_ALERT);
  EXPECT_EQ(pair.to_client()[6], SSL_AD_INTERNAL_ERROR);
}

TEST_F(RefusalTest, RefuseForAReasonWithoutAlertIsSilent) {
  TestHosts hosts({Host("edge.example", ClientAuthMode::kOff)});
  Pair pair(hosts.table(), AnonymousClient());
  pair.engine().Refuse(Rejection::kEof, pair.sink());
  EXPECT_TRUE(pair.to_client().empty());
  EXPECT_EQ(ReasonOf(pair.engine()), "eof");
}

}  // namespace
}  // namespace portcullis::tls
