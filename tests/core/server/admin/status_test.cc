#include "core/server/admin/status.h"

#include <gtest/gtest.h>

#include <string>

#include <nlohmann/json.hpp>

#include "metrics/shard_set.h"

namespace portcullis::server {
namespace {

using nlohmann::json;

TEST(Status, TellsWhatIsRunning) {
  metrics::ShardSet shards(2, {{"none", false}, {"expired", true}});
  const size_t edge = *shards.AddListener("edge");
  metrics::ListenerShard& listener = shards.shard(0).listener(edge);
  listener.accepted.Add(3);
  listener.active_connections.Add(2);
  listener.handshakes_in_progress.Add();
  listener.RecordHandshake(metrics::HandshakeResult::kOk, metrics::TlsVersion::kTls13, false,
                           2'000'000);
  listener.RecordHandshake(metrics::HandshakeResult::kOk, metrics::TlsVersion::kTls12, true,
                           2'000'000);
  listener.RecordHandshake(metrics::HandshakeResult::kRejected, metrics::TlsVersion::kTls13, false,
                           1);
  metrics::Facts facts({"0.1.0", "abc", "boring"}, 2, 1'700'000'000);
  facts.RecordLoad(1'700'000'001);
  facts.RecordReload(1'700'000'002, "p.yaml:1: no");
  facts.SetCertificates({{metrics::CertificateKind::kServer, "h", "CN=h", "01", 1'700'000'110}});
  facts.SetCrls({{"t", "CN=ca", 1'700'000'200}, {"t", "CN=none", 0}});

  const json status =
      json::parse(StatusJson(Readiness::kServing, facts.Take(), shards.Take(),
                             {{"edge", "0.0.0.0:8443"}, {"new", "0.0.0.0:9443"}}, 1'700'000'010));

  EXPECT_EQ(status["state"], "serving");
  EXPECT_EQ(status["version"], "0.1.0");
  EXPECT_EQ(status["commit"], "abc");
  EXPECT_EQ(status["boringssl"], "boring");
  EXPECT_EQ(status["started"], "2023-11-14T22:13:20Z");
  EXPECT_EQ(status["uptime_seconds"], 10);
  EXPECT_EQ(status["config"]["in_use_since"], "2023-11-14T22:13:21Z");
  EXPECT_EQ(status["config"]["reloads_ok"], 0);
  EXPECT_EQ(status["config"]["reloads_failed"], 1);
  EXPECT_EQ(status["config"]["last_reload_error"], "p.yaml:1: no");
  ASSERT_EQ(status["workers"].size(), 2u);
  EXPECT_EQ(status["workers"][0]["connections_accepted"], 3);
  EXPECT_EQ(status["workers"][1]["active_connections"], 0);
  ASSERT_EQ(status["listeners"].size(), 2u);
  const json& first = status["listeners"][0];
  EXPECT_EQ(first["name"], "edge");
  EXPECT_EQ(first["address"], "0.0.0.0:8443");
  EXPECT_EQ(first["connections_accepted"], 3);
  EXPECT_EQ(first["active_connections"], 2);
  EXPECT_EQ(first["handshakes"]["in_progress"], 1);
  EXPECT_EQ(first["handshakes"]["ok"], 2);
  EXPECT_EQ(first["handshakes"]["rejected"], 1);
  EXPECT_EQ(first["handshakes"]["failed"], 0);
  EXPECT_EQ(first["handshakes"]["ok_ms"]["p50"], 2.0);
  EXPECT_FALSE(status["listeners"][1].contains("handshakes")) << "nothing has counted for it yet";
  EXPECT_EQ(status["certificates"][0]["not_after"], "2023-11-14T22:15:10Z");
  EXPECT_EQ(status["certificates"][0]["seconds_left"], 100);
  EXPECT_EQ(status["crls"][0]["next_update"], "2023-11-14T22:16:40Z");
  EXPECT_FALSE(status["crls"][1].contains("next_update"));
}

TEST(Status, HostileSubjectsStayValidJson) {
  metrics::Facts facts({}, 1, 0);
  facts.SetCertificates({{metrics::CertificateKind::kCa, "t", "CN=\xFF\"\n\xC3", "01", 0}});
  const std::string text = StatusJson(Readiness::kStarting, facts.Take(), {}, {}, 0);
  EXPECT_EQ(json::parse(text)["certificates"][0]["subject"], "CN=\xEF\xBF\xBD\"\n\xEF\xBF\xBD");
}

TEST(Status, OfAServiceThatHasNothingYet) {
  const json status = json::parse(StatusJson(Readiness::kStarting, {}, {}, {}, 0));
  EXPECT_EQ(status["state"], "starting");
  EXPECT_TRUE(status["listeners"].is_array());
  EXPECT_FALSE(status["config"].contains("in_use_since"));
}

}  // namespace
}  // namespace portcullis::server
