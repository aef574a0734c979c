// What a reload would make of the clients seen recently: who counts, why, and what is allowed.
#include "core/server/dry_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/core/server/config_folder.h"
#include "tls/host_context.h"
#include "tls/identity_codec.h"

namespace portcullis::server {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using tls::Rejection;
using tls::testing::kDay;
using tls::testing::kNow;
using tls::testing::MakeBuffers;
using tls::testing::MakeCrlPem;
using tls::testing::MakeLeaf;
using tls::testing::TestCertificate;

using connection::SeenClient;

class DryRunTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::shared_ptr<const Snapshot> Load() const {
    auto snapshot = LoadSnapshot(folder_.path("portcullis.yaml"), kNow);
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    return snapshot.ok() ? *std::move(snapshot) : nullptr;
  }
  // A client as a worker remembers it that accepted `certificate` under the first host's trust.
  [[nodiscard]] static SeenClient Seen(const Snapshot& snapshot,
                                       const TestCertificate& certificate) {
    const ListenerSnapshot& listener = snapshot.listeners.front();
    const tls::ClientAuthSpec& auth = listener.hosts.front()->client_auth;
    auto verifier =
        tls::ClientVerifier::Create(auth.trust, tls::MakeVerifierOptions(auth, listener.options));
    const auto buffers = MakeBuffers({&certificate});
    CRYPTO_BUFFER* const chain[] = {buffers.front().get()};
    const tls::Verdict verdict = (*verifier)->Judge(chain, kNow);
    EXPECT_TRUE(verdict.accepted()) << tls::Name(verdict.rejection);
    return {.identity = verdict.identity, .judged_by = (*verifier)->options(), .resumed = false};
  }
  // The same of one who was only seen to resume.
  [[nodiscard]] static SeenClient SeenResumed(const Snapshot& snapshot,
                                              const TestCertificate& certificate) {
    SeenClient client = Seen(snapshot, certificate);
    client.identity = tls::DecodeIdentity(tls::EncodeIdentity(*client.identity, false));
    client.resumed = true;
    return client;
  }
  [[nodiscard]] TestCertificate Leaf(const std::string& name) const {
    return MakeLeaf(folder_.root(), {.common_name = name});
  }
  [[nodiscard]] static size_t Count(const DryRun& dry_run, Rejection reason) {
    return dry_run.reasons[static_cast<size_t>(reason)];
  }
  // The same name and key in another certificate.
  void RenewCa() const {
    const TestCertificate renewed = tls::testing::Reissue(
        folder_.root(), folder_.root(),
        {.common_name = "root", .not_after = kNow + 9000 * kDay, .is_ca = true});
    folder_.Write("ca.crt", renewed.Pem());
  }
  // A second host with the same trust, so that each of the two can be told to be stricter.
  void AddHostTwo(const std::string& client_auth) const {
    folder_.Edit("hosts: [one]", "default_host: one\n    hosts: [one, two]");
    folder_.Edit("trusts:\n",
                 "  - name: two\n    server_names: [two.example]\n"
                 "    certificates: [{folder: .}]\n    backend: app\n    client_auth: {" +
                     client_auth + "}\ntrusts:\n");
  }

  ConfigFolder folder_;
};

TEST_F(DryRunTest, TheSameAgainRefusesNobody) {
  const auto before = Load();
  const std::vector<SeenClient> clients = {Seen(*before, folder_.client())};
  const DryRun dry_run = TryOut(*before, *Load(), clients, kNow);
  EXPECT_EQ(dry_run.seen, 1U);
  EXPECT_EQ(dry_run.refused, 0U);
  EXPECT_TRUE(dry_run.complete);
}

TEST_F(DryRunTest, CountsTheRevokedAndThoseOfACaThatIsGone) {
  folder_.Write("ca.crt", folder_.root().Pem() + folder_.other_root().Pem());
  const auto before = Load();
  const TestCertificate revoked = Leaf("revoked");
  const std::vector<SeenClient> clients = {Seen(*before, folder_.client()), Seen(*before, revoked),
                                           Seen(*before, folder_.stranger())};
  folder_.Write("ca.crt", folder_.root().Pem());
  folder_.Write("ca.crl", MakeCrlPem(folder_.root(), {revoked.serial()}));
  folder_.Edit("ca: [ca.crt]", "ca: [ca.crt], crl: [ca.crl]");
  const DryRun dry_run = TryOut(*before, *Load(), clients, kNow);
  EXPECT_EQ(dry_run.seen, 3U);
  EXPECT_EQ(dry_run.refused, 2U);
  EXPECT_EQ(Count(dry_run, Rejection::kRevoked), 1U);
  EXPECT_EQ(Count(dry_run, Rejection::kUnknownCa), 1U);
}

