// portcullis-loadgen: mutual-TLS load against a server, and what came of it.
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "bench/loadgen/flags.h"
#include "bench/loadgen/load.h"
#include "bench/loadgen/output.h"
#include "bench/loadgen/report.h"

namespace portcullis::bench {
namespace {

int Complain(const absl::Status& status, int exit_code) {
  std::fprintf(stderr, "portcullis-loadgen: %s\n", std::string(status.message()).c_str());
  return exit_code;
}

absl::Status Save(const Options& options, const Result& result) {
  const nlohmann::json json = ToJson(result);
  if (!options.json.empty()) {
    if (absl::Status status = WriteFile(options.json, json.dump(1) + "\n"); !status.ok())
      return status;
  }
  if (options.html.empty()) return absl::OkStatus();
  return WriteFile(options.html, ToHtml({json}));
}

int LoadMain(std::span<const char* const> arguments) {
  const absl::StatusOr<Options> options = ParseOptions(arguments);
  if (!options.ok()) {
    Complain(options.status(), 2);
    std::fputs("portcullis-loadgen --help lists the options\n", stderr);
    return 2;
  }
  const absl::StatusOr<Issuers> issuers = MakeIssuers(*options);
  if (!issuers.ok()) return Complain(issuers.status(), 1);
  if (absl::Status status = WriteFiles(*options, *issuers); !status.ok())
    return Complain(status, 1);
  if (OnlyWrites(*options)) return 0;
  if (options->wait) {
    std::fputs("written; a line on stdin starts the load\n", stderr);
    while (true) {
      const int c = std::getchar();
      if (c == '\n' || c == EOF) break;
    }
  }
  const absl::StatusOr<Result> result = RunLoad(*options, *issuers);
  if (!result.ok()) return Complain(result.status(), 1);
  // Where standard output gets a file, it gets nothing else.
  std::fputs(ToText(*result).c_str(), StdoutTaken(*options) ? stderr : stdout);
  if (absl::Status status = Save(*options, *result); !status.ok()) return Complain(status, 1);
  return result->tally.done > 0 ? 0 : 1;
}

}  // namespace
}  // namespace portcullis::bench

int main(int argc, char** argv) {
  const auto arguments =
      std::span(const_cast<const char* const*>(argv), static_cast<size_t>(argc)).subspan(1);
  if (!arguments.empty() && std::string_view(arguments[0]) == "report")
    return portcullis::bench::ReportMain(arguments.subspan(1));
  for (const char* argument : arguments) {
    if (std::string_view(argument) == "--help") {
      std::fputs(portcullis::bench::Usage().c_str(), stdout);
      return 0;
    }
  }
  return portcullis::bench::LoadMain(arguments);
}
