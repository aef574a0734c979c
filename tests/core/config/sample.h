// A small configuration that is accepted without a warning, and edits of it: a test says only what
// it changes. For the tests of this folder; one thread.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/config/yaml_reader.h"

namespace portcullis::config {

inline constexpr std::string_view kSample =
    "listeners:\n"                                        // 1
    "  - name: https\n"                                   // 2
    "    address: 127.0.0.1:8443\n"                       // 3
    "    hosts: [one]\n"                                  // 4
    "virtual_hosts:\n"                                    // 5
    "  - name: one\n"                                     // 6
    "    server_names: [one.example]\n"                   // 7
    "    certificates: [{folder: /tls}]\n"                // 8
    "    client_auth: {mode: require, trust: clients}\n"  // 9
    "    backend: app\n"                                  // 10
    "trusts:\n"                                           // 11
    "  - {name: clients, ca: [/ca.crt]}\n"                // 12
    "backends:\n"                                         // 13
    "  - {name: app, targets: [\"127.0.0.1:80\"]}\n";     // 14

using Edits = std::vector<std::pair<std::string_view, std::string_view>>;

// Edited returns the sample with each first text, which must stand in it exactly once, replaced by
// the second.
inline std::string Edited(const Edits& edits) {
  std::string text(kSample);
  for (const auto& [from, to] : edits) {
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << "the sample lacks: " << from;
    if (at == std::string::npos) continue;
    EXPECT_EQ(text.find(from, at + 1), std::string::npos) << "the sample has twice: " << from;
    text.replace(at, from.size(), to);
  }
  return text;
}

// WithTop returns the sample with `lines` in front; they end in '\n'.
inline std::string WithTop(std::string_view lines) {
  return std::string(lines) + std::string(kSample);
}

// Accepted returns the configuration, which must parse without errors and warnings.
inline Config Accepted(std::string_view yaml) {
  std::vector<std::string> warnings;
  absl::StatusOr<Config> config = ParseConfig(yaml, "c.yaml", &warnings);
  EXPECT_TRUE(config.ok()) << config.status().message() << "\nin:\n" << yaml;
  for (const std::string& warning : warnings) ADD_FAILURE() << warning << "\nin:\n" << yaml;
  return config.ok() ? *std::move(config) : Config{};
}

// Errors returns the messages, one a line; "" if `yaml` is accepted.
inline std::string Errors(std::string_view yaml) {
  return std::string(ParseConfig(yaml, "c.yaml").status().message());
}

// Warnings returns the warnings about what must be accepted, one a line, each with '\n'.
inline std::string Warnings(std::string_view yaml) {
  std::vector<std::string> warnings;
  const absl::StatusOr<Config> config = ParseConfig(yaml, "c.yaml", &warnings);
  EXPECT_TRUE(config.ok()) << config.status().message();
  std::string text;
  for (const std::string& warning : warnings) text += warning + "\n";
  return text;
}

}  // namespace portcullis::config
