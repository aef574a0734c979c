// DemoConfig: the configuration `portcullis demo` serves by, as the YAML file a user could have
// written. Pure function.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace portcullis::server {

struct DemoSettings {
  uint16_t port = 0;           // of the terminator on 127.0.0.1; 0: any free one
  uint16_t admin_port = 0;     // likewise
  std::string backend;         // where the embedded backend listens, "127.0.0.1:40123"
  std::string connection_log;  // absolute path
};

inline constexpr char kDemoListener[] = "demo";

// DemoConfig names its certificates relative to the folder the text is stored in, as WriteDemoPki
// lays them out.
[[nodiscard]] std::string DemoConfig(const DemoSettings& settings);

}  // namespace portcullis::server
