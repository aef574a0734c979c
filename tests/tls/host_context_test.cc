#include "tls/host_context.h"

#include <openssl/err.h>

#include <string>
#include <vector>

#include "tests/tls/engine_fixture.h"
#include "tls/boringssl_compat.h"

namespace portcullis::tls {
namespace {

using ::testing::AllOf;
using testing::EngineTest;
using ::testing::HasSubstr;
using testing::MakeCredential;
using testing::MakeLeaf;
using testing::MakeTrust;
using testing::TestCertificate;
using testing::TestKey;

class HostContextTest : public EngineTest {
 protected:
  [[nodiscard]] std::string ErrorOf(const HostSpec& spec) {
    tls::Host host;
    host.spec = &spec;
    const absl::Status status = MakeHostContexts(host, {}, verifiers_, contexts_);
    EXPECT_EQ(ERR_peek_error(), 0U);
    return status.ok() ? "no error" : std::string(status.message());
  }
  [[nodiscard]] tls::Host Made(const HostSpec& spec) {
    tls::Host host;
    host.spec = &spec;
    EXPECT_TRUE(MakeHostContexts(host, {}, verifiers_, contexts_).ok());
    return host;
  }

  VerifierSet verifiers_;
  ContextSet contexts_;
};

TEST_F(HostContextTest, BadCiphersNameTheHost) {
  HostSpec spec = Host("edge", ClientAuthMode::kOff);
  for (const char* const ciphers : {"NO-SUCH-CIPHER", "ECDHE-RSA-AES128-GCM-SHA256:typo", ":"}) {
    spec.ciphers = ciphers;
    EXPECT_THAT(ErrorOf(spec), AllOf(HasSubstr("host edge"), HasSubstr("ciphers"))) << ciphers;
  }
  spec.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384";
  EXPECT_EQ(ErrorOf(spec), "no error");
}

TEST_F(HostContextTest, BadGroupsNameHostAndGroup) {
  HostSpec spec = Host("edge", ClientAuthMode::kOff);
  spec.groups = {"X25519", "P-999"};
  EXPECT_THAT(ErrorOf(spec), AllOf(HasSubstr("host edge"), HasSubstr("\"P-999\"")));
  spec.groups = {"X25519:P-256"};
  EXPECT_THAT(ErrorOf(spec), HasSubstr("X25519:P-256"));
  spec.groups = {"P-256", "secp256r1"};
  EXPECT_THAT(ErrorOf(spec), HasSubstr("twice"));
}

TEST_F(HostContextTest, GroupsGoByAllTheirNames) {
  EXPECT_EQ(*GroupList({"secp256r1", "SECP384R1", "secp521r1", "x25519"}),
            "P-256:P-384:P-521:x25519");
  EXPECT_EQ(*GroupList({"prime256v1"}), "prime256v1");
  EXPECT_EQ(*GroupList({}), compat::kDefaultGroups);
  EXPECT_EQ(GroupList({"X25519MLKEM768"}).ok(), compat::kHasMlKem);
}

TEST_F(HostContextTest, VersionsMustBeARangeWithinOurs) {
  HostSpec spec = Host("edge", ClientAuthMode::kOff);
  spec.min_version = TLS1_1_VERSION;
  EXPECT_THAT(ErrorOf(spec), AllOf(HasSubstr("host edge"), HasSubstr("1.2")));
  spec.min_version = TLS1_3_VERSION;
  spec.max_version = TLS1_2_VERSION;
  EXPECT_THAT(ErrorOf(spec), HasSubstr("host edge"));
}

TEST_F(HostContextTest, MissingPartsNameTheHost) {
  HostSpec spec = Host("edge", ClientAuthMode::kOff);
  spec.credentials.clear();
  EXPECT_THAT(ErrorOf(spec), AllOf(HasSubstr("host edge"), HasSubstr("certificate")));
  spec = Host("edge", ClientAuthMode::kRequire);
  spec.client_auth.trust = nullptr;
  EXPECT_THAT(ErrorOf(spec), AllOf(HasSubstr("host edge"), HasSubstr("no CA")));
  spec = Host("edge", ClientAuthMode::kOff);
  spec.alpn = {""};
  EXPECT_THAT(ErrorOf(spec), AllOf(HasSubstr("host edge"), HasSubstr("ALPN")));
}

TEST_F(HostContextTest, CredentialFaultsNameHostAndFile) {
  HostSpec spec = Host("edge", ClientAuthMode::kOff);
  spec.credentials[0].key_pem = client_.KeyPem();
  EXPECT_THAT(ErrorOf(spec),
              AllOf(HasSubstr("host edge"), HasSubstr("tls.crt"), HasSubstr("does not belong")));
}

TEST_F(HostContextTest, AHostKnowsItsKeysAndVersions) {
  HostSpec spec = Host("edge", ClientAuthMode::kRequire);
  spec.credentials.push_back(MakeCredential(MakeLeaf(server_root_, {.key = TestKey::kRsa2048})));
  const tls::Host host = Made(spec);
  EXPECT_EQ(host.contexts.size(), 2U);
  EXPECT_THAT(host.key_kinds, ::testing::ElementsAre(KeyKind::kEcdsaP256, KeyKind::kRsa));
  EXPECT_THAT(host.wire_versions, ::testing::ElementsAre(TLS1_3_VERSION, TLS1_2_VERSION));
  EXPECT_NE(host.verifier, nullptr);
  EXPECT_EQ(host.groups, "");  // the base context's
}

TEST_F(HostContextTest, TheEpochFollowsClientAuthAndNotTheServersCertificate) {
  const HostSpec spec = Host("edge", ClientAuthMode::kRequire);
  const uint64_t epoch = Made(spec).epoch;
  HostSpec renewed = spec;
  renewed.credentials = {MakeCredential(MakeLeaf(server_root_, {}))};
  EXPECT_EQ(Made(renewed).epoch, epoch);
  EXPECT_EQ(Made(renewed).session_context, Made(spec).session_context);
  HostSpec other = spec;
  other.client_auth.mode = ClientAuthMode::kOptional;
  EXPECT_NE(Made(other).epoch, epoch);
  other = spec;
  const TestCertificate root = testing::MakeRoot({.common_name = "new"});
  other.client_auth.trust = MakeTrust({&root});
  EXPECT_NE(Made(other).epoch, epoch);
  other = spec;
  other.name = "core";
  EXPECT_EQ(Made(other).epoch, epoch);
  EXPECT_NE(Made(other).session_context, Made(spec).session_context);
}

TEST_F(HostContextTest, ThousandsOfCasDoNotOverflowTheCertificateRequest) {
  std::vector<PemSource> sources;
  for (int i = 0; i < 700; ++i) {
    sources.push_back(
        {testing::MakeRoot({.common_name = "certification authority number " + std::to_string(i),
                            .organization = std::string(60, 'o')})
             .Pem(),
         "ca.crt"});
  }
  HostSpec spec = Host("edge.example", ClientAuthMode::kRequire);
  spec.client_auth.trust = *TrustMaterial::Parse("many", {.cas = sources}, {}, {}, testing::kNow);
  for (const CaNames names : {CaNames::kAuto, CaNames::kFit, CaNames::kNone}) {
    spec.client_auth.ca_names = names;
    testing::TestHosts hosts({spec});
    for (const uint16_t version : testing::kVersions) {
      testing::ClientOptions options = GoodClient(version);
      testing::Pair pair(hosts.table(), options);
      EXPECT_EQ(pair.Handshake(), HandshakeStatus::kFailed);  // not one of theirs
      EXPECT_EQ(testing::ReasonOf(pair.engine()), "unknown_ca");
      const size_t sent = pair.client().num_ca_names();
      if (names == CaNames::kFit) {
        EXPECT_GT(sent, 300U);
        EXPECT_LT(sent, 700U);
      } else {
        EXPECT_EQ(sent, 0U);
      }
    }
  }
}

}  // namespace
}  // namespace portcullis::tls
