#include "bench/loadgen/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bench/loadgen/chart.h"
#include "bench/loadgen/result.h"

namespace portcullis::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Result Example() {
  Result result;
  result.options.label = "a<b";
  result.options.rates = {{10, 1}, {20, 1}};
  result.seconds = 2;
  result.cpu_seconds = 0.004;
  Tally& tally = result.tally;
  tally.done = tally.ended_in_window = 3;
  tally.ended = 4;
  tally.failures = {{"status: 503", 1}};
  tally.steps.resize(2);
  for (const uint64_t ms : {10, 20, 30}) {
    tally.latency.Record(ms * 1'000'000);
    tally.steps[0].latency.Record(ms * 1'000'000);
    ++tally.steps[0].done;
  }
  result.timeline.resize(3);
  result.timeline[2].done = 3;
  return result;
}

TEST(Result, JsonHoldsWhatTextSays) {
  const Result result = Example();
  const nlohmann::json json = ToJson(result);
  EXPECT_EQ(json["done"], 3);
  EXPECT_EQ(json["per_second"], 1.5);
  EXPECT_EQ(json["own_cpu_us"], 1000.0);
  EXPECT_EQ(json["failures"]["status: 503"], 1);
  EXPECT_NEAR(json["latency_us"]["p50"].get<double>(), 20'000, 200);
  EXPECT_EQ(json["latency_us"]["max"], 30'000);
  EXPECT_EQ(json["steps"].size(), 2U);
  EXPECT_EQ(json["timeline"][0]["warm_up"], true);
  EXPECT_EQ(json["timeline"][1]["warm_up"], false);
  const std::string text = ToText(result);
  EXPECT_THAT(text, HasSubstr("3 connections in 2.00 s: 2/s, 1 failed; own CPU 1000 us a "
                              "handshake with its request"));
  EXPECT_THAT(text, HasSubstr("failed: status: 503: 1"));
  EXPECT_THAT(text, HasSubstr("at 20/s: nothing done"));
}

TEST(Result, JsonTellsTheCircumstances) {
  Result result = Example();
  result.started = 1'700'000'000;
  result.options.bad_ppm[static_cast<size_t>(BadKind::kExpired)] = 25'000;
  result.options.population = 5;
  result.options.key_kind = KeyKind::kRsa2048;
  result.options.upload_bytes = 5;
  const nlohmann::json json = ToJson(result);
  EXPECT_EQ(json["started_at"], "2023-11-14T22:13:20Z");
  EXPECT_NE(json["version"], "");
  EXPECT_TRUE(json["host"].is_string());
  const nlohmann::json& setup = json["setup"];
  EXPECT_EQ(setup["bad_shares"], nlohmann::json({{"expired", 0.025}}));
  EXPECT_EQ(setup["rates"][1]["per_second"], 20.0);
  EXPECT_EQ(setup["key_kind"], "rsa2048");
  EXPECT_EQ(setup["sni"], "localhost");
  EXPECT_EQ(setup["upload_bytes"], 5);
  for (const char* key : {"download_bytes", "duration_s", "total", "timeout_s"})
    EXPECT_TRUE(setup.contains(key)) << key;
}

TEST(Result, FullHandshakesAreToldByThemselves) {
  Result result = Example();
  result.tally.full_handshake.Record(4'000'000);
  result.tally.resumed_handshake.Record(1'000'000);
  const nlohmann::json json = ToJson(result);
  EXPECT_EQ(json["handshake_us"]["count"], 2);
  EXPECT_EQ(json["handshake_full_us"]["count"], 1);
  EXPECT_EQ(json["handshake_full_us"]["max"], 4000);
}

TEST(Result, ASecondThatCountsInPartIsNoWarmUp) {
  Result result = Example();
  result.options.warmup_s = 1.5;
  const nlohmann::json timeline = ToJson(result)["timeline"];
  EXPECT_EQ(timeline[0]["warm_up"], true);
  EXPECT_EQ(timeline[1]["warm_up"], false);
}

TEST(Result, OwnCpuIsToldOfWhatWasDone) {
  Result result = Example();
  result.options.population = 5;
  EXPECT_THAT(ToText(result), HasSubstr("certificates made on the way included"));
  result.options.sign_at_start = true;
  EXPECT_THAT(ToText(result), Not(HasSubstr("certificates made")));
  result.tally.done = 0;
  EXPECT_THAT(ToText(result), Not(HasSubstr("own CPU")));
}

TEST(Result, TicketsFarBelowTheShareAreAWarning) {
  Result result = Example();
  result.options.resume_ppm = 750'000;
  result.tally.handshakes = 100;
  result.tally.offered = 38;
  EXPECT_THAT(ToText(result), Not(HasSubstr("warning")));
  result.tally.offered = 37;
  EXPECT_THAT(ToText(result),
              HasSubstr("--resume-share 75 was not reached: tickets were offered in 37.0%"));
  result.options.resume_ppm = 0;
  EXPECT_THAT(ToText(result), Not(HasSubstr("warning")));
}

TEST(Result, BadClientsRefusedAreNoFailures) {
  Result result = Example();
  result.tally.failures.clear();
  result.tally.refused[static_cast<size_t>(BadKind::kRevoked)] = {
      {"alert: certificate_revoked", 2}};
  EXPECT_EQ(ToJson(result)["refused"]["revoked"]["alert: certificate_revoked"], 2);
  EXPECT_EQ(ToJson(result)["failed"], 0);
  EXPECT_THAT(ToText(result), HasSubstr("refused: revoked: alert: certificate_revoked: 2"));
}

TEST(Result, AnInterruptedRunSaysSoEverywhere) {
  Result result = Example();
  EXPECT_EQ(ToJson(result)["interrupted"], false);
  EXPECT_THAT(ToText(result), Not(HasSubstr("interrupted")));
  EXPECT_THAT(ToHtml({ToJson(result)}), Not(HasSubstr("Interrupted")));
  result.interrupted = true;
  EXPECT_EQ(ToJson(result)["interrupted"], true);
  EXPECT_THAT(ToText(result), HasSubstr("interrupted"));
  EXPECT_THAT(ToHtml({ToJson(result)}), HasSubstr("Interrupted"));
}

TEST(Result, TheExitCodeTellsWhatCameOfIt) {
  Result result = Example();
  EXPECT_EQ(ExitCode(result), 0);
  result.tally.done = 0;
  EXPECT_EQ(ExitCode(result), 1);
  result.tally.refused[static_cast<size_t>(BadKind::kNoCertificate)] = {{"status: 400", 2}};
  EXPECT_EQ(ExitCode(result), 0) << "refused as they should be";
  result.tally.failures["accepted: none"] = 1;
  EXPECT_EQ(ExitCode(result), 3);
  result.interrupted = true;
  EXPECT_EQ(ExitCode(result), 130);
}

TEST(Result, OfIdleConnectionsThoseAliveAtTheEndCount) {
  Result result = Example();
  result.options.idle = 3;
  EXPECT_EQ(ExitCode(result), 1);
  result.tally.alive = 1;
  EXPECT_EQ(ExitCode(result), 0);
}

TEST(Report, IsOnePageThatLoadsNothing) {
  const nlohmann::json one = ToJson(Example());
  const std::string page = ToHtml({one});
  EXPECT_THAT(page, HasSubstr("a&lt;b"));
  EXPECT_THAT(page, Not(HasSubstr("a<b")));
  EXPECT_THAT(page, HasSubstr("status: 503"));
  EXPECT_THAT(page, HasSubstr("Latency by offered rate"));
  EXPECT_THAT(page, Not(HasSubstr("http://")));
  EXPECT_THAT(page, Not(HasSubstr("https://")));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, Not(HasSubstr("Comparison")));
  EXPECT_THAT(ToHtml({one, one}), HasSubstr("Comparison"));
}

TEST(Report, ASecondCutShortIsNotPlotted) {
  Result result = Example();
  result.options.warmup_s = 0;
  const auto points = [&result](size_t seconds) {
    result.timeline.resize(seconds);
    const std::string page = ToHtml({ToJson(result)});
    const size_t from = page.find("<title>Done</title>");
    const std::string plot = page.substr(from, page.find("</svg>", from) - from);
    const size_t at = plot.find("<path");
    if (at == std::string::npos) return std::ptrdiff_t{plot.find("<circle") != std::string::npos};
    const std::string path = plot.substr(at, plot.find('>', at) - at);
    return 1 + std::count(path.begin(), path.end(), 'L');
  };
  EXPECT_EQ(points(2), 2);
  EXPECT_EQ(points(3), 2) << "the window was of two seconds";
  result.seconds = 0.5;
  EXPECT_EQ(points(1), 1);
}

TEST(Report, WithoutALabelTheTargetIsTheName) {
  Result result = Example();
  result.options.label.clear();
  result.options.target = *io::SocketAddress::Parse("127.0.0.1:8443");
  const nlohmann::json one = ToJson(result);
  const std::string page = ToHtml({one, one});
  EXPECT_THAT(page, HasSubstr("<td>127.0.0.1:8443</td>"));
  EXPECT_THAT(page, HasSubstr("<h2>127.0.0.1:8443</h2>"));
  EXPECT_THAT(page, HasSubstr("text-anchor='end'>127.0.0.1:8443<"));
}

TEST(Report, TellsWhatSomeWaysOfRunningHave) {
  Result result = Example();
  EXPECT_THAT(ToHtml({ToJson(result)}), Not(HasSubstr("MB/s")));
  EXPECT_THAT(ToHtml({ToJson(result)}), Not(HasSubstr("alive")));
  result.tally.received_in_window = 3'000'000;
  result.tally.negotiated = {{"TLS_AES_128_GCM_SHA256 X25519", 3}};
  result.tally.full_handshake.Record(4'000'000);
  result.tally.request.Record(2'000'000);
  result.options.idle = 7;
  result.tally.held = 7;
  result.tally.alive = 5;
  const std::string page = ToHtml({ToJson(result)});
  EXPECT_THAT(page, HasSubstr("bodies down: 1.5 MB/s"));
  EXPECT_THAT(page, HasSubstr("7 held, 5 alive at the end"));
  EXPECT_THAT(page, HasSubstr("TLS_AES_128_GCM_SHA256 X25519: 3"));
  EXPECT_THAT(page, HasSubstr("<td>full handshake</td><td>1</td><td>4.00</td>"));
  EXPECT_THAT(page, HasSubstr("<td>request</td><td>1</td><td>2.00</td>"));
  EXPECT_THAT(page, Not(HasSubstr("resumed handshake")));
}

TEST(Report, TakesResultsThatLackEverythingOrHaveItWrong) {
  EXPECT_THAT(ToHtml({nlohmann::json::object()}), HasSubstr("No failures"));
  const char* const odd =
      R"({"label":5,"done":"x","curve":[1,[2],["a","b"],[0,0]],"timeline":{"a":1},
          "steps":[1,2],"failures":[3],"refused":{"none":4},"latency_us":[],"setup":[]})";
  EXPECT_THAT(ToHtml({nlohmann::json::parse(odd)}), HasSubstr("</html>"));
}

