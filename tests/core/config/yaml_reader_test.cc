#include "core/config/yaml_reader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/config/yaml_text.h"
#include "tests/core/config/sample.h"

namespace portcullis::config {
namespace {

TEST(ParseConfig, AcceptsTheSample) {
  const Config config = Accepted(kSample);
  EXPECT_EQ(config.listeners.size(), 1u);
  EXPECT_EQ(config.virtual_hosts.size(), 1u);
  EXPECT_EQ(config.trusts.size(), 1u);
  EXPECT_EQ(config.backends.size(), 1u);
}

TEST(ParseConfig, RefusesDocumentsThatAreNoMapping) {
  const std::string_view missing =
      "c.yaml:1:1: listeners: found nothing; allowed: a list of addresses to listen on, each with "
      "name and address; "
      "the field is required\n"
      "c.yaml:1:1: virtual_hosts: found nothing; allowed: a list of hosts, each with server_names, "
      "certificates and "
      "backend; the field is required";
  EXPECT_EQ(Errors(""), missing);
  EXPECT_EQ(Errors("# nothing but a remark\n"), missing);
  EXPECT_EQ(Errors("~"), missing);
  EXPECT_EQ(Errors("{}"), missing);
  const std::string_view fields =
      "; allowed: a mapping with the fields admin, backends, limits, listeners, log, pin_workers, "
      "reload, tickets, timeouts, tls, trusts, "
      "virtual_hosts, workers";
  EXPECT_EQ(Errors("[1, 2]"), "c.yaml:1:1: document: found a list" + std::string(fields));
  EXPECT_EQ(Errors("\n  text"), "c.yaml:2:3: document: found 'text'" + std::string(fields));
}

TEST(ParseConfig, PlacesSyntaxErrors) {
  EXPECT_EQ(
      Errors("workers: 1\nlisteners: [\n"),
      "c.yaml:3:1: document: found a syntax error (end of sequence flow not found); allowed: YAML");
  EXPECT_EQ(Errors("a: 1\n---\nb: 1\n"),
            "c.yaml:2:1: document: found a second document; allowed: one YAML document a file");
  EXPECT_EQ(
      Errors(std::string("a\0b", 3)),
      "c.yaml:1:2: document: found the byte 0x00; allowed: UTF-8 text without control characters");
}

TEST(ParseConfig, ReadsCarriageReturnsAndAByteOrderMark) {
  std::string text = "\xEF\xBB\xBF";
  for (const char c : kSample) text += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_EQ(Accepted(text).backends.at(0).targets.at(0).address, "127.0.0.1:80");
}

TEST(ParseConfig, LetsHostsShareASectionByAlias) {
  const Config config =
      Accepted(Edited({{"hosts: [one]", "mode: http"},
                       {"client_auth: {mode", "client_auth: &strict {mode"},
                       {"    backend: app\n",
                        "    backend: app\n  - {server_names: [b], certificates: [{folder: /t}], "
                        "client_auth: *strict, backend: app}\n"}}));
  ASSERT_EQ(config.virtual_hosts.size(), 2u);
  EXPECT_EQ(config.virtual_hosts[1].client_auth.mode, AuthMode::kRequire);
  EXPECT_EQ(config.virtual_hosts[1].client_auth.trust, "clients");
}

TEST(ParseConfig, NamesTheFileInEveryLine) {
  const absl::StatusOr<Config> config = ParseConfig("workers: x\nadmin: y\n", "/etc/p/conf.yaml");
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
  std::string lines(config.status().message());
  size_t num_lines = 0;
  for (size_t start = 0; start < lines.size(); ++num_lines) {
    EXPECT_EQ(lines.compare(start, 17, "/etc/p/conf.yaml:"), 0) << lines;
    start = std::min(lines.find('\n', start), lines.size()) + 1;
  }
  EXPECT_EQ(num_lines, 4u);
}

TEST(ParseConfig, GivesWarningsOnFailureToo) {
  std::vector<std::string> warnings = {"old"};
  EXPECT_FALSE(ParseConfig(Edited({{"backend: app", "backend: [x]"}}), "c.yaml", &warnings).ok());
  EXPECT_EQ(warnings,
            std::vector<std::string>{"c.yaml:14:5: backends[0]: no virtual host uses 'app'"});
}

TEST(ParseConfig, CutsAFloodOfErrors) {
  std::string text;
  for (int i = 0; i < 5'000; ++i) text += "unknown" + std::to_string(i) + ": 1\n";
  const std::string errors = Errors(text + std::string(kSample));
  EXPECT_TRUE(errors.ends_with("\nc.yaml: and 4000 more errors"))
      << errors.substr(errors.size() - 100);
}

class LoadConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "/portcullis_load_" + std::to_string(::getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Write(std::string_view name, std::string_view text) const {
    const std::string path = folder_ + "/" + std::string(name);
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  std::string folder_;
};

TEST_F(LoadConfigTest, ReadsAFileAndResolvesPathsNextToIt) {
  const std::string path = Write("c.yaml", Edited({{"folder: /tls", "folder: tls"}}));
  const absl::StatusOr<Config> config = LoadConfig(path);
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config->virtual_hosts.at(0).certificates.at(0).key_path, folder_ + "/tls/tls.key");
}

TEST_F(LoadConfigTest, GivesErrorsAndWarningsWithThePath) {
  std::vector<std::string> warnings;
  const std::string path = Write("c.yaml", Edited({{"backend: app", "backend: [x]"}}));
  const absl::StatusOr<Config> config = LoadConfig(path, &warnings);
  EXPECT_TRUE(std::string(config.status().message())
                  .starts_with(path + ":10:14: virtual_hosts[0].backend: "));
  EXPECT_EQ(warnings,
            std::vector<std::string>{path + ":14:5: backends[0]: no virtual host uses 'app'"});
}

TEST_F(LoadConfigTest, SaysWhyAFileCannotBeRead) {
  const absl::Status missing = LoadConfig(folder_ + "/none.yaml").status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(std::string(missing.message()),
            folder_ +
                "/none.yaml: found no readable file (No such file or directory); "
                "allowed: a configuration file in YAML");
  const absl::Status folder = LoadConfig(folder_).status();
  EXPECT_EQ(folder.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(
      std::string(folder.message()),
      folder_ + ": found no readable file (Is a directory); allowed: a configuration file in YAML");
}

TEST_F(LoadConfigTest, StopsReadingBehindTheLimit) {
  const std::string path = Write("big.yaml", std::string(kMaxYamlBytes + 200'000, '#'));
  const std::string message(LoadConfig(path).status().message());
  EXPECT_NE(message.find(":1:1: document: found "), std::string::npos) << message;
  EXPECT_TRUE(message.ends_with(" bytes; allowed: at most 4194304 bytes")) << message;
}

}  // namespace
}  // namespace portcullis::config
