// Any text as a configuration file: it is accepted and can be described, or every line of the
// errors has its place.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/describe.h"
#include "core/config/yaml_reader.h"
#include "tests/core/config/finding_line.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using portcullis::config::Config;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> warnings;
  const absl::StatusOr<Config> config = portcullis::config::ParseConfig(text, "c.yaml", &warnings);
  for (const std::string& warning : warnings) {
    if (!portcullis::config::HasPlace(warning, "c.yaml")) std::abort();
  }
  if (config.ok()) {
    if (portcullis::config::Describe(*config).empty()) std::abort();
  } else if (!portcullis::config::AreFindings(std::string(config.status().message()), "c.yaml")) {
    std::abort();
  }
  return 0;
}
