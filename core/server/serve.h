// `portcullis serve` and `portcullis check`. Main thread, before any other.
#pragma once

#include "core/server/commands/args.h"

namespace portcullis::server {

// ServeMain runs the service until a signal ends it: SIGTERM or SIGINT drain (a second one cuts),
// SIGHUP reloads. Returns the exit code: 0 after a drain, 78 for a bad config or a machine without
// io_uring, 1 otherwise.
[[nodiscard]] int ServeMain(const ServeArgs& args);

// CheckMain validates the config and every file it names, and prints what would run. 0, or 78 with
// errors on stderr.
[[nodiscard]] int CheckMain(const CheckArgs& args);

}  // namespace portcullis::server
