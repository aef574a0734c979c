// Properties that hold for any text: the reader never fails but by errors that have a place, and it
// is deterministic.

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/describe.h"
#include "core/config/yaml_reader.h"
#include "tests/core/config/finding_line.h"
#include "tests/core/config/sample.h"

namespace portcullis::config {
namespace {

constexpr int kRounds = 1'500;

// What typing, pasting and merging put into a configuration file.
constexpr std::string_view kFragments[] = {"\n",
                                           "  ",
                                           "\t",
                                           ": ",
                                           "- ",
                                           "[",
                                           "]",
                                           "{",
                                           "}",
                                           ",",
                                           "'",
                                           "\"",
                                           "#",
                                           "&a ",
                                           "*a",
                                           "~",
                                           "|\n  x\n",
                                           ">\n",
                                           "? ",
                                           "!!str ",
                                           "---\n",
                                           "...\n",
                                           "\xEF\xBB\xBF",
                                           "\xC3\xBC",
                                           "\xFF",
                                           "\r\n",
                                           "-1",
                                           "1e9",
                                           "99999999999999999999",
                                           "10s",
                                           "2MiB",
                                           "true",
                                           "name: one\n",
                                           "tls: {min_version: 1.3, max_version: 1.2}\n",
                                           "mode: tcp",
                                           "trust: x",
                                           "unix:/x",
                                           "[::]:0",
                                           "*.x",
                                           "<<: *a\n",
                                           "limits: {max_connections: 1, max_handshakes: 2}\n",
                                           "workers: 2\n"};

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  std::string Mutate(std::string_view original) {
    std::string text(original);
    do {
      Once(text);
    } while (Below(3) == 0);
    return text;
  }

 private:
  size_t Below(size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  // Returns a stretch of whole lines as (offset, size).
  std::pair<size_t, size_t> Lines(const std::string& text) {
    const size_t start = text.rfind('\n', Below(text.size()));
    const size_t from = start == std::string::npos ? 0 : start + 1;
    const size_t end = std::min(text.find('\n', from + Below(80)), text.size());
    return {std::min(from, text.size()), end > from ? end - from : 0};
  }

  void Once(std::string& text) {
    const size_t at = Below(text.size() + 1);
    const auto [from, size] = Lines(text);
    switch (Below(8)) {
      case 0:
        text.insert(at, kFragments[Below(std::size(kFragments))]);
        break;
      case 1:
        text.insert(from, kFragments[Below(std::size(kFragments))]);
        break;
      case 2:
        text.erase(at, 1 + Below(8));
        break;
      case 3:
        if (at < text.size()) text[at] = static_cast<char>(Below(256));
        break;
      case 4:
        if (at < text.size()) text[at] = static_cast<char>('a' + Below(26));
        break;
      case 5:
        text.insert(at, text.substr(from, size));
        break;
      case 6:
        text.erase(from, size);
        break;
      default:
        if (Below(4) == 0) text.resize(at);
        break;
    }
  }

  std::mt19937_64 random_;
};

// PORTCULLIS_SEED repeats a run.
uint64_t Seed() {
  const char* given = std::getenv("PORTCULLIS_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 20'261'123;
}

TEST(ParseConfigProperty, AnyTextIsAcceptedOrHasErrorsWithAPlace) {
  const uint64_t seed = Seed();
  SCOPED_TRACE("PORTCULLIS_SEED=" + std::to_string(seed));
  Mutator mutator(seed);
  int num_accepted = 0;
  for (int i = 0; i < kRounds; ++i) {
    const std::string text = mutator.Mutate(kSample);
    std::vector<std::string> warnings;
    const absl::StatusOr<Config> config = ParseConfig(text, "c.yaml", &warnings);
    for (const std::string& warning : warnings)
      ASSERT_TRUE(HasPlace(warning, "c.yaml")) << warning << "\nin:\n" << text;
    if (!config.ok()) {
      const std::string message(config.status().message());
      ASSERT_TRUE(AreFindings(message, "c.yaml")) << message << "\nin:\n" << text;
      ASSERT_EQ(Errors(text), message);
      continue;
    }
    ++num_accepted;
    ASSERT_EQ(Describe(*config), Describe(*ParseConfig(text, "c.yaml")));
  }
  // Otherwise one of the two branches was not looked at.
  EXPECT_GT(num_accepted, kRounds / 50);
  EXPECT_LT(num_accepted, kRounds / 2);
  RecordProperty("accepted", num_accepted);
}

// What is accepted must be safe to run: no host that judges clients does so without a trust, and so
// on.
TEST(ParseConfigProperty, WhatIsAcceptedIsWhole) {
  const uint64_t seed = Seed() + 1;
  SCOPED_TRACE("PORTCULLIS_SEED=" + std::to_string(seed - 1));
  Mutator mutator(seed);
  for (int i = 0; i < kRounds; ++i) {
    const std::string text = mutator.Mutate(kSample);
    const absl::StatusOr<Config> config = ParseConfig(text, "c.yaml");
    if (!config.ok()) continue;
    SCOPED_TRACE(text);
    ASSERT_FALSE(config->listeners.empty());
    for (const Listener& listener : config->listeners) {
      ASSERT_FALSE(listener.name.empty() || listener.address.empty() || listener.hosts.empty());
      ASSERT_NE(std::find(listener.hosts.begin(), listener.hosts.end(), listener.default_host),
                listener.hosts.end());
    }
    for (const VirtualHost& host : config->virtual_hosts) {
      ASSERT_FALSE(host.name.empty() || host.server_names.empty() || host.certificates.empty() ||
                   host.backend.empty());
      ASSERT_TRUE(host.client_auth.mode == AuthMode::kOff || !host.client_auth.trust.empty());
      ASSERT_LE(host.tls.min_version, host.tls.max_version);
    }
    for (const Trust& trust : config->trusts) ASSERT_FALSE(trust.ca_paths.empty());
    for (const Backend& backend : config->backends) ASSERT_FALSE(backend.targets.empty());
  }
}

}  // namespace
}  // namespace portcullis::config
