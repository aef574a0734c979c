#include "core/server/commands/args.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace portcullis::server {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<Args> Parse(const std::vector<const char*>& arguments) {
  return ParseArgs(arguments);
}

std::string ErrorOf(const std::vector<const char*>& arguments) {
  const absl::StatusOr<Args> args = Parse(arguments);
  return args.ok() ? "no error" : std::string(args.status().message());
}

template <typename T>
T Get(const std::vector<const char*>& arguments) {
  absl::StatusOr<Args> args = Parse(arguments);
  EXPECT_TRUE(args.ok()) << args.status();
  if (!args.ok() || !std::holds_alternative<T>(*args)) {
    ADD_FAILURE() << "another command";
    return T();
  }
  return std::get<T>(*std::move(args));
}

TEST(Args, ServeTakesItsFlagsInBothForms) {
  const auto apart = Get<ServeArgs>({"serve", "--config", "a.yaml", "--ready-file", "/run/ready"});
  EXPECT_EQ(apart.config_path, "a.yaml");
  EXPECT_EQ(apart.ready_file, "/run/ready");
  const auto joined = Get<ServeArgs>({"serve", "--ready-file=r=1", "--config=-"});
  EXPECT_EQ(joined.config_path, "-");
  EXPECT_EQ(joined.ready_file, "r=1");
  EXPECT_EQ(Get<ServeArgs>({"serve", "--config", "a"}).ready_file, "");
}

TEST(Args, CheckTakesAConfig) {
  EXPECT_EQ(Get<CheckArgs>({"check", "--config", "x"}).config_path, "x");
}

TEST(Args, DemoHasDefaultsAndFlags) {
  EXPECT_FALSE(Get<DemoArgs>({"demo"}).check);
  EXPECT_FALSE(Get<DemoArgs>({"demo"}).port.has_value());
  const auto args = Get<DemoArgs>({"demo", "--check", "--port", "65535"});
  EXPECT_TRUE(args.check);
  EXPECT_EQ(args.port, 65535);
  EXPECT_EQ(Get<DemoArgs>({"demo", "--port=0"}).port, 0);
}

TEST(Args, BackendServesHttpUnlessToldToEcho) {
  EXPECT_EQ(Get<BackendArgs>({"backend", "--listen", "unix:/a"}).mode, BackendMode::kHttp);
  EXPECT_EQ(Get<BackendArgs>({"backend", "--listen=a", "--mode=http"}).mode, BackendMode::kHttp);
  EXPECT_EQ(Get<BackendArgs>({"backend", "--listen=a", "--mode=echo"}).mode, BackendMode::kEcho);
}

TEST(Args, VersionAndDoctorStandAlone) {
  Get<VersionArgs>({"--version"});
  Get<DoctorArgs>({"doctor"});
}

TEST(Args, ErrorsNameTheFlagWhatIsAllowedAndWhereToReadOn) {
  struct Case {
    std::vector<const char*> arguments;
    std::string error;
  };
  const Case cases[] = {
      {{},
       "a command is needed: serve, check, demo, backend, doctor, verify (see portcullis --help)"},
      {{"sevre"}, "unknown command 'sevre'; did you mean 'serve'? (see portcullis --help)"},
      {{"reticulate"}, "unknown command 'reticulate' (see portcullis --help)"},
      {{"--config", "x"}, "unknown flag '--config' (see portcullis --help)"},
      {{"serve"}, "--config FILE is needed (see portcullis serve --help)"},
      {{"serve", "--config"},
       "--config needs a value: --config FILE (see portcullis serve --help)"},
      {{"serve", "--config="},
       "--config needs a value: --config FILE (see portcullis serve --help)"},
      {{"serve", "--confg", "x"},
       "unknown flag '--confg'; did you mean '--config'? (see portcullis serve --help)"},
      {{"check", "--ready-file", "x"}, "unknown flag '--ready-file' (see portcullis check --help)"},
      {{"check", "a.yaml"}, "unexpected argument 'a.yaml' (see portcullis check --help)"},
      {{"check", "--"}, "unexpected argument '--' (see portcullis check --help)"},
      {{"check", "-c"}, "unexpected argument '-c' (see portcullis check --help)"},
      {{"check", "--config", "a", "--config=b"},
       "--config is given twice (see portcullis check --help)"},
      {{"demo", "--check=yes"}, "--check takes no value (see portcullis demo --help)"},
      {{"demo", "--port", "65536"},
       "--port: '65536' is no port; allowed is 0 to 65535 (see portcullis demo --help)"},
      {{"demo", "--port", "-1"},
       "--port: '-1' is no port; allowed is 0 to 65535 (see portcullis demo --help)"},
      {{"demo", "--port", "http"},
       "--port: 'http' is no port; allowed is 0 to 65535 (see portcullis demo --help)"},
      {{"backend"}, "--listen ADDR is needed (see portcullis backend --help)"},
      {{"backend", "--listen", "a", "--mode", "tcp"},
       "--mode: 'tcp' is unknown; allowed are http and echo (see portcullis backend --help)"},
      {{"doctor", "--config", "x"}, "unknown flag '--config' (see portcullis doctor --help)"},
  };
  for (const Case& each : cases) EXPECT_EQ(ErrorOf(each.arguments), each.error);
}

TEST(Args, EveryCommandExplainsItselfAndItsFlags) {
  for (const char* command : {"serve", "check", "demo", "backend", "doctor"}) {
    const std::string text = Get<HelpArgs>({command, "--help"}).text;
    EXPECT_THAT(text, HasSubstr(std::string("usage: portcullis ") + command));
    EXPECT_EQ(text, Get<HelpArgs>({command, "-h"}).text);
    EXPECT_EQ(text, Get<HelpArgs>({"help", command}).text);
    EXPECT_EQ(text, HelpText(command));
    EXPECT_THAT(HelpText(""), HasSubstr(std::string("  ") + command));
  }
  EXPECT_THAT(HelpText("serve"), HasSubstr("portcullis serve --config FILE [--ready-file PATH]"));
  EXPECT_THAT(HelpText("backend"), HasSubstr("--mode http|echo"));
  EXPECT_EQ(Get<HelpArgs>({"--help"}).text, HelpText(""));
  EXPECT_EQ(Get<HelpArgs>({"help"}).text, HelpText(""));
  EXPECT_EQ(Get<HelpArgs>({"help", "nonsense"}).text, HelpText(""));
}

TEST(Args, HelpIsGivenEvenWhereFlagsAreMissing) {
  Get<HelpArgs>({"backend", "--mode", "http", "--help"});
}

TEST(Args, AWrongCommandLineIsNoVerdict) {
  EXPECT_EQ(UsageExitCode(std::vector<const char*>{"verify"}), 2);
  EXPECT_EQ(UsageExitCode(std::vector<const char*>{"serve"}), 1);
  EXPECT_EQ(UsageExitCode({}), 1);
}

}  // namespace
}  // namespace portcullis::server
