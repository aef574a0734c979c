#include "metrics/collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#include "metrics/catalogue.h"

namespace portcullis::metrics {
namespace {

using testing::HasSubstr;
using testing::Not;

Reasons SomeReasons() {
  return {{"none", false}, {"expired", true}, {"revoked", true}, {"eof", false}};
}

// A terminator in miniature: what the supervisor owns, with a listener and a backend.
struct World {
  ShardSet shards{2, SomeReasons()};
  Facts facts{{"0.1.0", "abcdef", "BoringSSL"}, 2, 1'700'000'000};
  Counter lines_lost;
  Collector collector{shards, facts, &lines_lost};
  size_t edge = *shards.AddListener("edge");
  size_t app = *shards.AddBackend("app");

  std::string Text() const { return prometheus::TextSerializer().Serialize(collector.Collect()); }
};

// Runs `promtool check metrics` on `text`; returns its output and exit status.
std::pair<std::string, int> Promtool(const std::string& text) {
  const char* promtool = std::getenv("PROMTOOL");
  if (promtool == nullptr || access(promtool, X_OK) != 0)
    return {"PROMTOOL does not name promtool", -1};
  const std::string path = testing::TempDir() + "/exposition_" + std::to_string(getpid());
  std::ofstream(path) << text;
  FILE* pipe = popen((std::string(promtool) + " check metrics <" + path + " 2>&1").c_str(), "r");
  std::string output;
  char buffer[4096];
  for (size_t n = 0; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) output.append(buffer, n);
  const int status = pclose(pipe);
  std::remove(path.c_str());
  return {output, WIFEXITED(status) ? WEXITSTATUS(status) : -1};
}

TEST(Collector, SignaturesAreToldByLibraryThreadAndResult) {
  World world;
  for (const size_t worker : {0U, 1U}) {
    world.shards.shard(worker).CountKeyOperation(1, SigningThread::kHelper, KeyResult::kOk);
    world.shards.shard(worker).helper_signature_duration.Record(4'000'000);
  }
  world.shards.shard(1).CountKeyOperation(0, SigningThread::kWorker, KeyResult::kFailed);
  const std::string text = world.Text();
  const std::string name = "\nportcullis_private_key_operations_total";
  EXPECT_THAT(text, HasSubstr(name + "{provider=\"system\",thread=\"helper\",result=\"ok\"} 2\n"));
  EXPECT_THAT(text,
              HasSubstr(name + "{provider=\"builtin\",thread=\"worker\",result=\"failed\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(name + "{provider=\"builtin\",thread=\"worker\",result=\"ok\"} 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("thread=\"worker\",result=\"abandoned\"")));
  EXPECT_THAT(text, HasSubstr("\nportcullis_helper_signature_duration_seconds_count 2\n"));
}

TEST(Collector, ExportsExactlyTheCatalogueWithItsLabels) {
  World world;
  world.facts.SetCertificates({{CertificateKind::kServer, "h", "CN=h", "01", 1'800'000'000, 9}});
  world.facts.SetCrls({{"t", "CN=ca", 1'800'000'000}});
  const auto families = world.collector.Collect();
  ASSERT_EQ(families.size(), kNumMetrics);
  for (size_t i = 0; i < families.size(); ++i) {
    const MetricInfo& info = Catalogue()[i];
    EXPECT_EQ(families[i].name, info.name);
    EXPECT_EQ(families[i].help, info.help);
    EXPECT_FALSE(families[i].metric.empty())
        << info.name << " is in the catalogue and has no series";
    for (const auto& series : families[i].metric) {
      std::string labels;
      for (const auto& label : series.label) labels += (labels.empty() ? "" : ",") + label.name;
      EXPECT_EQ(labels, info.labels) << info.name;
    }
  }
}

TEST(Collector, NoSeriesComesTwice) {
  World world;
  // Two certificates with the same labels (the same one in two files) and one apart by its serial.
  world.facts.SetCertificates({{CertificateKind::kServer, "h", "CN=h", "01", 1'900'000'000},
                               {CertificateKind::kServer, "h", "CN=h", "01", 1'800'000'000},
                               {CertificateKind::kServer, "h", "CN=h", "02", 1'850'000'000, 7}});
  world.facts.SetCrls({{"t", "CN=ca", 5}, {"t", "CN=ca", 3}, {"t", "CN=other", 0}});
  for (const auto& family : world.collector.Collect()) {
    std::set<std::vector<prometheus::ClientMetric::Label>> seen;
    for (const auto& series : family.metric)
      EXPECT_TRUE(seen.insert(series.label).second) << family.name;
  }
  const std::string text = world.Text();
  EXPECT_THAT(text, HasSubstr(R"(name="h",subject="CN=h",serial="01"} 1800000000)"))
      << "the soonest counts";
  EXPECT_THAT(text, HasSubstr(R"(name="h",subject="CN=h",serial="02"} 1850000000)"));
  EXPECT_THAT(text, HasSubstr(R"({trust="t",issuer="CN=ca"} 3)"));
  EXPECT_THAT(text, HasSubstr(R"(timestamp_seconds{name="h",subject="CN=h",serial="02"} 7)"));
  EXPECT_THAT(text, Not(HasSubstr("CN=other"))) << "a list that does not say when it is due";
}

TEST(Collector, ReasonsAndHandshakesAreThereBeforeTheirFirstEvent) {
  const World world;
  const std::string text = world.Text();
  for (const char* reason : {"expired", "revoked", "eof"}) {
    EXPECT_THAT(text,
                HasSubstr("portcullis_handshake_rejections_total{listener=\"edge\",reason=\"" +
                          std::string(reason) + "\"} 0\n"));
  }
  EXPECT_THAT(text, Not(HasSubstr("rejections_total{listener=\"edge\",reason=\"none\"")));
  EXPECT_THAT(
      text, HasSubstr("portcullis_handshake_duration_seconds_count{listener=\"edge\",result=\"ok\","
                      "version=\"1.3\",resumed=\"true\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("portcullis_handshake_duration_seconds_count{listener=\"edge\","
                              "result=\"rejected\",version=\"1.2\",resumed=\"false\"} 0\n"));
  EXPECT_THAT(
      text,
      HasSubstr("verdicts_total{listener=\"edge\",verdict=\"rejected\",reason=\"revoked\"} 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("verdict=\"rejected\",reason=\"eof\"")))
      << "eof judges no certificate";
  EXPECT_THAT(text,
              HasSubstr("verdicts_total{listener=\"edge\",verdict=\"none\",reason=\"none\"} 0\n"));
}

TEST(Collector, NumbersMoveByExactlyWhatWasDone) {
  World world;
  ListenerShard& one = world.shards.shard(0).listener(world.edge);
  ListenerShard& two = world.shards.shard(1).listener(world.edge);
  one.RecordHandshake(HandshakeResult::kOk, TlsVersion::kTls13, false, 1'000'000);
  two.RecordHandshake(HandshakeResult::kOk, TlsVersion::kTls13, false, 3'000'000);
  two.RecordHandshake(HandshakeResult::kRejected, TlsVersion::kTls12, true, 1);
  two.CountRejection(1);
  two.CountVerdict(ChainVerdict::kRejected, 1);
  one.CountVerdict(ChainVerdict::kAccepted);
  one.accept_failures.Add(2);
  two.accept_failures.Add(1);
  one.CountLapse(1);
  two.CountLapse(1);
  one.CountRefusedResumption(1);
  world.shards.shard(1).verdict_cache_hits.Add(5);
  world.shards.shard(1).ring_recv_pauses.MirrorTotal(7);
  world.shards.shard(1).ring_cancel_misses.MirrorTotal(2);
  world.shards.shard(1).verdict_cache_entries.Set(3);
  for (size_t worker : {0, 1}) {
    world.shards.shard(worker).CountOcspAnswer(OcspResult::kRevoked, 3'000'000);
    world.shards.shard(worker).ocsp_cache_hits.Add(4);
  }
  one.CountBytes(Side::kClient, Direction::kReceive, 7);
  one.CountRequest(404);
  world.shards.shard(1).backend(world.app).CountConnect(ConnectResult::kRefused);
  world.shards.shard(1).busy_ns.Add(1'500'000'000);
  world.shards.shard(1).log_lines_dropped.Add(2);
  world.lines_lost.Add(6);
  world.facts.RecordReload(1'700'000'100, "");
  world.facts.RecordReload(1'700'000'200, "broken");
  world.facts.RecordDryRun({.accepted = 9, .refused = 4});

  const std::string text = world.Text();
  const std::string ok = "{listener=\"edge\",result=\"ok\",version=\"1.3\",resumed=\"false\"";
  EXPECT_THAT(text, HasSubstr("portcullis_handshake_duration_seconds_count" + ok + "} 2\n"));
  EXPECT_THAT(text, HasSubstr("portcullis_handshake_duration_seconds_sum" + ok + "} 0.004\n"));
  EXPECT_THAT(text, HasSubstr("portcullis_handshake_duration_seconds_bucket" + ok +
                              ",le=\"0.00075\"} 0\n"));
  EXPECT_THAT(
      text, HasSubstr("portcullis_handshake_duration_seconds_bucket" + ok + ",le=\"0.001\"} 1\n"));
  EXPECT_THAT(
      text, HasSubstr("portcullis_handshake_duration_seconds_bucket" + ok + ",le=\"0.003\"} 2\n"));
  EXPECT_THAT(text,
              HasSubstr("portcullis_handshake_duration_seconds_bucket" + ok + ",le=\"+Inf\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("result=\"rejected\",version=\"1.2\",resumed=\"true\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("rejections_total{listener=\"edge\",reason=\"expired\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("{listener=\"edge\",verdict=\"rejected\",reason=\"expired\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("{listener=\"edge\",verdict=\"accepted\",reason=\"none\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("portcullis_accept_failures_total{listener=\"edge\"} 3\n"));
  EXPECT_THAT(text,
              HasSubstr("connections_lapsed_total{listener=\"edge\",reason=\"expired\"} 2\n"));
  EXPECT_THAT(text,
              HasSubstr("resumptions_refused_total{listener=\"edge\",reason=\"expired\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("lapsed_total{listener=\"edge\",reason=\"eof\"}")));
  EXPECT_THAT(text, HasSubstr("portcullis_verdict_cache_hits_total{worker=\"1\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("portcullis_ring_receive_pauses_total{worker=\"1\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("portcullis_ring_cancel_misses_total{worker=\"1\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("portcullis_verdict_cache_entries{worker=\"1\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("ocsp_fetch_duration_seconds_count{result=\"revoked\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("ocsp_fetch_duration_seconds_count{result=\"unavailable\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("portcullis_ocsp_cache_hits_total 8\n"));
  EXPECT_THAT(text, HasSubstr("{listener=\"edge\",side=\"client\",direction=\"rx\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("{listener=\"edge\",code=\"4xx\"} 1\n"));
  EXPECT_THAT(
      text, HasSubstr("portcullis_backend_connects_total{backend=\"app\",result=\"refused\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("portcullis_worker_busy_seconds_total{worker=\"1\"} 1.5\n"));
  EXPECT_THAT(text, HasSubstr("portcullis_worker_log_lines_dropped_total{worker=\"1\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("portcullis_log_lines_lost_total 6\n"));
  EXPECT_THAT(text, HasSubstr("portcullis_config_reloads_total{result=\"success\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("portcullis_config_reloads_total{result=\"failure\"} 1\n"));
  EXPECT_THAT(text,
              HasSubstr("portcullis_config_last_reload_success_timestamp_seconds 1700000100\n"));
  EXPECT_THAT(text, HasSubstr("portcullis_reload_dry_run_identities{result=\"accepted\"} 9\n"));
  EXPECT_THAT(text, HasSubstr("portcullis_reload_dry_run_identities{result=\"refused\"} 4\n"));
  EXPECT_THAT(text,
              HasSubstr(R"(build_info{version="0.1.0",commit="abcdef",boringssl="BoringSSL"} 1)"));
}

TEST(Collector, PromtoolFindsNothingToSay) {
  World world;
  world.facts.SetCertificates(
      {{CertificateKind::kServer, "h", "CN=\"quoted\\ \n\xFF\xC3\xA9", "01", 1'800'000'000},
       {CertificateKind::kCa, "t", "CN=My Cert Authority", "02", 1'900'000'000}});
  world.facts.SetCrls({{"t", "CN=My Cert Authority", 1'800'000'000}});
  world.shards.shard(0)
      .listener(world.edge)
      .RecordHandshake(HandshakeResult::kOk, TlsVersion::kTls13, false, 1'234'567);
  const auto [output, status] = Promtool(world.Text());
  EXPECT_EQ(status, 0) << output;
  EXPECT_EQ(output, "");
}

TEST(Collector, PromtoolWouldHaveFoundAFault) {
  const auto [output, status] = Promtool("# TYPE a_counter counter\na_counter 1\n");
  EXPECT_EQ(status, 3) << output;
  EXPECT_THAT(output, HasSubstr("_total"));
}

TEST(Collector, CollectsWhileWorkersCountAndNamesAreAdded) {
  World world;
  std::thread worker([&] {
    ListenerShard& listener = world.shards.shard(0).listener(world.edge);
    for (int i = 0; i < 20'000; ++i) {
      listener.RecordHandshake(HandshakeResult::kOk, TlsVersion::kTls13, i % 2 == 0, i);
    }
  });
  std::thread supervisor([&] {
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(world.shards.AddListener("l" + std::to_string(i)).ok());
      world.facts.RecordReload(i, "");
    }
  });
  std::thread scraper([&] {
    for (int i = 0; i < 5; ++i) EXPECT_EQ(world.collector.Collect().size(), kNumMetrics);
  });
  for (int i = 0; i < 5; ++i) EXPECT_EQ(world.collector.Collect().size(), kNumMetrics);
  worker.join();
  supervisor.join();
  scraper.join();
  EXPECT_EQ(world.shards.Take().listeners.size(), 11u);
}

}  // namespace
}  // namespace portcullis::metrics
