// AdminPages: what the admin port answers, apart from how it is served: a request's method and path
// in, a response out. Called by the admin threads, several at once; the functions it is made of
// must stand that. Never by workers.
#pragma once

#include <prometheus/collectable.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/server/admin/readiness.h"

namespace portcullis::server {

struct AdminResponse {
  int status = 200;
  std::string_view content_type;  // a constant
  std::string body;
};

class AdminPages {
 public:
  // `status_json` and `rejections_json` return the bodies of /status and /rejections. Each function
  // may throw: that request then answers 500.
  AdminPages(std::shared_ptr<prometheus::Collectable> metrics, std::function<Readiness()> readiness,
             std::function<std::string()> status_json,
             std::function<std::string()> rejections_json);

  // Respond answers a request. `path` is without query. GET and HEAD only (405), for
  //   /         an index in HTML
  //   /metrics  the metrics, Prometheus text format 0.0.4
  //   /healthz  200 "ok" as long as the process answers
  //   /readyz   200 "serving", or 503 "starting" or "draining"
  //   /status   JSON
  //   /rejections  JSON: the last refusals of each reason
  // The body of a HEAD is that of its GET: the server leaves it out.
  [[nodiscard]] AdminResponse Respond(std::string_view method, std::string_view path) const;

 private:
  [[nodiscard]] AdminResponse Get(std::string_view path) const;
  [[nodiscard]] AdminResponse Metrics() const;

  const std::shared_ptr<prometheus::Collectable> metrics_;
  const std::function<Readiness()> readiness_;
  const std::function<std::string()> status_json_;
  const std::function<std::string()> rejections_json_;
};

}  // namespace portcullis::server
