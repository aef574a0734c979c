#include "core/server/commands/curl.h"

#include <chrono>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"

#include "core/server/commands/subprocess.h"
#include "core/server/commands/text.h"
#include "io/check.h"

namespace portcullis::server {
namespace {

constexpr auto kTimeout = std::chrono::seconds(10);

bool NeedsQuotes(std::string_view word) {
  static constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@%+";
  return word.empty() || word.find_first_not_of(kPlain) != word.npos;
}

std::string Quoted(std::string_view word) {
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

}  // namespace

std::string ShellLine(const std::vector<std::string>& argv) {
  std::string line;
  for (const std::string& word : argv) {
    if (!line.empty()) line += ' ';
    line += NeedsQuotes(word) ? Quoted(word) : word;
  }
  return line;
}

absl::StatusOr<CurlAnswer> ParseAnswer(std::string_view output) {
  while (true) {
    const size_t line_end = output.find("\r\n");
    const size_t head_end = output.find("\r\n\r\n");
    if (!output.starts_with("HTTP/") || head_end == output.npos) {
      return absl::InvalidArgumentError(Cat("no HTTP answer but '", output.substr(0, 80), "'"));
    }
    const std::string_view status_line = output.substr(0, line_end);
    const std::string_view rest = output.substr(head_end + 4);
    if (status_line.find(" 1") == status_line.find(' ')) {
      output = rest;
      continue;
    }
    const std::string_view head = head_end == line_end
                                      ? std::string_view()
                                      : output.substr(line_end + 2, head_end - line_end);
    return CurlAnswer{std::string(status_line), std::string(head), std::string(rest)};
  }
}

absl::StatusOr<std::string> RunCurl(const std::vector<std::string>& argv) {
  // The requests stay on this machine: proxies have no say.
  static const std::vector<std::pair<std::string, std::string>> kEnvironment = {
      {"http_proxy", ""}, {"https_proxy", ""}, {"HTTPS_PROXY", ""},
      {"all_proxy", ""},  {"ALL_PROXY", ""},
  };
  CHECK(!argv.empty());
  std::vector<std::string> quiet = argv;
  quiet.insert(quiet.begin() + 1, {"-q", "-sS"});  // -q, only as the first: no .curlrc
  absl::StatusOr<ProcessResult> ran = RunProcess(quiet, kEnvironment, kTimeout);
  if (!ran.ok()) return ran.status();
  if (ran->exit_code != 0) {
    const std::string words(absl::StripAsciiWhitespace(Piece(ran->err)));
    return absl::UnavailableError(
        Cat("curl exit status ", ran->exit_code, words.empty() ? "" : ": ", words));
  }
  return std::move(ran->out);
}

}  // namespace portcullis::server
