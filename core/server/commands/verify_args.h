// The command line of `portcullis verify`. Pure functions.
#pragma once

#include <span>

#include "absl/status/statusor.h"

#include "core/server/commands/args.h"
#include "core/server/commands/flags.h"

namespace portcullis::server {

[[nodiscard]] std::span<const Flag> VerifyFlags();

// BuildVerify makes typed arguments of the flags found. InvalidArgument names the flag and what is
// allowed.
absl::StatusOr<Args> BuildVerify(const Values& values);

}  // namespace portcullis::server
