// ConfigFolder: a folder with a small configuration and everything it names: a CA, a server's
// certificate, a listener on any free port. A test changes what it is about. One thread.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "tests/tls/test_pki.h"

namespace portcullis::server {

class ConfigFolder {
 public:
  ConfigFolder() {
    std::string pattern = ::testing::TempDir() + "/config_folder.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    const auto server = Leaf(root_, "one.example");
    Write("ca.crt", root_.Pem());
    Write("tls.crt", server.Pem());
    Write("tls.key", server.KeyPem());
    Write("portcullis.yaml",
          "limits: {}\n"                                                        // 1
          "listeners:\n"                                                        // 2
          "  - name: https\n"                                                   // 3
          "    address: 127.0.0.1:0\n    hosts: [one]\n"                        // 4, 5
          "virtual_hosts:\n"                                                    // 6
          "  - name: one\n"                                                     // 7
          "    server_names: [one.example]\n    certificates: [{folder: .}]\n"  // 8, 9
          "    client_auth: {mode: require, trust: clients}\n"                  // 10
          "    backend: app\n"                                                  // 11
          "trusts:\n"                                                           // 12
          "  - {name: clients, ca: [ca.crt]}\n"                                 // 13
          "backends:\n"                                                         // 14
          "  - {name: app, targets: ['127.0.0.1:9']}\n"                         // 15
          "workers: 1\n"
          "admin: {address: off}\n"
          "log: {connections: off}\n");
  }
  ~ConfigFolder() { std::filesystem::remove_all(folder_); }
  ConfigFolder(const ConfigFolder&) = delete;
  ConfigFolder& operator=(const ConfigFolder&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  [[nodiscard]] const tls::testing::TestCertificate& root() const { return root_; }
  [[nodiscard]] const tls::testing::TestCertificate& client() const { return client_; }
  // Another CA, which nothing names, and a client of it.
  [[nodiscard]] const tls::testing::TestCertificate& other_root() const { return other_root_; }
  [[nodiscard]] const tls::testing::TestCertificate& stranger() const { return stranger_; }

  void Write(const std::string& name, std::string_view content) const {
    std::ofstream(path(name), std::ios::binary) << content;
  }
  // Edit replaces `from`, which must stand in the configuration exactly once.
  void Edit(std::string_view from, std::string_view to) const {
    std::ifstream in(path("portcullis.yaml"), std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    const size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    ASSERT_EQ(text.find(from, at + 1), std::string::npos) << from;
    Write("portcullis.yaml", text.replace(at, from.size(), to));
  }

 private:
  std::string folder_;
  // Good at the tests' present and at the machine's.
  static constexpr int64_t kLongAgo = 1'000'000'000;
  static constexpr int64_t kFarAhead = 4'000'000'000;
  static tls::testing::TestCertificate Root(const std::string& name) {
    return tls::testing::MakeRoot(
        {.common_name = name, .not_before = kLongAgo, .not_after = kFarAhead});
  }
  static tls::testing::TestCertificate Leaf(const tls::testing::TestCertificate& issuer,
                                            const std::string& name) {
    return tls::testing::MakeLeaf(
        issuer, {.common_name = name, .not_before = kLongAgo, .not_after = kFarAhead});
  }

  tls::testing::TestCertificate root_ = Root("root");
  tls::testing::TestCertificate client_ = Leaf(root_, "client");
  tls::testing::TestCertificate other_root_ = Root("other root");
  tls::testing::TestCertificate stranger_ = Leaf(other_root_, "stranger");
};

}  // namespace portcullis::server
