// Files: whole-file reads for configuration material, with errors that name the file and the place
// that asked for it. Set-up code: blocks; never on a worker.
#pragma once

#include <string>

#include "absl/status/statusor.h"

#include "core/config/config.h"

namespace portcullis::server {

// ReadWholeFile reads `path` (at most 64 MiB). The error names `path`, what went wrong, and `where`
// in the config.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path, const config::Location& where);

// WriteWholeFile replaces `path` atomically (temporary file in the same folder, then rename).
absl::Status WriteWholeFile(const std::string& path, const std::string& content);

// Place formats `where` as "FILE:LINE:COLUMN: ", or "" when it is nowhere.
[[nodiscard]] std::string Place(const config::Location& where);

}  // namespace portcullis::server
