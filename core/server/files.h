// Files: whole-file reads for configuration material, with errors that name the file and the place
// that asked for it. Set-up code: blocks; never on a worker.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "core/config/config.h"
#include "core/config/diagnostics.h"

namespace portcullis::server {

using config::Place;

// ReadWholeFile reads `path` (at most 512 MiB: a CRL of millions of entries). The error names
// `path`, what went wrong, and `where` in the config.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path, const config::Location& where);

// FilesOf returns `path` itself, or if it is a folder the regular files in it (links followed, as
// Kubernetes mounts them) whose names end in one of `suffixes` and do not begin with a dot, sorted.
// A folder without any is an error, and so is a link to nothing: what was meant to be there is not.
absl::StatusOr<std::vector<std::string>> FilesOf(const std::string& path,
                                                 std::span<const std::string_view> suffixes,
                                                 const config::Location& where);

// ReadableByOthers tells whether group or world may read the file.
[[nodiscard]] bool ReadableByOthers(const std::string& path);

// WriteWholeFile replaces `path` atomically (temporary file in the same folder, then rename).
absl::Status WriteWholeFile(const std::string& path, const std::string& content);

}  // namespace portcullis::server
