#include "bench/loadgen/result.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "portcullis_version.h"

namespace portcullis::bench {
namespace {

using nlohmann::json;

double Micros(uint64_t ns) { return static_cast<double>(ns) / 1e3; }

json Quantiles(const Histogram& histogram) {
  return {{"count", histogram.count()},
          {"mean", histogram.mean() / 1e3},
          {"p50", Micros(histogram.Quantile(0.5))},
          {"p90", Micros(histogram.Quantile(0.9))},
          {"p99", Micros(histogram.Quantile(0.99))},
          {"p99.9", Micros(histogram.Quantile(0.999))},
          {"max", Micros(histogram.max())}};
}

// Points of the percentile plot: [share that is slower, latency], from 1 down to 1 in count.
json Curve(const Histogram& histogram) {
  json points = json::array();
  if (histogram.count() == 0) return points;
  const double least = 1 / static_cast<double>(histogram.count());
  double slower = 0.9;
  for (int i = 1; slower > least; ++i) {
    points.push_back({slower, Micros(histogram.Quantile(1 - slower))});
    slower = 0.9 * std::pow(10, -0.1 * i);
  }
  points.push_back({least, Micros(histogram.max())});
  return points;
}

json Timeline(const Result& result) {
  json seconds = json::array();
  for (size_t i = 0; i < result.timeline.size(); ++i) {
    const Second& second = result.timeline[i];
    seconds.push_back({{"second", i},
                       {"warm_up", static_cast<double>(i + 1) <= result.options.warmup_s},
                       {"done", second.done},
                       {"failed", second.failed},
                       {"refused", second.refused},
                       {"p50_us", Micros(second.latency.Quantile(0.5))},
                       {"p99_us", Micros(second.latency.Quantile(0.99))}});
  }
  return seconds;
}

json Steps(const Result& result) {
  json steps = json::array();
  for (size_t i = 0; i < result.tally.steps.size(); ++i) {
    const StepTally& step = result.tally.steps[i];
    const RateStep& rate = result.options.rates[i];
    steps.push_back({{"rate", rate.per_second},
                     {"seconds", rate.seconds},
                     {"done", step.done},
                     {"failed", step.failed},
                     {"refused", step.refused},
                     {"late", step.late},
                     {"not_started", step.not_started},
                     {"latency_us", Quantiles(step.latency)}});
  }
  return steps;
}

json Refused(const Tally& tally) {
  json refused = json::object();
  for (size_t i = 0; i < kNumBadKinds; ++i) {
    if (!tally.refused[i].empty())
      refused[std::string(BadKindName(static_cast<BadKind>(i)))] = tally.refused[i];
  }
  return refused;
}

// How many bad clients the server let in, which the ledger counts among the failures.
uint64_t Accepted(const Tally& tally) {
  uint64_t count = 0;
  for (const auto& [kind, times] : tally.failures)
    count += kind.starts_with("accepted: ") ? times : 0;
  return count;
}

// Whether it ended with its last unit, not with a window.
bool CountedOut(const Options& options) { return options.total != 0 && options.idle == 0; }

const char* KeyKindName(KeyKind kind) {
  switch (kind) {
    case KeyKind::kP256:
      return "p256";
    case KeyKind::kRsa2048:
      return "rsa2048";
    case KeyKind::kRsa4096:
      return "rsa4096";
  }
  return "";
}

json BadShares(const Options& options) {
  json shares = json::object();
  for (size_t i = 0; i < kNumBadKinds; ++i) {
    if (options.bad_ppm[i] != 0)
      shares[std::string(BadKindName(static_cast<BadKind>(i)))] = options.bad_ppm[i] / 1e6;
  }
  return shares;
}

json Rates(const Options& options) {
  json rates = json::array();
  for (const RateStep& step : options.rates)
    rates.push_back({{"per_second", step.per_second}, {"seconds", step.seconds}});
  return rates;
}

std::string Timestamp(time_t time) {
  tm parts{};
  char text[32] = "";
  if (gmtime_r(&time, &parts) != nullptr) strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::string HostName() {
  char name[256] = "";
  return gethostname(name, sizeof name - 1) == 0 ? name : "";
}

json Setup(const Options& options) {
  return {{"target", options.target.ToString()},
          {"server_names", std::max<uint32_t>(1, options.server_names.size)},
          {"tls", options.version == 0x0303 ? "1.2" : "1.3"},
          {"groups", options.groups},
          {"mode", options.mode == Mode::kGet ? "get" : "hs"},
          {"path", options.path},
          {"loop", options.rates.empty() ? "closed" : "open"},
          {"connections", options.connections},
          {"threads", options.threads},
          {"requests", options.requests},
          {"keep_alive", options.keep_alive},
          {"close_notify", options.close_notify},
          {"population", options.population},
          {"resume_share", options.resume_ppm / 1e6},
          {"idle", options.idle},
          {"hold_s", options.idle != 0 ? options.hold_s : 0},
          {"sni", options.sni},
          {"expect", options.expect},
          {"reset", options.reset},
          {"sources", options.sources.size()},
          {"bad_shares", BadShares(options)},
          {"key_kind", options.population != 0 ? KeyKindName(options.key_kind) : ""},
          {"rates", Rates(options)},
          {"duration_s", options.idle != 0 ? 0 : options.duration_s},
          {"total", options.total},
          {"timeout_s", options.timeout_s},
          {"download_bytes", options.download_bytes},
          {"upload_bytes", options.upload_bytes},
          {"warmup_s", options.warmup_s}};
}

}  // namespace

double PerSecond(const Result& result) {
  if (result.seconds <= 0) return 0;
  const uint64_t done =
      CountedOut(result.options) ? result.tally.done : result.tally.ended_in_window;
  return static_cast<double>(done) / result.seconds;
}

double MegabytesPerSecond(const Result& result, uint64_t all, uint64_t in_window) {
  if (result.seconds <= 0) return 0;
  return static_cast<double>(CountedOut(result.options) ? all : in_window) / 1e6 / result.seconds;
}

double OwnCpuMicros(const Result& result) {
  const uint64_t ended = result.tally.ended;
  return ended == 0 ? 0 : result.cpu_seconds * 1e6 / static_cast<double>(ended);
}

int ExitCode(const Result& result) {
  if (result.interrupted) return 130;
  if (Accepted(result.tally) != 0) return 3;
  const Tally& tally = result.tally;
  const uint64_t wanted = result.options.idle != 0 ? tally.alive : tally.done + tally.num_refused();
  return wanted != 0 ? 0 : 1;
}

json ToJson(const Result& result) {
  const Tally& tally = result.tally;
  Histogram handshake = tally.full_handshake;
  handshake.Merge(tally.resumed_handshake);
  json out = {
      {"tool", "portcullis-loadgen"},
      {"format", 1},
      {"version", kVersion},
      {"commit", kCommit},
      {"started_at", Timestamp(result.started)},
      {"host", HostName()},
      {"label", result.options.label},
      {"setup", Setup(result.options)},
      {"unit", result.options.keep_alive ? "request" : "connection"},
      {"interrupted", result.interrupted},
      {"seconds", result.seconds},
      {"done", tally.done},
      {"per_second", PerSecond(result)},
      {"own_cpu_us", OwnCpuMicros(result)},
      {"failed", tally.failed()},
      {"failures", tally.failures},
      {"refused", Refused(tally)},
      {"handshakes", tally.handshakes},
      {"resumed", tally.resumed},
      {"tickets_offered", tally.offered},
      {"negotiated", tally.negotiated},
      {"requests", tally.requests},
      {"received_bytes", tally.received_bytes},
      {"sent_bytes", tally.sent_bytes},
      {"received_mb_per_second",
       MegabytesPerSecond(result, tally.received_bytes, tally.received_in_window)},
      {"sent_mb_per_second", MegabytesPerSecond(result, tally.sent_bytes, tally.sent_in_window)},
      {"late", tally.late},
      {"not_started", tally.not_started},
      {"unfinished", tally.unfinished},
      {"latency_is_lower_bound", tally.cut_short() != 0},
      {"server_closed", tally.server_closed},
      {"held", tally.held},
      {"alive", tally.alive}};
  out["latency_us"] = Quantiles(tally.latency);
  out["handshake_us"] = Quantiles(handshake);
  out["handshake_full_us"] = Quantiles(tally.full_handshake);
  out["resumed_handshake_us"] = Quantiles(tally.resumed_handshake);
  out["request_us"] = Quantiles(tally.request);
  out["start_delay_us"] = Quantiles(tally.start_delay);
  out["curve"] = Curve(tally.latency);
  out["timeline"] = Timeline(result);
  out["steps"] = Steps(result);
  return out;
}

}  // namespace portcullis::bench
