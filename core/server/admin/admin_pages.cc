#include "core/server/admin/admin_pages.h"

#include <prometheus/text_serializer.h>

#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"

#include "core/log/operator_log.h"

namespace portcullis::server {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kPrometheusText = "text/plain; version=0.0.4; charset=utf-8";

constexpr std::string_view kIndex =
    R"(<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Portcullis</title></head>
<body>
<h1>Portcullis</h1>
<ul>
<li><a href="/metrics">/metrics</a>: for Prometheus</li>
<li><a href="/status">/status</a>: what is running, as JSON</li>
<li><a href="/rejections">/rejections</a>: the last clients refused, by reason, as JSON</li>
<li><a href="/healthz">/healthz</a>: 200 while the process lives</li>
<li><a href="/readyz">/readyz</a>: 200 while it serves, 503 while it starts or drains</li>
</ul>
</body>
</html>
)";

}  // namespace

AdminPages::AdminPages(std::shared_ptr<prometheus::Collectable> metrics,
                       std::function<Readiness()> readiness,
                       std::function<std::string()> status_json,
                       std::function<std::string()> rejections_json)
    : metrics_(std::move(metrics)),
      readiness_(std::move(readiness)),
      status_json_(std::move(status_json)),
      rejections_json_(std::move(rejections_json)) {}

AdminResponse AdminPages::Respond(std::string_view method, std::string_view path) const {
  if (method != "GET" && method != "HEAD") return {405, kText, "only GET and HEAD here\n"};
  // Libraries below us throw (out of memory, a number that does not convert): an admin request must
  // not be what ends the service.
  try {
    return Get(path);
  } catch (const std::exception& error) {
    log::Error(absl::StrCat("admin: ", std::string(path), ": ", error.what()));
  } catch (...) {
    log::Error(absl::StrCat("admin: ", std::string(path), ": unknown exception"));
  }
  return {500, kText, "internal error; see the log\n"};
}

AdminResponse AdminPages::Get(std::string_view path) const {
  if (path == "/metrics") return Metrics();
  if (path == "/healthz") return {200, kText, "ok\n"};
  if (path == "/readyz") {
    const Readiness readiness = readiness_();
    return {readiness == Readiness::kServing ? 200 : 503, kText,
            absl::StrCat(std::string(ReadinessName(readiness)), "\n")};
  }
  if (path == "/status") return {200, "application/json", status_json_()};
  if (path == "/rejections") return {200, "application/json", rejections_json_()};
  if (path == "/") return {200, "text/html; charset=utf-8", std::string(kIndex)};
  return {404, kText, "not found; see /\n"};
}

AdminResponse AdminPages::Metrics() const {
  return {200, kPrometheusText, prometheus::TextSerializer().Serialize(metrics_->Collect())};
}

}  // namespace portcullis::server
