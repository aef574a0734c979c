#include "core/server/accept_watch.h"

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

#include "io/open_files.h"

namespace portcullis::server {
namespace {

std::string Remedy(int error) {
  if (error == EMFILE) {
    return absl::StrCat(" (the limit is ", io::ReadOpenFileLimit().soft,
                        "): raise LimitNOFILE= (systemd) or ulimit -n, or lower "
                        "limits.max_connections");
  }
  return error == ENFILE ? " in the whole system: raise fs.file-max" : "";
}

}  // namespace

std::optional<std::string> AcceptWatch::Look(metrics::ShardSet& shards,
                                             std::chrono::steady_clock::time_point now) {
  uint64_t failures = 0;
  int error = 0;
  for (size_t worker = 0; worker < shards.num_workers(); ++worker) {
    for (size_t id = 0; id < metrics::kMaxListeners; ++id) {
      const metrics::ListenerShard* const listener = shards.shard(worker).FindListener(id);
      if (listener == nullptr || listener->accept_failures.value() == 0) continue;
      failures += listener->accept_failures.value();
      error = static_cast<int>(listener->last_accept_error.value());
    }
  }
  if (failures == failures_told_ || (last_told_ && now - *last_told_ < kTellEvery)) {
    return std::nullopt;
  }
  const uint64_t fresh = failures - failures_told_;
  failures_told_ = failures;
  last_told_ = now;
  return absl::StrCat("accepting connections failed, ", fresh, " times since this was last said, ",
                      "while clients wait: ", strerror(error), Remedy(error));
}

}  // namespace portcullis::server
