// Output: where a run's files go, and how they get there. A regular file is replaced whole or not
// at all; whatever else stands at a path (a device, a FIFO) is written to and stays; a symlink is
// followed. Set-up and end of a run, one thread.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace portcullis::bench {

// IsStdout tells whether a path names standard output: "-", /dev/stdout and its like.
[[nodiscard]] bool IsStdout(const std::string& path);

// WriteFile writes `text` to what `path` names; `secret`: a file is readable by its owner only. The
// error names the path.
absl::Status WriteFile(const std::string& path, const std::string& text, bool secret = false);

// CheckWritable tells beforehand, as far as can be told, whether WriteFile will succeed. Changes
// nothing that is there.
absl::Status CheckWritable(const std::string& path);

}  // namespace portcullis::bench
