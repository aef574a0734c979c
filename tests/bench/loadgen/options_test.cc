#include "bench/loadgen/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "bench/loadgen/flags.h"

namespace portcullis::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// With a target in front, so that it is not what is missing.
absl::StatusOr<Options> Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), {"--target", "127.0.0.1:8443"});
  return ParseOptions(arguments);
}

std::string ErrorOf(const std::vector<const char*>& arguments) {
  return std::string(Parse(arguments).status().message());
}

TEST(LoadgenOptions, DefaultsAndValuesAreTaken) {
  const auto options = Parse({"--tls", "1.2", "--mode", "hs", "--connections", "7", "--duration",
                              "2.5s", "--cert", "c.pem", "--key", "k.pem", "--quiet"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->target.port(), 8443);
  EXPECT_EQ(options->version, 0x0303);
  EXPECT_EQ(options->mode, Mode::kHandshake);
  EXPECT_EQ(options->connections, 7U);
  EXPECT_EQ(options->duration_s, 2.5);
  EXPECT_EQ(options->certificate, "c.pem");
  EXPECT_FALSE(options->progress);
  EXPECT_EQ(options->sni, "localhost");
  EXPECT_EQ(options->path, "/");
}

TEST(LoadgenOptions, OnlyThisMachineIsATargetUnlessToldOtherwise) {
  const std::vector<const char*> elsewhere = {"--target", "192.0.2.1:443"};
  EXPECT_THAT(std::string(ParseOptions(elsewhere).status().message()),
              HasSubstr("not on this machine"));
  EXPECT_TRUE(Parse({"--target", "192.0.2.1:443", "--not-loopback"}).ok());
  EXPECT_TRUE(Parse({"--target", "[::1]:443"}).ok());
}

TEST(LoadgenOptions, WhereNobodyCanBeIsNoTarget) {
  for (const char* target : {"0.0.0.0:443", "*:443", "[::]:443", "[::ffff:0.0.0.0]:443",
                             "127.0.0.1:0", "127.0.0.1", "localhost:443", ""}) {
    const std::string error = ErrorOf({"--target", target});
    EXPECT_THAT(error, HasSubstr("the address and port of one server: 127.0.0.1:8443")) << target;
    EXPECT_THAT(error, Not(HasSubstr(" *:"))) << "offers what it refuses";
  }
}

TEST(LoadgenOptions, GroupsAreThoseOfTheLibrary) {
  EXPECT_EQ(Parse({"--groups", "X25519:P-256"})->groups, "X25519:P-256");
  for (const char* groups : {"bogus", "X25519:bogus", ""})
    EXPECT_THAT(ErrorOf({"--groups", groups}), HasSubstr("X25519, P-256")) << groups;
}

TEST(LoadgenOptions, MistakesAreNamed) {
  EXPECT_THAT(std::string(ParseOptions({}).status().message()), HasSubstr("--target is missing"));
  EXPECT_THAT(ErrorOf({"--tragte", "x"}), HasSubstr("--tragte"));
  EXPECT_THAT(ErrorOf({"--target"}), HasSubstr("needs ADDR"));
  EXPECT_THAT(ErrorOf({"--tls", "1.1"}), HasSubstr("--tls: found '1.1', wanted 1.2 or 1.3"));
  EXPECT_THAT(ErrorOf({"--connections", "0"}), HasSubstr("--connections"));
  EXPECT_THAT(ErrorOf({"--duration", "forever"}), HasSubstr("seconds"));
  EXPECT_THAT(ErrorOf({"--cert", "c.pem"}), HasSubstr("go together"));
  EXPECT_THAT(ErrorOf({"--resume-share", "101"}), HasSubstr("percent"));
  EXPECT_THAT(ErrorOf({"--bad", "rotten=5"}), HasSubstr("wrong_ca"));
  EXPECT_THAT(ErrorOf({"--bad", "none=60,wrong_ca=60"}), HasSubstr("100 in all"));
  EXPECT_THAT(ErrorOf({"--bad", "expired=5"}), HasSubstr("--population or --issuer"));
  EXPECT_THAT(ErrorOf({"--population", "5", "--client-folder", "x"}), HasSubstr("one of --cert"));
  EXPECT_THAT(ErrorOf({"--sni", "h#", "--server-names", "5-4"}), HasSubstr("range"));
  EXPECT_THAT(ErrorOf({"--sni", "h#", "--server-names", "7"}), HasSubstr("range"));
  EXPECT_THAT(ErrorOf({"--sni", "h", "--server-names", "0-4"}), HasSubstr("needs one #"));
  EXPECT_THAT(ErrorOf({"--sni", "h#", "--server-names", "0-4", "--resume-share", "5"}),
              HasSubstr("one of --server-names"));
  EXPECT_THAT(ErrorOf({"--wait"}), HasSubstr("--write-"));
  EXPECT_THAT(ErrorOf({"--mode", "hs", "--requests", "2"}), HasSubstr("no requests"));
  EXPECT_THAT(ErrorOf({"--keep-alive", "--idle", "5"}), HasSubstr("one of --keep-alive"));
  EXPECT_THAT(ErrorOf({"--idle", "5", "--rate", "1:1s,2:1s"}), HasSubstr("one --rate"));
  EXPECT_THAT(ErrorOf({"--mode", "hs", "--reset"}), HasSubstr("--reset with --mode hs"));
  EXPECT_THAT(ErrorOf({"--expect", "100"}), HasSubstr("200 to 599"));
  EXPECT_THAT(ErrorOf({"--bulk", "0"}), HasSubstr("bytes"));
}

TEST(LoadgenOptions, ServerNamesAreARange) {
  const auto options = Parse({"--sni", "h#.example", "--server-names", "10-19"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->server_names.first, 10U);
  EXPECT_EQ(options->server_names.size, 10U);
}

TEST(LoadgenOptions, AServerNameIsNoLongerThanTlsTakes) {
  const std::string longest(255, 'a');
  const std::string pattern = std::string(252, 'a') + "#";
  EXPECT_TRUE(Parse({"--sni", longest.c_str()}).ok());
  EXPECT_THAT(ErrorOf({"--sni", (longest + "a").c_str()}), HasSubstr("256 bytes"));
  EXPECT_TRUE(Parse({"--sni", pattern.c_str(), "--server-names", "0-999"}).ok());
  EXPECT_THAT(ErrorOf({"--sni", pattern.c_str(), "--server-names", "0-1000"}),
              HasSubstr("256 bytes"));
}

TEST(LoadgenOptions, WithoutAServerNameTheAddressIsTheHost) {
  const auto options = Parse({"--sni", ""});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->host, "127.0.0.1:8443");
}

TEST(LoadgenOptions, SourcesAreOfTheTargetsKind) {
  const auto options = Parse({"--source", "127.0.0.2,127.0.0.3"});
  ASSERT_TRUE(options.ok()) << options.status();
  ASSERT_EQ(options->sources.size(), 2U);
  EXPECT_EQ(options->sources[1].Ip(), "127.0.0.3");
  EXPECT_THAT(ErrorOf({"--source", "::1"}), HasSubstr("another kind"));
  EXPECT_THAT(ErrorOf({"--source", "here"}), HasSubstr("IP addresses"));
}

TEST(LoadgenOptions, EachThreadNeedsAClientOfItsOwn) {
  EXPECT_TRUE(Parse({"--population", "3", "--threads", "3"}).ok());
  EXPECT_TRUE(Parse({"--population", "3", "--threads", "4", "--connections", "3"}).ok());
  EXPECT_THAT(ErrorOf({"--population", "3", "--threads", "4"}), HasSubstr("each thread"));
}

TEST(LoadgenOptions, NoMoreThreadsThanConnections) {
  const auto options = Parse({"--threads", "8", "--connections", "3"});
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->threads, 3U);
}

