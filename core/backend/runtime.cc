#include "core/backend/runtime.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "core/config/diagnostics.h"
#include "io/host_lookup.h"

namespace portcullis::backend {
namespace {

using Resolved = std::vector<std::pair<io::SocketAddress, std::string>>;

absl::Status AtTarget(const config::Target& target, absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat(config::Place(target.where), "backend target '",
                                                 target.address, "': ", problem));
}

// LookUp resolves "name:port" and appends every address found.
absl::Status LookUp(const config::Target& target, Resolved& out) {
  const size_t colon = target.address.rfind(':');
  if (colon == std::string::npos) return AtTarget(target, "no port; write host:port");
  const std::string host = target.address.substr(0, colon);
  const std::string port = target.address.substr(colon + 1);
  absl::StatusOr<std::vector<io::SocketAddress>> found = io::LookUpHost(host, port, true);
  if (!found.ok()) {
    return AtTarget(target, absl::StrCat("the name does not resolve: ", found.status().message()));
  }
  for (const io::SocketAddress& address : *found) out.emplace_back(address, target.address);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Resolved> ResolveTargets(const config::Backend& backend) {
  Resolved out;
  for (const config::Target& target : backend.targets) {
    if (absl::StatusOr<io::SocketAddress> literal = io::SocketAddress::Parse(target.address);
        literal.ok()) {
      out.emplace_back(*literal, target.address);
    } else if (absl::Status status = LookUp(target, out); !status.ok()) {
      return status;
    }
  }
  return out;
}

std::shared_ptr<BackendRuntime> MakeRuntime(const config::Backend& backend, uint32_t metrics_id,
                                            const Resolved& targets) {
  auto runtime = std::make_shared<BackendRuntime>();
  runtime->name = backend.name;
  runtime->metrics_id = metrics_id;
  runtime->connect_timeout_ms = static_cast<io::Millis>(backend.connect_timeout.count());
  runtime->keepalive_ms = static_cast<io::Millis>(backend.keepalive_timeout.count());
  runtime->max_idle_per_target = backend.max_idle_per_target;
  for (const auto& [address, text] : targets) {
    auto target = std::make_unique<TargetRuntime>();
    target->address = address;
    target->text = std::make_shared<const std::string>(text);
    runtime->targets.push_back(std::move(target));
  }
  return runtime;
}

}  // namespace portcullis::backend
