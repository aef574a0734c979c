#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>

#include "bench/loadgen/output.h"
#include "bench/loadgen/report.h"

namespace portcullis::bench {
namespace {

constexpr const char* kWanted = "wanted: A.json [B.json...] --html FILE";
constexpr const char* kUsage = R"(portcullis-loadgen report A.json [B.json...] --html FILE

Draws one page of one or several results that --json wrote: figures, plots, and bars where there are
several, each under its --label or else its file's name. It loads nothing from elsewhere. FILE may
be -, standard output.
)";

int Complain(const std::string& what) {
  std::fprintf(stderr, "portcullis-loadgen report: %s\n", what.c_str());
  return 2;
}

// Read returns a file's text, or why there is none in `error`. Not by a stream, which throws for a
// folder.
std::string Read(const std::string& path, int& error) {
  std::string text;
  std::FILE* const file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) {
    error = errno;
    return text;
  }
  std::array<char, 65536> part;
  while (const size_t got = std::fread(part.data(), 1, part.size(), file))
    text.append(part.data(), got);
  if (std::ferror(file) != 0) error = errno;
  std::fclose(file);
  return text;
}

}  // namespace

int ReportMain(std::span<const char* const> arguments) {
  std::string out;
  std::vector<nlohmann::json> results;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string argument = arguments[i];
    if (argument == "--help" || argument == "-h") {
      std::fputs(kUsage, stdout);
      return 0;
    }
    if (argument == "--html" && i + 1 < arguments.size()) {
      out = arguments[++i];
      continue;
    }
    if (argument.starts_with("--html=")) {
      out = argument.substr(argument.find('=') + 1);
      continue;
    }
    if (argument.starts_with("--")) return Complain("found " + argument + ", " + kWanted);
    int error = 0;
    const std::string text = Read(argument, error);
    if (error != 0) return Complain("cannot read " + argument + ": " + std::strerror(error));
    nlohmann::json result = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!result.is_object() || !result.contains("tool") || result["tool"] != "portcullis-loadgen") {
      return Complain(argument + " is no result of portcullis-loadgen");
    }
    if (!result.contains("label") || !result["label"].is_string() || result["label"] == "")
      result["label"] = std::filesystem::path(argument).stem().string();
    results.push_back(std::move(result));
  }
  if (results.empty() || out.empty()) return Complain(kWanted);
  if (absl::Status status = WriteFile(out, ToHtml(results)); !status.ok())
    return Complain(std::string(status.message()));
  return 0;
}

}  // namespace portcullis::bench
