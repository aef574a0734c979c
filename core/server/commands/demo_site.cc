#include "core/server/commands/demo_site.h"

#include <endian.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "nlohmann/json.hpp"

#include "core/server/commands/text.h"

namespace portcullis::server {
namespace {

constexpr uint64_t kMaxDelayMs = 60000;

uint64_t SiteWord(uint64_t index) {
  uint64_t z = (index + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// What a developer comes to see: who the terminator says the client is.
bool TellsIdentity(std::string_view name) {
  static constexpr std::string_view kPrefixes[] = {"ssl-client-", "x-forwarded-", "x-real-ip",
                                                   "forwarded"};
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes), [name](std::string_view prefix) {
    return absl::StartsWithIgnoreCase(Piece(name), Piece(prefix));
  });
}

// Replaces what HTML would read as markup, and control bytes, which a page cannot show.
std::string HtmlText(std::string_view text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      default:
        html += absl::ascii_iscntrl(static_cast<unsigned char>(c)) ? '?' : c;
    }
  }
  return html;
}

SitePlan HomePage(const BackendRequest& request) {
  std::string lines;
  for (const auto& [name, value] : request.headers) {
    if (TellsIdentity(name)) Append(&lines, HtmlText(name), ": ", HtmlText(value), "\n");
  }
  if (lines.empty()) lines = "no identity headers\n";
  SitePlan plan;
  plan.content_type = "text/html; charset=utf-8";
  plan.text =
      Cat("<!DOCTYPE html>\n<html>\n<head><title>Portcullis demo backend</title></head>\n"
          "<body>\n<h1>Portcullis demo backend</h1>\n"
          "<p>This request came with:</p>\n<pre>\n",
          lines, "</pre>\n</body>\n</html>\n");
  return plan;
}

SitePlan HeadersPage(const BackendRequest& request) {
  nlohmann::ordered_json headers = nlohmann::ordered_json::array();
  for (const auto& [name, value] : request.headers) {
    headers.push_back({{"name", name}, {"value", value}});
  }
  nlohmann::ordered_json page;
  page["method"] = request.method;
  page["target"] = request.target;
  page["version"] = Cat("1.", request.minor_version);
  page["headers"] = std::move(headers);
  SitePlan plan;
  plan.content_type = "application/json";
  // Header values are bytes, JSON is UTF-8: what is not becomes U+FFFD.
  plan.text = page.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  return plan;
}

SitePlan Plain(int status, std::string_view text) {
  SitePlan plan;
  plan.status = status;
  plan.text = Cat(text, "\n");
  return plan;
}

SitePlan NotAllowed(std::string_view allow) {
  SitePlan plan = Plain(405, Cat("allowed here: ", allow));
  plan.allow = std::string(allow);
  return plan;
}

// The number after `prefix` in `path`, when it is one and at most `max`.
std::optional<uint64_t> NumberAfter(std::string_view path, std::string_view prefix, uint64_t max) {
  uint64_t number = 0;
  const std::string_view digits = path.substr(prefix.size());
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(Piece(digits), &number) || number > max) {
    return std::nullopt;
  }
  return number;
}

SitePlan PlanRead(const BackendRequest& request, std::string_view path) {
  if (path == "/") return HomePage(request);
  if (path == "/headers") return HeadersPage(request);
  if (path.starts_with("/bytes/")) {
    const auto count = NumberAfter(path, "/bytes/", UINT64_MAX);
    if (!count) return Plain(400, "/bytes/N: N is a number of bytes");
    SitePlan plan;
    plan.body = SitePlan::Body::kBytes;
    plan.content_type = "application/octet-stream";
    plan.num_bytes = *count;
    return plan;
  }
  return Plain(404, "nothing here; there are / /headers /bytes/N /status/N /delay/MS /echo /sink");
}

SitePlan PlanAny(std::string_view path) {
  if (path.starts_with("/status/")) {
    const auto status = NumberAfter(path, "/status/", 599);
    if (!status || *status < 200) return Plain(400, "/status/N: N is 200 to 599");
    return Plain(static_cast<int>(*status), Cat("status ", *status));
  }
  const auto delay_ms = NumberAfter(path, "/delay/", kMaxDelayMs);
  if (!delay_ms) return Plain(400, Cat("/delay/MS: MS is 0 to ", kMaxDelayMs));
  SitePlan plan = Plain(200, Cat("after ", *delay_ms, " ms"));
  plan.delay = std::chrono::milliseconds(*delay_ms);
  return plan;
}

}  // namespace

SitePlan PlanFor(const BackendRequest& request) {
  std::string_view path = request.target;
  path = path.substr(0, path.find_first_of("?#"));
  const bool takes_body = request.method == "POST" || request.method == "PUT";
  if (path == "/echo" || path == "/sink") {
    if (!takes_body) return NotAllowed("POST, PUT");
    SitePlan plan;
    plan.body = path == "/echo" ? SitePlan::Body::kEcho : SitePlan::Body::kSink;
    const std::string* type = request.Find("content-type");
    plan.content_type = path == "/sink"   ? "application/json"
                        : type != nullptr ? *type
                                          : "application/octet-stream";
    return plan;
  }
  if (path.starts_with("/status/") || path.starts_with("/delay/")) return PlanAny(path);
  SitePlan plan = PlanRead(request, path);
  const bool reads = request.method == "GET" || request.method == "HEAD";
  return reads || plan.status == 404 ? plan : NotAllowed("GET, HEAD");
}

uint8_t SiteByte(uint64_t index) {
  return static_cast<uint8_t>(SiteWord(index / 8) >> (8 * (index % 8)));
}

void AppendSiteBytes(uint64_t from, size_t count, std::string& out) {
  for (; count > 0 && from % 8 != 0; ++from, --count) {
    out.push_back(static_cast<char>(SiteByte(from)));
  }
  for (; count >= 8; from += 8, count -= 8) {
    const uint64_t word = htole64(SiteWord(from / 8));
    char bytes[8];
    std::memcpy(bytes, &word, sizeof(bytes));
    out.append(bytes, sizeof(bytes));
  }
  for (; count > 0; ++from, --count) out.push_back(static_cast<char>(SiteByte(from)));
}

std::string_view StatusReason(int status) {
  static constexpr std::pair<int, std::string_view> kReasons[] = {
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {206, "Partial Content"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {304, "Not Modified"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {413, "Content Too Large"},
      {418, "I'm a teapot"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
  };
  for (const auto& [code, reason] : kReasons) {
    if (code == status) return reason;
  }
  return "Status";
}

}  // namespace portcullis::server
