#include "core/server/commands/demo_requests.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "core/server/commands/demo_pki.h"
#include "core/server/commands/exposition.h"
#include "core/server/commands/text.h"

namespace portcullis::server {
namespace {

constexpr char kHandshakes[] = "portcullis_handshake_duration_seconds_count";
constexpr char kRejections[] = "portcullis_handshake_rejections_total";
constexpr auto kMetricsPatience = std::chrono::seconds(3);
constexpr int kMetricsPollMs = 50;

// The user's shell would send even a request to this machine by way of its proxy.
bool ProxySet() {
  static constexpr const char* kVariables[] = {"http_proxy", "https_proxy", "HTTPS_PROXY",
                                               "all_proxy", "ALL_PROXY"};
  return std::any_of(std::begin(kVariables), std::end(kVariables),
                     [](const char* name) { return std::getenv(name) != nullptr; });
}

std::vector<std::string> Curl(std::vector<std::string> arguments) {
  std::vector<std::string> command = {"curl"};
  if (ProxySet()) command.insert(command.end(), {"--noproxy", "localhost,127.0.0.1"});
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

std::vector<std::string> CurlCommand(const DemoPlace& place, const char* certificate,
                                     const char* key) {
  std::vector<std::string> arguments = {"-i", "--cacert", Cat(place.folder, "/", kDemoCa)};
  if (certificate != nullptr) {
    arguments.insert(arguments.end(), {"--cert", Cat(place.folder, "/", certificate), "--key",
                                       Cat(place.folder, "/", key)});
  }
  arguments.push_back(Cat("https://localhost:", place.port, "/"));
  return Curl(std::move(arguments));
}

std::string Title(std::string_view page) {
  const size_t begin = page.find("<title>");
  const size_t end = page.find("</title>");
  if (begin == page.npos || end == page.npos || end < begin) return {};
  return std::string(page.substr(begin + 7, end - begin - 7));
}

absl::StatusOr<CurlAnswer> Ask(const DemoRequest& request) {
  const absl::StatusOr<std::string> output = RunCurl(request.command);
  if (!output.ok()) return output.status();
  return ParseAnswer(*output);
}

// Both scrapes must be there to compare. What a worker has counted is soon seen, not at once.
Finding CheckMetrics(const DemoPlace& place, const absl::StatusOr<std::string>& before) {
  if (!before.ok()) return {false, Cat("metrics: ", std::string(before.status().message()))};
  const auto deadline = std::chrono::steady_clock::now() + kMetricsPatience;
  while (true) {
    const absl::StatusOr<std::string> after = RunCurl(MetricsCommand(place));
    if (!after.ok()) return {false, Cat("metrics: ", std::string(after.status().message()))};
    const Finding finding = JudgeMetrics(*before, *after);
    if (finding.ok || std::chrono::steady_clock::now() > deadline) return finding;
    poll(nullptr, 0, kMetricsPollMs);
  }
}

}  // namespace

std::vector<DemoRequest> DemoRequests(const DemoPlace& place) {
  return {
      {.title = "without a certificate",
       .command = CurlCommand(place, nullptr, nullptr),
       .status_line = "HTTP/1.1 400 Bad Request",
       .in_body = {"<title>400 No required SSL certificate was sent</title>"}},
      {.title = "with a certificate",
       .command = CurlCommand(place, kDemoClientCertificate, kDemoClientKey),
       .status_line = "HTTP/1.1 200 OK",
       .in_body = {"<title>Portcullis demo backend</title>", "ssl-client-verify: SUCCESS",
                   "ssl-client-subject-dn: CN=Demo Client,O=Portcullis demo"}},
      {.title = "with another authority's certificate",
       .command = CurlCommand(place, kDemoStrangerCertificate, kDemoStrangerKey),
       .status_line = "HTTP/1.1 400 Bad Request",
       .in_body = {"<title>400 The SSL certificate error</title>"}},
  };
}

std::vector<std::string> MetricsCommand(const DemoPlace& place) {
  return Curl({Cat("http://127.0.0.1:", place.admin_port, "/metrics")});
}

Finding Judge(const DemoRequest& request, const absl::StatusOr<CurlAnswer>& answer) {
  if (!answer.ok())
    return {false, Cat(request.title, ": ", std::string(answer.status().message()))};
  const std::string seen =
      Cat(request.title, ": ", answer->status_line, ", page '", Title(answer->body), "'");
  if (answer->status_line != request.status_line) {
    return {false, Cat(seen, "; expected ", request.status_line)};
  }
  for (const std::string& text : request.in_body) {
    if (answer->body.find(text) == answer->body.npos) {
      return {false, Cat(seen, "; expected in the page: ", text)};
    }
  }
  return {true, seen};
}

Finding JudgeMetrics(const std::string& before, const std::string& after) {
  struct Expected {
    const char* what;
    const char* series;
    Labels labels;
    int moved;
  };
  const Expected expected[] = {
      {"handshakes", kHandshakes, {}, 3},
      {"accepted", kHandshakes, {{"result", "ok"}}, 1},
      {"rejections", kRejections, {}, 2},
      {"no_cert", kRejections, {{"reason", "no_cert"}}, 1},
      {"unknown_ca", kRejections, {{"reason", "unknown_ca"}}, 1},
  };
  Finding finding{true, "metrics moved:"};
  for (const Expected& each : expected) {
    const double moved =
        SumOf(after, each.series, each.labels) - SumOf(before, each.series, each.labels);
    Append(&finding.text, " ", each.what, " ", moved);
    if (moved != each.moved) {
      finding.ok = false;
      Append(&finding.text, " (expected ", each.moved, ")");
    }
  }
  return finding;
}

std::vector<Finding> CheckDemo(const DemoPlace& place) {
  std::vector<Finding> findings;
  const absl::StatusOr<std::string> before = RunCurl(MetricsCommand(place));
  for (const DemoRequest& request : DemoRequests(place)) {
    findings.push_back(Judge(request, Ask(request)));
  }
  findings.push_back(CheckMetrics(place, before));
  return findings;
}

}  // namespace portcullis::server
