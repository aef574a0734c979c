#include "core/server/host_judge.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "core/server/snapshot.h"
#include "tls/host_context.h"

namespace portcullis::server {
namespace {

const tls::HostSpec* FindHost(const ListenerSnapshot& listener, const std::string& name) {
  for (const std::unique_ptr<tls::HostSpec>& spec : listener.hosts) {
    const std::vector<std::string>& names = spec->server_names;
    if (spec->name == name || std::find(names.begin(), names.end(), name) != names.end()) {
      return spec.get();
    }
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<HostJudge> LoadHostJudge(const std::string& path, const std::string& host,
                                        int64_t now) {
  const absl::StatusOr<std::shared_ptr<const Snapshot>> snapshot = LoadSnapshot(path, now);
  if (!snapshot.ok()) return snapshot.status();
  for (const ListenerSnapshot& listener : (*snapshot)->listeners) {
    const tls::HostSpec* const spec = FindHost(listener, host);
    if (spec == nullptr) continue;
    if (spec->client_auth.trust == nullptr) {
      return absl::NotFoundError(
          absl::StrCat(path, ": virtual host '", host, "' asks clients for no certificate"));
    }
    return HostJudge{.trust = spec->client_auth.trust,
                     .policy = spec->client_auth.policy,
                     .options = tls::MakeVerifierOptions(spec->client_auth, listener.options)};
  }
  return absl::NotFoundError(
      absl::StrCat(path, ": no listener serves a virtual host called '", host, "'"));
}

}  // namespace portcullis::server
