// DemoRequests: the curl commands which show what the demo's terminator does, and what their
// answers must be.
//
// The commands shown are the commands checked. Runs curl on the calling thread; the server is only
// reached by its ports, so this also tells on one in another process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/server/commands/curl.h"

namespace portcullis::server {

// Where a demo runs.
struct DemoPlace {
  std::string folder;  // with the certificates, as WriteDemoPki lays them out
  uint16_t port = 0;   // of the terminator on loopback
  uint16_t admin_port = 0;
};

// One request to show: what it is, how it is made, what must come back.
struct DemoRequest {
  std::string title;  // "without a certificate"
  std::vector<std::string> command;
  std::string status_line;           // expected
  std::vector<std::string> in_body;  // expected somewhere in the body
};

// DemoRequests: without a certificate, with a good one, with one of another authority.
[[nodiscard]] std::vector<DemoRequest> DemoRequests(const DemoPlace& place);

// MetricsCommand prints the metrics.
[[nodiscard]] std::vector<std::string> MetricsCommand(const DemoPlace& place);

struct Finding {
  bool ok = false;
  std::string text;  // one line: what was looked at and what was found
};

// Judge compares the answer to `request` with what must come back.
[[nodiscard]] Finding Judge(const DemoRequest& request, const absl::StatusOr<CurlAnswer>& answer);

// JudgeMetrics compares two scrapes, made before and after exactly the DemoRequests: three
// handshakes, one of them accepted, and one rejection for each of the two reasons; nothing else.
[[nodiscard]] Finding JudgeMetrics(const std::string& before, const std::string& after);

// CheckDemo makes all requests and judges them and the metrics, in this order.
[[nodiscard]] std::vector<Finding> CheckDemo(const DemoPlace& place);

}  // namespace portcullis::server
