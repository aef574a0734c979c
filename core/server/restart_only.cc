#include "core/server/restart_only.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "core/log/log_sink.h"
#include "core/server/snapshot.h"

namespace portcullis::server {
namespace {

// Collects the fields that differ.
class Differences {
 public:
  template <typename T>
  void Compare(absl::string_view field, const T& in_force, const T& wanted) {
    if (in_force == wanted) return;
    lines_.push_back(absl::StrCat("reload: ", field, " changes at a restart only: it stays ",
                                  Text(in_force), ", not ", Text(wanted)));
  }
  std::vector<std::string> Take() { return std::move(lines_); }

 private:
  static std::string Text(bool value) { return value ? "true" : "false"; }
  static std::string Text(uint32_t value) { return absl::StrCat(value); }
  static std::string Text(const std::string& value) { return value.empty() ? "off" : value; }

  std::vector<std::string> lines_;
};

std::map<std::string, uint32_t> BacklogsOf(const config::Config& config) {
  std::map<std::string, uint32_t> backlogs;
  for (const config::Listener& listener : config.listeners) {
    backlogs[SocketKey(listener)] = listener.backlog;
  }
  return backlogs;
}

}  // namespace

RestartOnly::RestartOnly(const config::Config& config, uint32_t workers)
    : workers_(workers),
      pin_workers_(config.pin_workers),
      admin_(config.admin),
      limits_(config.limits),
      rejections_kept_(config.log.rejections_kept),
      connections_(config.log.connections),
      backlogs_(BacklogsOf(config)) {}

std::vector<std::string> RestartOnly::Take(const config::Config& config, uint32_t workers) {
  Differences differences;
  differences.Compare("workers", workers_, workers);
  differences.Compare("pin_workers", pin_workers_, config.pin_workers);
  differences.Compare("admin.address", admin_.address, config.admin.address);
  // From one file to another the log goes at once.
  if (log::NamesFile(connections_) && log::NamesFile(config.log.connections)) {
    connections_ = config.log.connections;
  }
  differences.Compare("log.connections", connections_, config.log.connections);
  differences.Compare("log.rejections_kept", rejections_kept_, config.log.rejections_kept);
  if (config.limits.max_connections > limits_.max_connections) {
    differences.Compare("limits.max_connections, beyond what the process started with,",
                        limits_.max_connections, config.limits.max_connections);
  }
  differences.Compare("limits.verdict_cache", limits_.verdict_cache, config.limits.verdict_cache);
  std::map<std::string, uint32_t> backlogs = BacklogsOf(config);
  for (const config::Listener& listener : config.listeners) {
    const auto held = backlogs_.find(SocketKey(listener));
    if (held == backlogs_.end()) continue;
    differences.Compare(absl::StrCat("backlog of listener '", listener.name, "'"), held->second,
                        listener.backlog);
    backlogs[held->first] = held->second;
  }
  backlogs_ = std::move(backlogs);
  return differences.Take();
}

}  // namespace portcullis::server
