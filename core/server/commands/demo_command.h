// `portcullis demo`: throw-away certificates, the embedded backend and the terminator, all in this
// process and on loopback. Main thread, before any other. Its files live in one temporary folder
// and go with it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "core/server/commands/args.h"
#include "core/server/running_server.h"

namespace portcullis::server {

// What the demo needs from those above it.
struct DemoHooks {
  // Starts a terminator by the configuration file at `config_path` and returns once it accepts. It
  // must leave SIGINT and SIGTERM, which are blocked, alone.
  std::function<absl::StatusOr<std::unique_ptr<RunningServer>>(const std::string& config_path)>
      start;
};

// DemoMain shows the requests and their answers and serves until SIGINT or SIGTERM; with args.check
// it verifies the answers and ends. Returns the exit code: 0, 78 on a machine that cannot serve, or
// 1 if something else could not start or an answer was wrong.
[[nodiscard]] int DemoMain(const DemoArgs& args, const DemoHooks& hooks);

}  // namespace portcullis::server
