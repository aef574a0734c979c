// The configuration file: YAML in, a checked Config out, or every error there is in it. Called by
// the supervisor at start-up and on reload, and by `portcullis check`; any thread, nothing is
// shared. Does not read certificates, trust or CRLs, does not resolve names.
//
// Keys are the field names of config.h, enums their words in enum_names.h, durations "250ms" or
// "10s", sizes "32KiB". deploy/portcullis.example.yaml shows all of it. Relative paths start at the
// folder of the configuration file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "core/config/config.h"

namespace portcullis::config {

// ParseConfig reads and validates `yaml_text` (at most 4 MiB). `file_name` stands in messages, and
// its folder is where relative paths start; the file itself is not touched. The only look at the
// file system is whether a trust folder has a ca.crl. On failure InvalidArgument, with a line for
// each error:
//
//   FILE:LINE:COLUMN: listeners[0].mode: found 'htpp'; allowed: http, tcp; did you mean 'http'?
//
// `warnings`, if given, gets one line each for what is accepted but hardly meant (an unused
// backend); also on failure.
absl::StatusOr<Config> ParseConfig(std::string_view yaml_text, std::string_view file_name,
                                   std::vector<std::string>* warnings = nullptr);

// LoadConfig is ParseConfig on the file at `path`. When that cannot be read: NotFound, or
// FailedPrecondition.
absl::StatusOr<Config> LoadConfig(const std::string& path,
                                  std::vector<std::string>* warnings = nullptr);

}  // namespace portcullis::config
