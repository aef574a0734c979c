// `portcullis verify` as a program: exit status and output for each kind of outcome.
#include "core/server/commands/verify_command.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <nlohmann/json.hpp>

#include "tests/core/server/commands/child_process.h"
#include "tests/tls/test_pki.h"

namespace portcullis::server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using tls::testing::kDay;
using tls::testing::kNow;
using tls::testing::MakeCa;
using tls::testing::MakeCrlPem;
using tls::testing::MakeLeaf;
using tls::testing::MakeRoot;
using tls::testing::TestCertificate;

constexpr int kAccepted = 0;
constexpr int kRejected = 1;
constexpr int kUnknown = 2;

class VerifyCommandTest : public ::testing::Test {
 protected:
  std::string File(const std::string& name, const std::string& content) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << content;
    return path;
  }

  void TearDown() override { std::filesystem::remove_all(folder_); }

  // Runs `verify` at kNow, or at the time that `flags` has; the exit status, and all it printed.
  std::pair<int, std::string> Verify(std::vector<std::string> flags, bool at_now = true) {
    std::vector<std::string> command = {PORTCULLIS_COMMANDS_TOOL, "verify"};
    if (at_now) command.insert(command.end(), {"--time", std::to_string(kNow)});
    command.insert(command.end(), flags.begin(), flags.end());
    ChildProcess child(command, {{"PORTCULLIS_TRUST", root_file_}});
    const int exit_code = child.Wait();
    return {exit_code, child.output()};
  }

  const std::string folder_ = MakeFolder();
  const TestCertificate root_ = MakeRoot({.common_name = "root"});
  const TestCertificate ca_ = MakeCa(root_, {.common_name = "ca"});
  const TestCertificate leaf_ = MakeLeaf(ca_, {.common_name = "client"});
  const std::string root_file_ = File("root.pem", root_.Pem());
  const std::string ca_file_ = File("ca.pem", ca_.Pem());
  const std::string leaf_file_ = File("leaf.pem", leaf_.Pem());
  const std::string chain_file_ = File("chain.pem", leaf_.Pem() + ca_.Pem());

 private:
  static std::string MakeFolder() {
    const std::string path =
        ::testing::TempDir() + "verify_command_test." + std::to_string(getpid());
    std::filesystem::create_directories(path);
    return path;
  }
};

TEST_F(VerifyCommandTest, AcceptsAndShowsThePath) {
  const auto [code, output] = Verify({"--trust", root_file_, chain_file_});
  EXPECT_EQ(code, kAccepted) << output;
  EXPECT_THAT(output, StartsWith("0  CN=client\n"));
  EXPECT_THAT(output, HasSubstr("2  CN=root\n"));
  EXPECT_THAT(output, HasSubstr("\naccepted\n"));
}

TEST_F(VerifyCommandTest, UntrustedCertificatesAreWhatTheClientSends) {
  EXPECT_EQ(Verify({"--trust", root_file_, leaf_file_}).first, kRejected);
  const auto [code, output] = Verify({"--trust", root_file_, "--untrusted", ca_file_, leaf_file_});
  EXPECT_EQ(code, kAccepted);
  EXPECT_THAT(output, HasSubstr("1  CN=ca\n   presented, "));
}

TEST_F(VerifyCommandTest, IntermediatesAreWhatTheOperatorKnows) {
  const auto [code, output] =
      Verify({"--trust", root_file_, "--intermediate", ca_file_, leaf_file_});
  EXPECT_EQ(code, kAccepted);
  EXPECT_THAT(output, HasSubstr("1  CN=ca\n   known, "));
  // Known, and still no anchors.
  const std::string other = File("other.pem", MakeRoot({.common_name = "other"}).Pem());
  EXPECT_EQ(Verify({"--trust", other, "--intermediate", ca_file_, leaf_file_}).first, kRejected);
}

// As in the server, which verifies CRLs before any client comes.
TEST_F(VerifyCommandTest, CrlsOfCasThatOnlyTheClientSendsCanRefuseAndCannotVouch) {
  const std::string crls = File("good.crl", MakeCrlPem(root_, {}) + MakeCrlPem(ca_, {}));
  const std::vector<std::string> flags = {"--revocation", "require", "--trust", root_file_};
  const auto verify = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = flags;
    all.insert(all.end(), more.begin(), more.end());
    return Verify(all);
  };
  EXPECT_THAT(verify({"--crl", crls, "--untrusted", ca_file_, leaf_file_}).second,
              HasSubstr("\ncrl_missing: "));
  EXPECT_EQ(verify({"--crl", crls, "--intermediate", ca_file_, leaf_file_}).first, kAccepted);
  const std::string revoking =
      File("bad.crl", MakeCrlPem(root_, {}) + MakeCrlPem(ca_, {leaf_.serial()}));
  for (const char* const flag : {"--untrusted", "--intermediate"}) {
    EXPECT_THAT(verify({"--crl", revoking, flag, ca_file_, leaf_file_}).second,
                HasSubstr("\nrevoked: "));
  }
}

