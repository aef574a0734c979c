// The index against `openssl verify -crl_check`, where both mean the same: one CRL of each scope,
// in time, stale or of the future, complete or of users, of CAs or of a partition.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>

#include "gtest/gtest.h"

#include "tests/tls/crl_maker.h"
#include "tls/revocation_index.h"

namespace portcullis::tls {
namespace {

using testing::CrlSpec;
using testing::EntrySpec;
using testing::kDay;
using testing::kHour;
using testing::kNow;
using testing::MakeCrl;
using testing::MakeLeaf;
using testing::MakeRoot;
using testing::Octets;
using testing::TestCertificate;
using testing::Tlv;

constexpr int kRounds = 40;
constexpr uint8_t kNumLeaves = 6;

class RevocationOpenSslTest : public ::testing::Test {
 protected:
  RevocationOpenSslTest() {
    std::string name = (std::filesystem::temp_directory_path() / "crl.XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    Write("root.pem", root_.Pem());
    for (uint8_t serial = 1; serial <= kNumLeaves; ++serial) {
      Write(LeafFile(serial), MakeLeaf(root_, {.serial = serial}).Pem());
    }
  }
  ~RevocationOpenSslTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  static std::string LeafFile(uint8_t serial) {
    return "leaf" + std::to_string(int{serial}) + ".pem";
  }

  // What openssl prints of all leaves.
  [[nodiscard]] std::string Verify() const {
    std::string command = "cd " + folder_.string() + " && openssl verify -crl_check -attime " +
                          std::to_string(kNow) + " -CAfile root.pem -CRLfile crl.pem";
    for (uint8_t serial = 1; serial <= kNumLeaves; ++serial) command += " " + LeafFile(serial);
    std::FILE* const pipe = popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return {};
    std::string output;
    char buffer[4096];
    while (const size_t size = std::fread(buffer, 1, sizeof(buffer), pipe)) {
      output.append(buffer, size);
    }
    pclose(pipe);
    return output;
  }

  // openssl's verdict on one leaf, in our words.
  static std::string Theirs(const std::string& output, uint8_t serial) {
    const std::string file = LeafFile(serial);
    if (output.find(file + ": OK") != std::string::npos) return "none";
    const size_t end = output.find("error " + file + ": verification failed");
    const size_t begin = end == std::string::npos ? end : output.rfind("error ", end - 1);
    if (begin == std::string::npos) return "openssl did not say: " + output;
    const std::string error = output.substr(begin, end - begin);
    if (error.find("certificate revoked") != std::string::npos) return "revoked";
    if (error.find("CRL has expired") != std::string::npos) return "crl_stale";
    if (error.find("unable to get certificate CRL") != std::string::npos ||
        error.find("CRL is not yet valid") != std::string::npos ||
        error.find("ifferent CRL scope") != std::string::npos) {
      return "crl_missing";
    }
    return error;
  }

  const TestCertificate root_ = MakeRoot({.common_name = "root"});
  std::filesystem::path folder_;
};

TEST_F(RevocationOpenSslTest, BothSayTheSame) {
  const uint32_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  const std::vector<uint8_t> root_der = root_.Der();
  const std::vector<CrlIssuer> issuers = {{root_der}};
  for (int round = 0; round < kRounds; ++round) {
    CrlSpec spec;
    spec.this_update = kNow - kDay;
    spec.next_update = random() % 4 == 0 ? kNow - kHour : kNow + kHour;
    spec.number = static_cast<int>(random() % 1000);
    const std::vector<Octets> scopes = {{},
                                        Tlv(0x81, {0xff}),
                                        Tlv(0x82, {0xff}),
                                        Tlv(0xa0, Tlv(0xa0, testing::UriName("http://a/1")))};
    spec.scope = random() % 2 == 0 ? Octets{} : scopes[random() % scopes.size()];
    for (uint8_t serial = 1; serial <= kNumLeaves; ++serial) {
      if (random() % 3 != 0) continue;
      spec.entries.push_back({.serial = {serial}, .reason = random() % 2 == 0 ? -1 : 6});
    }
    const std::string crl = testing::AsPem(MakeCrl(root_, spec));
    Write("crl.pem", crl);
    const std::string output = Verify();
    const std::vector<CrlSource> sources = {{.bytes = crl, .origin = "crl.pem"}};
    const auto index = RevocationIndex::Build(sources, issuers, kNow);
    ASSERT_TRUE(index.ok()) << index.status();
    for (uint8_t serial = 1; serial <= kNumLeaves; ++serial) {
      PathLink link;
      link.issuer = MakeIssuerId(root_der);
      link.serial = {serial};
      const std::string ours(
          Name((*index)->Ask(link, {.mode = RevocationMode::kRequire}, kNow).rejection));
      // A CRL that does not cover a certificate still revokes it here, and a stale one, too: we are
      // the stricter then.
      const std::string theirs = Theirs(output, serial);
      if (ours == "revoked" && (theirs == "crl_missing" || theirs == "crl_stale")) continue;
      EXPECT_EQ(ours, theirs) << "round " << round << ", serial " << int{serial} << "\n" << output;
    }
  }
}

}  // namespace
}  // namespace portcullis::tls