TEST(LoadgenOptions, SharesOfBadClientsAreMillionths) {
  const auto options =
      Parse({"--population", "5", "--bad", "none=5,expired=2.5,wrong_ca=0.0001,revoked=10%"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_THAT(options->bad_ppm, ::testing::ElementsAre(50'000, 25'000, 1, 100'000));
}

TEST(LoadgenOptions, BytesHaveUnitsAndChooseThePath) {
  const auto download = Parse({"--bulk", "64k"});
  ASSERT_TRUE(download.ok());
  EXPECT_EQ(download->download_bytes, 65'536U);
  EXPECT_EQ(download->path, "/bytes/65536");
  const auto upload = Parse({"--upload", "1g"});
  ASSERT_TRUE(upload.ok());
  EXPECT_EQ(upload->path, "/sink");
  EXPECT_EQ(Parse({"--bulk", "5", "--path", "/five"})->path, "/five");
}

TEST(LoadgenOptions, APathIsWhatARequestLineMayHold) {
  EXPECT_EQ(Parse({"--path", "/a?b=%20~"})->path, "/a?b=%20~");
  for (const char* path : {"", "a", "/a b", "/a\r\nHost: b", "/\x7f", "/\xc3\xa4", "/\xff"})
    EXPECT_THAT(ErrorOf({"--path", path}), HasSubstr("begins with /")) << path;
}

TEST(LoadgenOptions, ALabelIsUtf8) {
  EXPECT_EQ(Parse({"--label", "gr\xc3\xbc\xc3\x9f"})->label, "gr\xc3\xbc\xc3\x9f");
  EXPECT_THAT(ErrorOf({"--label", "a\xff"}), HasSubstr("wanted UTF-8"));
}

TEST(LoadgenOptions, StepsSayHowLongARunTakes) {
  EXPECT_EQ(Parse({"--rate", "10:2s,20:3s"})->duration_s, 5);
  const auto constant = Parse({"--rate", "10", "--duration", "7"});
  EXPECT_EQ(constant->duration_s, 7);
  EXPECT_EQ(constant->rates[0].seconds, 7);
}

TEST(LoadgenOptions, WithoutATargetFilesAreWrittenAndNoMore) {
  const std::vector<const char*> arguments = {"--write-ca", "ca.pem"};
  const auto options = ParseOptions(arguments);
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_TRUE(OnlyWrites(*options));
  EXPECT_FALSE(OnlyWrites(*Parse({"--write-ca", "ca.pem"})));
}

TEST(LoadgenOptions, BadClientsNeedAServerThatIsHeard) {
  EXPECT_THAT(ErrorOf({"--mode", "hs", "--bad", "none=5"}), HasSubstr("--mode get, or --tls 1.2"));
  EXPECT_TRUE(Parse({"--mode", "hs", "--bad", "none=5", "--tls", "1.2"}).ok());
  EXPECT_TRUE(Parse({"--bad", "none=5"}).ok());
  EXPECT_TRUE(Parse({"--mode", "hs", "--bad", "none=0"}).ok());
}

TEST(LoadgenOptions, FlagsThatMeanNothingTogetherAreRefused) {
  const std::vector<std::pair<std::string, std::vector<const char*>>> cases = {
      {"--path", {"--mode", "hs", "--path", "/x"}},
      {"--expect", {"--mode", "hs", "--expect", "204"}},
      {"--bulk", {"--mode", "hs", "--bulk", "5"}},
      {"--upload", {"--mode", "hs", "--upload", "5"}},
      {"--keep-alive", {"--keep-alive", "--bad", "none=5"}},
      {"--hold", {"--hold", "5"}},
      {"--requests", {"--idle", "5", "--requests", "1"}},
      {"--total", {"--idle", "5", "--total", "5"}},
      {"--duration", {"--idle", "5", "--duration", "5"}},
      {"--duration", {"--rate", "5:1s", "--duration", "5"}},
      {"--sign", {"--sign", "lazy"}},
      {"--population-key", {"--population-key", "p256"}}};
  for (const auto& [flag, arguments] : cases)
    EXPECT_THAT(ErrorOf(arguments), StartsWith(flag + ": "));
}

TEST(LoadgenOptions, FlagsThatMeanSomethingTogetherAreTaken) {
  using Arguments = std::vector<const char*>;
  for (const Arguments& arguments :
       {Arguments{"--idle", "5", "--hold", "1", "--warmup", "0", "--rate", "10"},
        {"--rate", "5", "--duration", "5", "--total", "9"},
        {"--keep-alive", "--bulk", "5", "--duration", "5"},
        {"--population", "5", "--sign", "start", "--population-key", "rsa2048"},
        {"--issuer", "x", "--population-key", "rsa2048"},
        {"--bad", "wrong_ca=5", "--population-key", "rsa2048"},
        {"--write-ca", "x", "--population-key", "rsa2048"}}) {
    EXPECT_TRUE(Parse(arguments).ok()) << Parse(arguments).status();
  }
}

TEST(LoadgenOptions, TicketsAreGivenBehindTheHandshakeInTls13) {
  EXPECT_THAT(ErrorOf({"--mode", "hs", "--resume-share", "5"}),
              HasSubstr("--mode get or --tls 1.2"));
  EXPECT_TRUE(Parse({"--mode", "hs", "--resume-share", "5", "--tls", "1.2"}).ok());
}

TEST(LoadgenOptions, AValueMayStandBehindAnEqualsSign) {
  const auto options = Parse({"--bad=none=5,wrong_ca=1", "--connections=7", "--quiet"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_THAT(options->bad_ppm, ::testing::ElementsAre(50'000, 0, 10'000, 0));
  EXPECT_EQ(options->connections, 7U);
  EXPECT_EQ(Parse({"--label="})->label, "");
  EXPECT_THAT(ErrorOf({"--quiet=1"}), HasSubstr("--quiet takes no value"));
  EXPECT_THAT(ErrorOf({"--connections="}), HasSubstr("--connections: found ''"));
}

TEST(LoadgenOptions, OneFileAtMostIsStandardOutput) {
  EXPECT_TRUE(StdoutTaken(*Parse({"--json", "-"})));
  EXPECT_TRUE(StdoutTaken(*Parse({"--write-ca", "/dev/stdout", "--json", "a"})));
  EXPECT_FALSE(StdoutTaken(*Parse({"--json", "a", "--html", "b"})));
  EXPECT_THAT(ErrorOf({"--json", "-", "--html", "/dev/stdout"}), HasSubstr("only one"));
}

TEST(LoadgenOptions, EveryFlagIsInTheUsage) {
  for (const Flag& flag : Flags()) EXPECT_THAT(Usage(), HasSubstr(flag.help));
}

}  // namespace
}  // namespace portcullis::bench
