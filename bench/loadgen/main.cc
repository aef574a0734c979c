// portcullis-loadgen: mutual-TLS load against a server, and what came of it.
#include <cstdio>
#include <ctime>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "bench/loadgen/flags.h"
#include "bench/loadgen/load.h"
#include "bench/loadgen/output.h"
#include "bench/loadgen/report.h"
#include "portcullis_version.h"

namespace portcullis::bench {
namespace {

int Complain(const absl::Status& status, int exit_code) {
  std::fprintf(stderr, "portcullis-loadgen: %s\n", std::string(status.message()).c_str());
  return exit_code;
}

// Tell says what went wrong, if anything did, and returns whether all is well.
bool Tell(const absl::Status& status) {
  if (!status.ok()) Complain(status, 1);
  return status.ok();
}

// Each file for itself, so that one that cannot be written does not cost the others.
bool CheckOutputs(const Options& options) {
  bool good = true;
  for (const std::string& path : OutputsOf(options)) good = Tell(CheckWritable(path)) && good;
  return good;
}

bool Save(const Options& options, const Result& result) {
  // Where standard output gets a file, it gets nothing else.
  std::FILE* const out = StdoutTaken(options) ? stderr : stdout;
  std::fputs(ToText(result).c_str(), out);
  bool good = std::fflush(out) == 0 ||
              Tell(absl::UnavailableError("cannot write the result to standard output"));
  const nlohmann::json json = ToJson(result);
  if (!options.json.empty()) {
    // What peers and paths are called need not be UTF-8.
    constexpr auto kReplace = nlohmann::json::error_handler_t::replace;
    good = Tell(WriteFile(options.json, json.dump(1, ' ', false, kReplace) + "\n")) && good;
  }
  if (!options.html.empty()) good = Tell(WriteFile(options.html, ToHtml({json}))) && good;
  return good;
}

int LoadMain(std::span<const char* const> arguments) {
  const absl::StatusOr<Options> options = ParseOptions(arguments);
  if (!options.ok()) {
    Complain(options.status(), 2);
    std::fputs("portcullis-loadgen --help lists the options\n", stderr);
    return 2;
  }
  if (!CheckOutputs(*options)) return 1;
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
  const time_t started = std::time(nullptr);
  absl::StatusOr<Result> result = RunLoad(*options, *issuers);
  if (!result.ok()) return Complain(result.status(), absl::IsCancelled(result.status()) ? 130 : 1);
  result->started = started;
  const bool saved = Save(*options, *result);
  const int code = ExitCode(*result);
  return code == 0 && !saved ? 1 : code;
}

}  // namespace
}  // namespace portcullis::bench

int main(int argc, char** argv) {
  const auto arguments =
      std::span(const_cast<const char* const*>(argv), static_cast<size_t>(argc)).subspan(1);
  if (!arguments.empty() && std::string_view(arguments[0]) == "report")
    return portcullis::bench::ReportMain(arguments.subspan(1));
  for (const std::string_view argument : arguments) {
    if (argument == "--help" || argument == "-h") {
      std::fputs(portcullis::bench::Usage().c_str(), stdout);
      return 0;
    }
    if (argument == "--version") {
      std::printf("portcullis-loadgen %s (%s, %s)\n", portcullis::kVersion, portcullis::kCommit,
                  portcullis::kFlavour);
      return 0;
    }
  }
  return portcullis::bench::LoadMain(arguments);
}
