#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "bench/loadgen/result.h"

namespace portcullis::bench {
namespace {

std::string Latencies(const char* label, const Histogram& histogram) {
  if (histogram.count() == 0) return "";
  std::string line = absl::StrFormat("%-18s", label);
  constexpr std::pair<const char*, double> kShares[] = {
      {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1.0}};
  for (const auto& [name, share] : kShares) {
    absl::StrAppendFormat(&line, "  %s %.2f ms", name,
                          static_cast<double>(histogram.Quantile(share)) / 1e6);
  }
  return line + "\n";
}

// What the generator's own CPU is told for.
const char* Each(const Options& options) {
  if (options.keep_alive) return "a request";
  if (options.mode == Mode::kHandshake) return "a handshake";
  return options.requests == 1 ? "a handshake with its request" : "a connection";
}

// Says so where far fewer connections offered a ticket than were meant to.
std::string FewTickets(const Result& result) {
  const auto handshakes = static_cast<double>(result.tally.handshakes);
  const double wanted = result.options.resume_ppm / 1e6;
  if (static_cast<double>(result.tally.offered) >= wanted / 2 * handshakes) return "";
  return absl::StrFormat(
      "warning: --resume-share %g was not reached: tickets were offered in %.1f%% of the "
      "handshakes. A client has one from its second connection on (a population: once all others "
      "have come), if the server gives any\n",
      wanted * 100, 100 * static_cast<double>(result.tally.offered) / handshakes);
}

std::string Headline(const Result& result) {
  const Tally& tally = result.tally;
  const char* const what = result.options.keep_alive ? "requests" : "connections";
  std::string text = result.interrupted ? "interrupted: this is what there was until then\n" : "";
  absl::StrAppendFormat(&text, "%u %s in %.2f s: %.0f/s, %u failed", tally.done, what,
                        result.seconds, PerSecond(result), tally.failed());
  if (tally.num_refused() != 0)
    absl::StrAppendFormat(&text, ", %u refused as they should be", tally.num_refused());
  // Where nothing was done, a figure for each of it would be of something else.
  if (tally.done != 0) {
    const bool signs = result.options.population != 0 && !result.options.sign_at_start;
    absl::StrAppendFormat(&text, "; own CPU %.0f us %s%s", OwnCpuMicros(result),
                          Each(result.options),
                          signs ? ", certificates made on the way included" : "");
  }
  text += "\n";
  absl::StrAppendFormat(&text, "handshakes %u, of which resumed %u (tickets offered: %u)\n",
                        tally.handshakes, tally.resumed, tally.offered);
  return text + FewTickets(result);
}

// Lines that only some ways of running have.
std::string Particulars(const Result& result) {
  const Tally& tally = result.tally;
  const Options& options = result.options;
  std::string text;
  if (options.download_bytes != 0 || options.upload_bytes != 0) {
    absl::StrAppendFormat(
        &text, "bodies             %.1f MB/s down, %.1f MB/s up\n",
        MegabytesPerSecond(result, tally.received_bytes, tally.received_in_window),
        MegabytesPerSecond(result, tally.sent_bytes, tally.sent_in_window));
  }
  if (options.idle != 0) {
    absl::StrAppendFormat(&text, "idle               %u held for %.0f s, %u alive at the end\n",
                          tally.held, options.hold_s, tally.alive);
  }
  if (tally.server_closed != 0) {
    absl::StrAppend(&text, "closed by server   ", tally.server_closed,
                    " kept connections between requests\n");
  }
  if (!options.rates.empty()) {
    absl::StrAppendFormat(
        &text, "late starts        %u by more than 1 ms, worst %.1f ms; not started in time: %u\n",
        tally.late, static_cast<double>(tally.start_delay.max()) / 1e6, tally.not_started);
  }
  if (options.rates.size() < 2) return text;
  for (size_t i = 0; i < tally.steps.size(); ++i) {
    const StepTally& step = tally.steps[i];
    const std::string label = absl::StrFormat("  at %.0f/s", options.rates[i].per_second);
    text += step.latency.count() == 0 ? label + ": nothing done\n"
                                      : Latencies(label.c_str(), step.latency);
    if (step.failed + step.not_started != 0) {
      absl::StrAppend(&text, "    failed ", step.failed, ", not started ", step.not_started, "\n");
    }
  }
  return text;
}

}  // namespace

std::string ToText(const Result& result) {
  const Tally& tally = result.tally;
  std::string text = Headline(result);
  text += Latencies("handshake", tally.full_handshake);
  text += Latencies("handshake, resumed", tally.resumed_handshake);
  text += Latencies("request", tally.request);
  text += Latencies(result.options.rates.empty() ? "whole" : "from intended start", tally.latency);
  if (tally.cut_short() != 0) {
    absl::StrAppend(&text, "at least           in these are ", tally.not_started,
                    " not started and ", tally.unfinished,
                    " not finished, with what they had waited\n");
  }
  text += Particulars(result);
  for (size_t i = 0; i < kNumBadKinds; ++i) {
    for (const auto& [kind, count] : tally.refused[i]) {
      absl::StrAppend(&text, "refused: ", std::string(BadKindName(static_cast<BadKind>(i))), ": ",
                      kind, ": ", count, "\n");
    }
  }
  for (const auto& [kind, count] : tally.failures)
    absl::StrAppend(&text, "failed: ", kind, ": ", count, "\n");
  return text;
}

}  // namespace portcullis::bench
