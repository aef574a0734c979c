// trusts: each field's default, an explicit value, and what it refuses.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/core/config/sample.h"

namespace portcullis::config {
namespace {

TEST(Trust, TakesFilesRelativeToTheConfiguration) {
  const std::string yaml =
      Edited({{"ca: [/ca.crt]", "ca: [a.crt, /b.crt], crl: [c.crl, d/e.crl]"}});
  const absl::StatusOr<Config> config = ParseConfig(yaml, "conf/c.yaml");
  ASSERT_TRUE(config.ok()) << config.status().message();
  ASSERT_EQ(config->trusts.size(), 1u);
  EXPECT_EQ(config->trusts[0].name, "clients");
  EXPECT_EQ(config->trusts[0].ca_paths, (std::vector<std::string>{"conf/a.crt", "/b.crt"}));
  EXPECT_EQ(config->trusts[0].crl_paths, (std::vector<std::string>{"conf/c.crl", "conf/d/e.crl"}));
  EXPECT_EQ(config->trusts[0].where.line, 12);
}

class TrustFolder : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "/portcullis_trust_" + std::to_string(::getpid());
    std::filesystem::create_directories(folder_ + "/ca");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // Reads the sample with the trust in folder `ca` next to the configuration.
  [[nodiscard]] Trust Read(std::string_view more = "") const {
    const std::string trust = "folder: ca" + std::string(more);
    const absl::StatusOr<Config> config =
        ParseConfig(Edited({{"ca: [/ca.crt]", trust}}), folder_ + "/c.yaml");
    EXPECT_TRUE(config.ok()) << config.status().message();
    return config.ok() ? config->trusts.front() : Trust{};
  }

  std::string folder_;
};

TEST_F(TrustFolder, HasACrlOnlyWhereThereIsOne) {
  EXPECT_EQ(Read().ca_paths, std::vector<std::string>{folder_ + "/ca/ca.crt"});
  EXPECT_TRUE(Read().crl_paths.empty());
  std::ofstream(folder_ + "/ca/ca.crl") << "x";
  EXPECT_EQ(Read().crl_paths, std::vector<std::string>{folder_ + "/ca/ca.crl"});
}

TEST_F(TrustFolder, HasACrlThatCannotBeReadToo) {
  std::filesystem::create_symlink("..data/ca.crl", folder_ + "/ca/ca.crl");
  EXPECT_EQ(Read().crl_paths, std::vector<std::string>{folder_ + "/ca/ca.crl"});
}

TEST_F(TrustFolder, IsJoinedByFurtherFiles) {
  const Trust trust = Read(", ca: [/more.crt], crl: [/x.crl]");
  EXPECT_EQ(trust.ca_paths, (std::vector<std::string>{folder_ + "/ca/ca.crt", "/more.crt"}));
  EXPECT_EQ(trust.crl_paths, std::vector<std::string>{"/x.crl"});
}

Trust OnlyTrust(std::string_view more) {
  const Config config = Accepted(Edited({{"ca: [/ca.crt]", "ca: [/ca.crt]" + std::string(more)}}));
  return config.trusts.empty() ? Trust{} : config.trusts.front();
}

TEST(Trust, HasDefaults) {
  const Trust trust = OnlyTrust("");
  EXPECT_TRUE(trust.intermediate_paths.empty());
  EXPECT_TRUE(trust.crl_paths.empty());
  EXPECT_TRUE(trust.intermediates_as_anchors);
  EXPECT_EQ(trust.revocation.mode, tls::RevocationMode::kSoft);
  EXPECT_EQ(trust.revocation.scope, tls::RevocationScope::kChain);
  EXPECT_EQ(trust.revocation.grace_s, 0);
  EXPECT_EQ(trust.ocsp.mode, tls::OcspMode::kOff);
  EXPECT_EQ(trust.ocsp.responder, "");
  EXPECT_EQ(trust.ocsp.timeout, milliseconds(2000));
}

TEST(Trust, TakesItsValues) {
  const Trust trust = OnlyTrust(
      ", intermediates: [/i, /j.crt], crl: [/crls], intermediates_as_anchors: false, revocation: "
      "{mode: require, scope: leaf, grace: 2h}, ocsp: {mode: require, responder: "
      "'http://ocsp.example:8080/x', timeout: 500ms}");
  EXPECT_EQ(trust.intermediate_paths, (std::vector<std::string>{"/i", "/j.crt"}));
  EXPECT_FALSE(trust.intermediates_as_anchors);
  EXPECT_EQ(trust.revocation.mode, tls::RevocationMode::kRequire);
  EXPECT_EQ(trust.revocation.scope, tls::RevocationScope::kLeaf);
  EXPECT_EQ(trust.revocation.grace_s, 7200);
  EXPECT_EQ(trust.ocsp.mode, tls::OcspMode::kRequire);
  EXPECT_EQ(trust.ocsp.responder, "http://ocsp.example:8080/x");
  EXPECT_EQ(trust.ocsp.timeout, milliseconds(500));
  EXPECT_EQ(OnlyTrust(", ocsp: {mode: soft}").ocsp.mode, tls::OcspMode::kSoft);
}

struct BadTrust {
  std::string_view more;    // behind "ca: [/ca.crt]"
  std::string_view errors;  // in full, without "c.yaml:12:"
};

class BadTrusts : public testing::TestWithParam<BadTrust> {};

TEST_P(BadTrusts, AreRefusedInFull) {
  const std::string trust = "ca: [/ca.crt]" + std::string(GetParam().more);
  EXPECT_EQ(Errors(Edited({{"ca: [/ca.crt]", trust}})),
            "c.yaml:12:" + std::string(GetParam().errors));
}

constexpr BadTrust kBadTrusts[] = {
    {", revocation: {mode: on}",
     "55: trusts[0].revocation.mode: found 'on'; allowed: off, soft, require"},
    {", revocation: {mod: soft}",
     "49: trusts[0].revocation.mod: found an unknown field; allowed: grace, mode, scope; did you "
     "mean 'mode'?"},
    {", revocation: {grace: 1500ms}",
     "56: trusts[0].revocation.grace: found '1500ms'; allowed: whole seconds"},
    {", revocation: {scope: all}",
     "56: trusts[0].revocation.scope: found 'all'; allowed: leaf, chain"},
    {", ocsp: {responder: 'http://a/'}",
     "42: trusts[0].ocsp.mode: found nothing; allowed: off, soft, require; the field is required"},
    {", ocsp: {mode: soft, responder: 'https://a/'}",
     "66: trusts[0].ocsp.responder: found 'https://a/'; allowed: a URL such as "
     "http://ocsp.example/; it does not begin with http://"},
    {", ocsp: {mode: soft, responder: 'http:///x'}",
     "66: trusts[0].ocsp.responder: found 'http:///x'; allowed: a URL such as "
     "http://ocsp.example/; the host is missing"},
    {", intermediates: /i.crt",
     "51: trusts[0].intermediates: found '/i.crt'; allowed: a list of one or more; write it as '- "
     "item' or [item]"},
    {", intermediates_as_anchors: maybe",
     "62: trusts[0].intermediates_as_anchors: found 'maybe'; allowed: true, false"},
};

INSTANTIATE_TEST_SUITE_P(Table, BadTrusts, testing::ValuesIn(kBadTrusts));

}  // namespace
}  // namespace portcullis::config