TEST_F(DryRunTest, ARenewedCaThatStillVouchesRefusesNobody) {
  const auto before = Load();
  const std::vector<SeenClient> clients = {Seen(*before, folder_.client())};
  RenewCa();
  const DryRun dry_run = TryOut(*before, *Load(), clients, kNow);
  EXPECT_EQ(dry_run.seen, 1U);
  EXPECT_EQ(dry_run.refused, 0U) << "the path remembered is gone, but there is another";
}

TEST_F(DryRunTest, ANewPolicyCounts) {
  const auto before = Load();
  const std::vector<SeenClient> clients = {Seen(*before, folder_.client()),
                                           Seen(*before, Leaf("other"))};
  folder_.Edit("trust: clients}", "trust: clients, policy: {allow: [{common_name: client}]}}");
  const DryRun dry_run = TryOut(*before, *Load(), clients, kNow);
  EXPECT_EQ(dry_run.seen, 2U);
  EXPECT_EQ(Count(dry_run, Rejection::kPolicyDenied), 1U);
}

TEST_F(DryRunTest, WhomTheOldConfigurationRefusesTooIsNotCounted) {
  const auto first = Load();
  const std::vector<SeenClient> clients = {Seen(*first, folder_.client())};
  folder_.Write("ca.crt", folder_.other_root().Pem());
  const auto before = Load();
  const DryRun dry_run = TryOut(*before, *Load(), clients, kNow);
  EXPECT_EQ(dry_run.seen, 0U);
  EXPECT_EQ(dry_run.refused, 0U);
}

TEST_F(DryRunTest, OneHostThatRefusesIsEnoughAndOneThatAlwaysDidIsNot) {
  AddHostTwo("mode: require, trust: clients, policy: {allow: [{common_name: nobody}]}");
  const auto before = Load();
  const std::vector<SeenClient> clients = {Seen(*before, folder_.client())};
  EXPECT_EQ(TryOut(*before, *Load(), clients, kNow).refused, 0U);

  folder_.Edit("common_name: nobody", "common_name: client");
  const auto both = Load();
  folder_.Edit("common_name: client", "common_name: nobody");
  const DryRun dry_run = TryOut(*both, *Load(), clients, kNow);
  EXPECT_EQ(dry_run.seen, 1U);
  EXPECT_EQ(dry_run.refused, 1U);
}

// The leaf has no extensions: the strict profile would never have let it in.
TEST_F(DryRunTest, WhatAStricterHostWithTheSameTrustNeverAcceptedIsNotHeldAgainstTheNewOne) {
  AddHostTwo("mode: require, trust: clients, profile: strict");
  const auto before = Load();
  const TestCertificate plain = MakeLeaf(folder_.root(), {.common_name = "plain", .v1 = true});
  const std::vector<SeenClient> clients = {Seen(*before, plain)};
  folder_.Write("ca.crt", folder_.root().Pem() + folder_.other_root().Pem());
  const DryRun dry_run = TryOut(*before, *Load(), clients, kNow);
  EXPECT_EQ(dry_run.seen, 1U);
  EXPECT_EQ(dry_run.refused, 0U);
}

TEST_F(DryRunTest, AClientThatOnlyResumedCounts) {
  folder_.Write("ca.crt", folder_.root().Pem() + folder_.other_root().Pem());
  const auto before = Load();
  const TestCertificate revoked = Leaf("revoked");
  const std::vector<SeenClient> clients = {SeenResumed(*before, folder_.client()),
                                           SeenResumed(*before, revoked),
                                           SeenResumed(*before, folder_.stranger())};
  EXPECT_EQ(TryOut(*before, *before, clients, kNow).seen, 3U);
  EXPECT_EQ(TryOut(*before, *before, clients, kNow).refused, 0U);
  folder_.Write("ca.crt", folder_.root().Pem());
  folder_.Write("ca.crl", MakeCrlPem(folder_.root(), {revoked.serial()}));
  folder_.Edit("ca: [ca.crt]", "ca: [ca.crt], crl: [ca.crl]");
  const DryRun dry_run = TryOut(*before, *Load(), clients, kNow);
  EXPECT_EQ(dry_run.seen, 3U);
  EXPECT_EQ(Count(dry_run, Rejection::kRevoked), 1U);
  EXPECT_EQ(Count(dry_run, Rejection::kUnknownCa), 1U);
}

