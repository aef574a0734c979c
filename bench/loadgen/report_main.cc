#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "bench/loadgen/output.h"
#include "bench/loadgen/report.h"

namespace portcullis::bench {
namespace {

int Complain(const std::string& what) {
  std::fprintf(stderr, "portcullis-loadgen report: %s\n", what.c_str());
  return 2;
}

}  // namespace

int ReportMain(std::span<const char* const> arguments) {
  std::string out;
  std::vector<nlohmann::json> results;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string argument = arguments[i];
    if (argument == "--html" && i + 1 < arguments.size()) {
      out = arguments[++i];
      continue;
    }
    std::ifstream file(argument);
    if (!file.good()) return Complain("cannot read " + argument);
    nlohmann::json result = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
    if (!result.is_object() || !result.contains("tool") || result["tool"] != "portcullis-loadgen") {
      return Complain(argument + " is no result of portcullis-loadgen");
    }
    if (!result.contains("label") || !result["label"].is_string() || result["label"] == "")
      result["label"] = std::filesystem::path(argument).stem().string();
    results.push_back(std::move(result));
  }
  if (results.empty() || out.empty()) return Complain("wanted: A.json [B.json...] --html FILE");
  if (absl::Status status = WriteFile(out, ToHtml(results)); !status.ok())
    return Complain(std::string(status.message()));
  return 0;
}

}  // namespace portcullis::bench
