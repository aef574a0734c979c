// LoadHostJudge: what a virtual host of a configuration judges clients by, for `portcullis verify`.
// Main thread; reads the configuration and every file it names, as serving does.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

#include "core/server/commands/verify_command.h"

namespace portcullis::server {

// LoadHostJudge loads the configuration at `path` as of `now` and takes trust, bounds and policy of
// the virtual host that is called `host`, or has it among its server names. NotFound when there is
// none, or when it asks clients for no certificate.
absl::StatusOr<HostJudge> LoadHostJudge(const std::string& path, const std::string& host,
                                        int64_t now);

}  // namespace portcullis::server
