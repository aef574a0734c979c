#include "metrics/facts.h"

#include <gtest/gtest.h>

#include <thread>

namespace portcullis::metrics {
namespace {

TEST(Facts, CountsReloadsByOutcomeAndKeepsTheLastError) {
  Facts facts({"1.2.3", "abc", "boring"}, 2, 1'000);
  facts.RecordLoad(1'001);
  EXPECT_EQ(facts.Take().last_reload_success, 1'001);
  EXPECT_EQ(facts.Take().reloads_ok, 0u) << "the first load is no reload";
  facts.RecordReload(1'010, "portcullis.yaml:3: no");
  EXPECT_EQ(facts.Take().reloads_failed, 1u);
  EXPECT_EQ(facts.Take().last_reload_success, 1'001) << "the old config is still the one in use";
  EXPECT_EQ(facts.Take().last_reload_error, "portcullis.yaml:3: no");
  facts.RecordReload(1'020, "");
  const FactsSnapshot snapshot = facts.Take();
  EXPECT_EQ(snapshot.reloads_ok, 1u);
  EXPECT_EQ(snapshot.reloads_failed, 1u);
  EXPECT_EQ(snapshot.last_reload_success, 1'020);
  EXPECT_EQ(snapshot.last_reload_error, "");
  EXPECT_EQ(snapshot.build.version, "1.2.3");
  EXPECT_EQ(snapshot.num_workers, 2u);
  EXPECT_EQ(snapshot.start_time, 1'000);
}

TEST(Facts, TheLastDryRunIsKept) {
  Facts facts({}, 1, 0);
  facts.RecordDryRun({.accepted = 3, .refused = 1});
  facts.RecordDryRun({.accepted = 2, .refused = 5});
  EXPECT_EQ(facts.Take().dry_run.accepted, 2u);
  EXPECT_EQ(facts.Take().dry_run.refused, 5u);
}

TEST(Facts, CertificatesAndCrlsAreReplacedAsAWhole) {
  Facts facts({}, 1, 0);
  facts.SetCertificates({{CertificateKind::kServer, "a", "CN=a", "01", 10},
                         {CertificateKind::kCa, "t", "CN=ca", "02", 20}});
  facts.SetCrls({{"t", "CN=ca", 30}});
  facts.SetCertificates({{CertificateKind::kServer, "b", "CN=b", "03", 40}});
  const FactsSnapshot snapshot = facts.Take();
  ASSERT_EQ(snapshot.certificates.size(), 1u);
  EXPECT_EQ(snapshot.certificates[0].name, "b");
  EXPECT_EQ(snapshot.crls.size(), 1u);
}

TEST(Facts, MayBeReadWhileTheSupervisorReloads) {
  constexpr uint64_t kReloads = 2'000;
  Facts facts({}, 1, 0);
  std::thread supervisor([&] {
    for (uint64_t i = 1; i <= kReloads; ++i) {
      facts.SetCertificates(
          {{CertificateKind::kServer, "a", "CN=a", "01", static_cast<int64_t>(i)}});
      facts.RecordReload(static_cast<int64_t>(i), i % 2 == 0 ? "" : "broken");
    }
  });
  uint64_t seen = 0;
  while (seen < kReloads) {
    const FactsSnapshot snapshot = facts.Take();
    const uint64_t now = snapshot.reloads_ok + snapshot.reloads_failed;
    ASSERT_GE(now, seen);
    seen = now;
  }
  supervisor.join();
  EXPECT_EQ(facts.Take().reloads_ok, kReloads / 2);
}

}  // namespace
}  // namespace portcullis::metrics
