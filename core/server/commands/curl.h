// Curl: the demo's requests as curl commands: a line to copy, the same run here, and its answer
// taken apart.
//
// What is shown and what is run are one argument list, but for flags that keep the user's own
// settings and a progress meter out of it. Set-up code; one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace portcullis::server {

// ShellLine is `argv` as one line for a POSIX shell, quoted where needed.
[[nodiscard]] std::string ShellLine(const std::vector<std::string>& argv);

// An HTTP answer as `curl -i` prints it.
struct CurlAnswer {
  std::string status_line;  // "HTTP/1.1 400 Bad Request"
  std::string head;         // header lines, with CR LF
  std::string body;
};

// ParseAnswer splits the output of `curl -i`; interim (1xx) answers are passed over. The error
// quotes what came.
absl::StatusOr<CurlAnswer> ParseAnswer(std::string_view output);

// RunCurl runs such a command, without the user's .curlrc and proxies, for at most ten seconds, and
// returns its stdout. An error holds curl's exit status and its own words; kNotFound says that
// there is no curl.
absl::StatusOr<std::string> RunCurl(const std::vector<std::string>& argv);

}  // namespace portcullis::server
