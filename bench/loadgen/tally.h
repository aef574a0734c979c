// Tally: what came of the connections: how many, how long, and every failure by kind. One a thread,
// merged at the end.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace portcullis::bench {

struct Tally {
  uint64_t done = 0;                   // the server accepted: see Mode
  std::vector<uint32_t> total_us;      // connect to done, one a counted connection
  std::vector<uint32_t> handshake_us;  // connect to our side of the handshake, likewise
  std::map<std::string, uint64_t>
      failures;  // by kind: "connect: ...", "alert: ...", "status: 400", "timeout", ...

  void Merge(Tally&& other);
  [[nodiscard]] uint64_t failed() const;
};

// Percentile returns the smallest value that at least `share` (0..1) of `sorted` do not exceed; 0
// if it is empty.
[[nodiscard]] uint32_t Percentile(const std::vector<uint32_t>& sorted, double share);

// Result: a merged tally and the circumstances.
struct Result {
  Tally tally;
  double seconds = 0;      // counted
  double cpu_seconds = 0;  // of this process, in that time
};

// Text and Json render a result; both sort the samples in place first.
[[nodiscard]] std::string Text(Result& result);
[[nodiscard]] std::string Json(Result& result);

}  // namespace portcullis::bench
