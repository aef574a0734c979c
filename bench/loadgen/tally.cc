#include "bench/loadgen/tally.h"

#include <algorithm>

namespace portcullis::bench {
namespace {

void Add(Counts& to, const Counts& from) {
  for (const auto& [kind, count] : from) to[kind] += count;
}

uint64_t Sum(const Counts& counts) {
  uint64_t total = 0;
  for (const auto& [kind, count] : counts) total += count;
  return total;
}

}  // namespace

void StepTally::Merge(const StepTally& other) {
  done += other.done;
  failed += other.failed;
  refused += other.refused;
  late += other.late;
  not_started += other.not_started;
  latency.Merge(other.latency);
}

void Second::Merge(const Second& other) {
  done += other.done;
  failed += other.failed;
  refused += other.refused;
  latency.Merge(other.latency);
}

void Tally::Merge(const Tally& other) {
  done += other.done;
  Add(failures, other.failures);
  for (size_t i = 0; i < kNumBadKinds; ++i) Add(refused[i], other.refused[i]);
  latency.Merge(other.latency);
  start_delay.Merge(other.start_delay);
  late += other.late;
  not_started += other.not_started;
  unfinished += other.unfinished;
  steps.resize(std::max(steps.size(), other.steps.size()));
  for (size_t i = 0; i < other.steps.size(); ++i) steps[i].Merge(other.steps[i]);
  handshakes += other.handshakes;
  resumed += other.resumed;
  offered += other.offered;
  Add(negotiated, other.negotiated);
  requests += other.requests;
  received_bytes += other.received_bytes;
  sent_bytes += other.sent_bytes;
  full_handshake.Merge(other.full_handshake);
  resumed_handshake.Merge(other.resumed_handshake);
  request.Merge(other.request);
  ended += other.ended;
  ended_in_window += other.ended_in_window;
  received_in_window += other.received_in_window;
  sent_in_window += other.sent_in_window;
  server_closed += other.server_closed;
  held += other.held;
  alive += other.alive;
}

uint64_t Tally::failed() const { return Sum(failures); }

uint64_t Tally::num_refused() const {
  uint64_t total = 0;
  for (const Counts& counts : refused) total += Sum(counts);
  return total;
}

}  // namespace portcullis::bench
