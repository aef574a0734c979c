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
    if (argument == "--html" && i + 1 < arguments.size()) {
      out = arguments[++i];
      continue;
    }
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
  if (results.empty() || out.empty()) return Complain("wanted: A.json [B.json...] --html FILE");
  if (absl::Status status = WriteFile(out, ToHtml(results)); !status.ok())
    return Complain(std::string(status.message()));
  return 0;
}

}  // namespace portcullis::bench