// Its ticket does not tell what the strict profile would have made of it.
TEST_F(DryRunTest, AResumedClientIsHeldToTheRulesThatItWasLetInBy) {
  AddHostTwo("mode: require, trust: clients, profile: strict");
  const auto before = Load();
  const std::vector<SeenClient> clients = {SeenResumed(*before, folder_.client())};
  folder_.Edit("profile: strict}", "profile: strict, policy: {allow: [{common_name: nobody}]}}");
  EXPECT_EQ(TryOut(*before, *Load(), clients, kNow).seen, 1U);
  EXPECT_EQ(TryOut(*before, *Load(), clients, kNow).refused, 0U);
  folder_.Edit("client_auth: {mode: require, trust: clients}",
               "client_auth: {mode: require, trust: clients, profile: strict}");
  EXPECT_EQ(TryOut(*before, *Load(), clients, kNow).refused, 1U);
}

// One worker knows a ticket of it, another its chain, which holds under the renewed CA.
TEST_F(DryRunTest, AChainThatAnotherWorkerKnowsSpeaksForAResumedClient) {
  const auto before = Load();
  const std::vector<SeenClient> clients = {SeenResumed(*before, folder_.client()),
                                           Seen(*before, folder_.client())};
  RenewCa();
  const DryRun dry_run = TryOut(*before, *Load(), clients, kNow);
  EXPECT_EQ(dry_run.seen, 1U);
  EXPECT_EQ(dry_run.refused, 0U);
}

TEST_F(DryRunTest, AHostOfAnotherNameIsFoundByItsServerNames) {
  const auto before = Load();
  const std::vector<SeenClient> clients = {Seen(*before, folder_.client())};
  folder_.Edit("  - name: one\n", "  - name: renamed\n");
  folder_.Edit("hosts: [one]", "hosts: [renamed]");
  EXPECT_EQ(TryOut(*before, *Load(), clients, kNow).refused, 0U);
  folder_.Write("ca.crt", folder_.other_root().Pem());
  EXPECT_EQ(TryOut(*before, *Load(), clients, kNow).refused, 1U);
}

TEST_F(DryRunTest, AHostThatIsSplitIsAllOfItsParts) {
  folder_.Edit("server_names: [one.example]", "server_names: [one.example, two.example]");
  const auto before = Load();
  const std::vector<SeenClient> clients = {Seen(*before, folder_.client())};
  folder_.Edit("server_names: [one.example, two.example]", "server_names: [one.example]");
  AddHostTwo("mode: require, trust: clients, policy: {allow: [{common_name: nobody}]}");
  const DryRun dry_run = TryOut(*before, *Load(), clients, kNow);
  EXPECT_EQ(dry_run.seen, 1U);
  EXPECT_EQ(Count(dry_run, Rejection::kPolicyDenied), 1U);
}

TEST_F(DryRunTest, ANameThatGoesToAWildcardIsJudgedThere) {
  AddHostTwo("mode: require, trust: clients");
  folder_.Edit("server_names: [two.example]", "server_names: ['*.two.example', a.two.example]");
  const auto before = Load();
  const std::vector<SeenClient> clients = {Seen(*before, folder_.client())};
  folder_.Edit("server_names: ['*.two.example', a.two.example]", "server_names: [other.example]");
  folder_.Edit("server_names: [one.example]", "server_names: [one.example, '*.two.example']");
  EXPECT_EQ(TryOut(*before, *Load(), clients, kNow).refused, 0U);
  folder_.Edit("trust: clients}\n    backend: app\n  - name: two",
               "trust: clients, policy: {allow: [{common_name: nobody}]}}\n    backend: app\n"
               "  - name: two");
  EXPECT_EQ(TryOut(*before, *Load(), clients, kNow).refused, 1U);
}

// Whoever asks for a name that no host has any more gets the listener's default.
TEST_F(DryRunTest, TheDefaultHostJudgesForAHostWhoseNamesAreGone) {
  AddHostTwo("mode: require, trust: clients");
  folder_.Edit("default_host: one", "default_host: one\n    unknown_sni: refuse");
  const auto before = Load();
  const std::vector<SeenClient> clients = {Seen(*before, folder_.client())};
  folder_.Edit("  - name: two\n", "  - name: three\n");
  folder_.Edit("hosts: [one, two]", "hosts: [one, three]");
  folder_.Edit("server_names: [two.example]", "server_names: [three.example]");
  folder_.Edit("trust: clients}\ntrusts", "trust: strangers}\ntrusts");
  folder_.Write("other.crt", folder_.other_root().Pem());
  folder_.Edit("trusts:\n", "trusts:\n  - {name: strangers, ca: [other.crt]}\n");
  EXPECT_EQ(TryOut(*before, *Load(), clients, kNow).refused, 0U) << "nobody gets there by name";
  folder_.Edit("default_host: one\n    unknown_sni: refuse", "default_host: three");
  EXPECT_EQ(TryOut(*before, *Load(), clients, kNow).refused, 1U);
}