TEST(Chart, TicksAreRound) {
  EXPECT_THAT(RoundTicks(0, 10, false, 5), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(RoundTicks(0.9, 11, true, 5), ElementsAre(1, 2, 5, 10));
  EXPECT_THAT(RoundTicks(1, 10000, true, 5), ElementsAre(1, 10, 100, 1000, 10000));
  EXPECT_THAT(RoundTicks(3, 3, false, 5), ElementsAre(3));
}

TEST(Chart, NumbersAreShort) {
  EXPECT_EQ(ShortNumber(1'234'567), "1.23M");
  EXPECT_EQ(ShortNumber(12'345), "12.3k");
  EXPECT_EQ(ShortNumber(1234), "1234");
  EXPECT_EQ(ShortNumber(0.5), "0.5");
}

TEST(Chart, ALonePointIsADot) {
  LinePlot plot;
  plot.series = {{"s", {{1, 10}}}};
  EXPECT_THAT(ToSvg(plot), HasSubstr("<circle"));
  EXPECT_THAT(ToSvg(plot), Not(HasSubstr("<path")));
  plot.series = {{"s", {{1, 10}, {2, 10}}}};
  EXPECT_THAT(ToSvg(plot), Not(HasSubstr("<circle")));
}

TEST(Chart, LongLabelsOfBarsAreCutAndShownWhole) {
  const auto bar = [](const std::string& label) { return ToSvg(BarPlot{"t", "u", {{label, 1}}}); };
  EXPECT_THAT(bar(std::string(26, 'x')), HasSubstr(">" + std::string(26, 'x') + "</text>"));
  EXPECT_THAT(bar(std::string(27, 'x')),
              HasSubstr(">" + std::string(25, 'x') + "\u2026<title>" + std::string(27, 'x') + "<"));
  std::string umlauts;
  for (int i = 0; i < 27; ++i) umlauts += "\u00e4";
  EXPECT_THAT(bar(umlauts), HasSubstr(">" + umlauts.substr(0, 50) + "\u2026<title>"));
}

TEST(Chart, PointsThatALogAxisCannotShowAreLeftOut) {
  LinePlot plot;
  plot.y.log = true;
  plot.series = {{"s", {{0, 0}, {1, 10}, {2, 100}}}};
  EXPECT_THAT(ToSvg(plot), Not(HasSubstr("nan")));
  EXPECT_THAT(ToSvg(plot), Not(HasSubstr("inf")));
  plot.series = {{"empty", {}}};
  EXPECT_THAT(ToSvg(plot), Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace portcullis::bench
