// `portcullis backend`: the embedded backend by itself, until SIGINT or SIGTERM. Main thread,
// before any other.
#pragma once

#include "core/server/commands/args.h"

namespace portcullis::server {

// BackendMain serves on `args.listen` and prints "listening on ADDR" on stdout once it does.
// Returns the exit code.
[[nodiscard]] int BackendMain(const BackendArgs& args);

}  // namespace portcullis::server