TEST_F(DryRunTest, AHostThatAsksNoLongerOrIsGoneOrForgivesRefusesNobody) {
  const auto before = Load();
  const std::vector<SeenClient> clients = {Seen(*before, folder_.client())};
  folder_.Write("ca.crt", folder_.other_root().Pem());
  EXPECT_EQ(TryOut(*before, *Load(), clients, kNow).refused, 1U);
  folder_.Edit("mode: require", "mode: optional_no_ca");
  EXPECT_EQ(TryOut(*before, *Load(), clients, kNow).refused, 0U);
  folder_.Edit("{mode: optional_no_ca, trust: clients}", "{mode: off}");
  EXPECT_EQ(TryOut(*before, *Load(), clients, kNow).refused, 0U);
  folder_.Edit("{mode: off}", "{mode: require, trust: clients}");
  folder_.Edit("  - name: one\n    server_names: [one.example]",
               "  - name: other\n    server_names: [other.example]");
  folder_.Edit("hosts: [one]", "hosts: [other]\n    unknown_sni: refuse");
  const DryRun dry_run = TryOut(*before, *Load(), clients, kNow);
  EXPECT_EQ(dry_run.seen, 1U);
  EXPECT_EQ(dry_run.refused, 0U);
}

TEST_F(DryRunTest, AClientThatSeveralWorkersKnowIsOne) {
  const auto before = Load();
  const SeenClient client = Seen(*before, folder_.client());
  const std::vector<SeenClient> clients = {client, Seen(*before, folder_.client()), client};
  folder_.Write("ca.crt", folder_.other_root().Pem());
  const DryRun dry_run = TryOut(*before, *Load(), clients, kNow);
  EXPECT_EQ(dry_run.seen, 1U);
  EXPECT_EQ(dry_run.refused, 1U);
}

TEST_F(DryRunTest, WithoutTimeItSaysThatItIsNotComplete) {
  const auto before = Load();
  const std::vector<SeenClient> clients = {Seen(*before, folder_.client())};
  const DryRun dry_run = TryOut(*before, *before, clients, kNow, std::chrono::milliseconds(0));
  EXPECT_EQ(dry_run.seen, 0U);
  EXPECT_FALSE(dry_run.complete);
  EXPECT_THAT(Describe(dry_run), HasSubstr("more than could be judged in time"));
}

DryRun Figures(size_t seen, size_t revoked, size_t unknown_ca) {
  DryRun dry_run{.seen = seen, .refused = revoked + unknown_ca};
  dry_run.reasons[static_cast<size_t>(Rejection::kRevoked)] = revoked;
  dry_run.reasons[static_cast<size_t>(Rejection::kUnknownCa)] = unknown_ca;
  return dry_run;
}

TEST(DryRunDescribe, NamesTheMostFrequentReasonFirst) {
  EXPECT_EQ(Describe(Figures(4101, 300, 12)),
            "of 4101 clients seen recently the new trust would refuse 312: revoked 300, "
            "unknown_ca 12");
  EXPECT_EQ(Describe(Figures(2, 0, 0)), "of 2 clients seen recently the new trust would refuse 0");
}

TEST(DryRunCheckBound, RefusesOverTheBoundAndNotAtIt) {
  using config::Reload;
  const DryRun tenth = Figures(40, 4, 0);
  EXPECT_TRUE(CheckBound(tenth, {.is_percent = true, .refuse_over = 10}).ok());
  EXPECT_FALSE(CheckBound(tenth, {.is_percent = true, .refuse_over = 9}).ok());
  EXPECT_TRUE(CheckBound(tenth, {.is_percent = false, .refuse_over = 4}).ok());
  const absl::Status over = CheckBound(tenth, {.is_percent = false, .refuse_over = 3});
  EXPECT_EQ(over.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(over.message()),
              AllOf(HasSubstr("of 40 clients"), HasSubstr("would refuse 4: revoked 4"),
                    HasSubstr("reload.refuse_over is 3")));
  EXPECT_TRUE(CheckBound(Figures(40, 40, 0), {}).ok()) << "100% is never";
  EXPECT_TRUE(CheckBound(Figures(0, 0, 0), {.is_percent = true, .refuse_over = 0}).ok());
  EXPECT_FALSE(CheckBound(Figures(9, 1, 0), {.is_percent = true, .refuse_over = 0}).ok());
}

}  // namespace
}  // namespace portcullis::server
