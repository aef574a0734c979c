// RunProcess: runs a program to its end and captures what it printed. For the demo's curl; the
// calling thread waits.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace portcullis::server {

struct ProcessResult {
  int exit_code = -1;  // 128 + N when signal N ended it
  std::string out;     // stdout
  std::string err;     // stderr
};

// RunProcess starts argv[0], found on PATH, with this process's environment changed by
// `environment` (name, value; an empty value removes the name), no stdin, and no signal blocked.
// kNotFound: there is no such program. kDeadlineExceeded: it ran longer than `timeout` and was
// killed. At most 16 MiB of output are kept; the rest is read and dropped.
absl::StatusOr<ProcessResult> RunProcess(
    const std::vector<std::string>& argv,
    const std::vector<std::pair<std::string, std::string>>& environment,
    std::chrono::milliseconds timeout);

}  // namespace portcullis::server