TEST_F(VerifyCommandTest, WhatAClientSendsHasBounds) {
  const std::string big =
      File("big.pem", MakeLeaf(ca_, {.common_name = "big", .padding_bytes = 65536}).Pem());
  EXPECT_THAT(Verify({"--trust", root_file_, "--untrusted", big, chain_file_}).second,
              HasSubstr("chain_too_big"));
  std::string many;
  for (int i = 0; i < 20; ++i) many += ca_.Pem();
  const std::string many_file = File("many.pem", many);
  EXPECT_THAT(Verify({"--trust", root_file_, "--untrusted", many_file, chain_file_}).second,
              HasSubstr("chain_too_long"));
  EXPECT_EQ(Verify({"--trust", root_file_, "--intermediate", many_file, leaf_file_}).first,
            kAccepted);
}

TEST_F(VerifyCommandTest, TrustMayBeInSeveralFiles) {
  const std::string other = File("other.pem", MakeRoot({.common_name = "other"}).Pem());
  EXPECT_EQ(Verify({"--trust", other, chain_file_}).first, kRejected);
  EXPECT_EQ(Verify({"--trust", other, "--trust", root_file_, chain_file_}).first, kAccepted);
}

TEST_F(VerifyCommandTest, NamesTheReason) {
  const auto later = std::to_string(kNow + 400 * kDay);
  const auto [code, output] =
      Verify({"--time", later, "--trust", root_file_, chain_file_}, /*at_now=*/false);
  EXPECT_EQ(code, kRejected);
  EXPECT_THAT(output, HasSubstr("\nexpired: certificate has expired"));
}

TEST_F(VerifyCommandTest, DepthAndProfileCount) {
  EXPECT_THAT(Verify({"--max-depth", "0", "--trust", root_file_, chain_file_}).second,
              HasSubstr("chain_too_long"));
  const auto [code, output] = Verify({"--profile=strict", "--trust", root_file_, chain_file_});
  EXPECT_EQ(code, kRejected);
  EXPECT_THAT(output, HasSubstr("CA without keyUsage keyCertSign"));
}

TEST_F(VerifyCommandTest, JsonIsOneObjectWhateverComesOfIt) {
  const auto parse = [](const std::string& output) {
    return nlohmann::json::parse(output.substr(0, output.find('\n')), nullptr, false);
  };
  auto result = Verify({"--json", "--trust", root_file_, chain_file_});
  EXPECT_EQ(result.first, kAccepted);
  EXPECT_EQ(parse(result.second)["identity"]["subject"], "CN=client");
  EXPECT_EQ(parse(result.second)["path"].size(), 3U);
  result = Verify({"--json", "--trust", ca_file_ + ".none", chain_file_});
  EXPECT_EQ(result.first, kUnknown);
  EXPECT_EQ(parse(result.second)["verdict"], "unknown");
}

TEST_F(VerifyCommandTest, CannotTellWithoutSomethingToJudgeBy) {
  const std::string junk = File("junk.pem", "not PEM\n");
  EXPECT_EQ(Verify({"--trust", root_file_, folder_ + "/none.pem"}).first, kUnknown);
  EXPECT_EQ(Verify({"--trust", root_file_, junk}).first, kUnknown);
  EXPECT_EQ(Verify({"--trust", junk, leaf_file_}).first, kUnknown);
  EXPECT_EQ(Verify({"--trust", root_file_, "--crl", junk, leaf_file_}).first, kUnknown);
  EXPECT_EQ(Verify({"--trust", root_file_}).first, kUnknown);
  EXPECT_EQ(Verify({leaf_file_}).first, kUnknown);
  EXPECT_EQ(Verify({"--max-depth", "x", "--trust", root_file_, leaf_file_}).first, kUnknown);
}

TEST_F(VerifyCommandTest, ATrustWithoutACaVouchesForNobody) {
  const std::string no_ca =
      File("no_ca.pem", tls::testing::MakeSelfSigned({.common_name = "no CA"}).Pem());
  const auto [code, output] = Verify({"--trust", no_ca, leaf_file_});
  EXPECT_EQ(code, kRejected);
  EXPECT_THAT(output, HasSubstr("unknown_ca: "));
}

TEST_F(VerifyCommandTest, AHostsTrustBoundsAndPolicyCount) {
  const std::string direct = File("direct.pem", MakeLeaf(root_, {.common_name = "alice"}).Pem());
  const std::string mallory =
      File("mallory.pem", MakeLeaf(root_, {.common_name = "mallory"}).Pem());
  EXPECT_EQ(Verify({"--policy", "any.yaml#pinned", direct}).first, kAccepted);
  EXPECT_EQ(Verify({"--policy", "any.yaml#other", direct}).first, kUnknown);
  const auto [code, output] = Verify({"--policy", "any.yaml#pinned", mallory});
  EXPECT_EQ(code, kRejected);
  EXPECT_THAT(output, HasSubstr("policy_denied: "));
  EXPECT_THAT(output, HasSubstr("no-mallory"));
  // The host allows no intermediates, unless told otherwise.
  EXPECT_EQ(Verify({"--policy", "any.yaml#pinned", chain_file_}).first, kRejected);
  EXPECT_EQ(Verify({"--policy", "any.yaml#pinned", "--max-depth=1", chain_file_}).first, kAccepted);
}

}  // namespace
}  // namespace portcullis::server
