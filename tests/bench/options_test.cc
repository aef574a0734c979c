#include "bench/loadgen/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace portcullis::bench {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<Options> Parse(const std::vector<const char*>& arguments) {
  return ParseOptions(arguments);
}

std::string ErrorOf(const std::vector<const char*>& arguments) {
  return std::string(Parse(arguments).status().message());
}

TEST(LoadgenOptions, DefaultsAndValuesAreTaken) {
  const auto options =
      Parse({"--target", "127.0.0.1:8443", "--tls", "1.2", "--mode", "hs", "--connections", "7",
             "--duration", "2.5", "--cert", "c.pem", "--key", "k.pem", "--quiet"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->target.port(), 8443);
  EXPECT_EQ(options->version, 0x0303);
  EXPECT_EQ(options->mode, Mode::kHandshake);
  EXPECT_EQ(options->connections, 7U);
  EXPECT_EQ(options->duration_s, 2.5);
  EXPECT_EQ(options->certificate, "c.pem");
  EXPECT_FALSE(options->progress);
  EXPECT_EQ(options->sni, "localhost");
}

TEST(LoadgenOptions, OnlyThisMachineIsATargetUnlessToldOtherwise) {
  EXPECT_THAT(ErrorOf({"--target", "192.0.2.1:443"}), HasSubstr("not on this machine"));
  EXPECT_TRUE(Parse({"--target", "192.0.2.1:443", "--not-loopback"}).ok());
  EXPECT_TRUE(Parse({"--target", "[::1]:443"}).ok());
}

TEST(LoadgenOptions, MistakesAreNamed) {
  EXPECT_THAT(ErrorOf({}), HasSubstr("--target is missing"));
  EXPECT_THAT(ErrorOf({"--tragte", "x"}), HasSubstr("--tragte"));
  EXPECT_THAT(ErrorOf({"--target"}), HasSubstr("needs ADDR"));
  EXPECT_THAT(ErrorOf({"--target", "127.0.0.1:1", "--tls", "1.1"}), HasSubstr("1.2 or 1.3"));
  EXPECT_THAT(ErrorOf({"--target", "127.0.0.1:1", "--connections", "0"}),
              HasSubstr("--connections"));
  EXPECT_THAT(ErrorOf({"--target", "127.0.0.1:1", "--duration", "forever"}), HasSubstr("seconds"));
  EXPECT_THAT(ErrorOf({"--target", "127.0.0.1:1", "--cert", "c.pem"}), HasSubstr("go together"));
}

TEST(LoadgenOptions, NoMoreThreadsThanConnections) {
  const auto options = Parse({"--target", "127.0.0.1:1", "--threads", "8", "--connections", "3"});
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->threads, 3U);
}

}  // namespace
}  // namespace portcullis::bench
