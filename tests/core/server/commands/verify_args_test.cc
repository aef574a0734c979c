#include "core/server/commands/verify_args.h"

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

TEST(VerifyArgs, TakesALeafAndRepeatedFiles) {
  const auto args =
      Get<VerifyArgs>({"verify",         "--trust",      "a.pem",         "leaf.pem",
                       "--trust=b.pem",  "--untrusted",  "i.pem",         "--untrusted=j.pem",
                       "--intermediate", "k.pem",        "--crl",         "c.pem",
                       "--time",         "17",           "--max-depth=2", "--profile",
                       "strict",         "--revocation", "require",       "--json"});
  EXPECT_EQ(args.leaf_path, "leaf.pem");
  EXPECT_EQ(args.trust_paths, (std::vector<std::string>{"a.pem", "b.pem"}));
  EXPECT_EQ(args.untrusted_paths, (std::vector<std::string>{"i.pem", "j.pem"}));
  EXPECT_EQ(args.intermediate_paths, std::vector<std::string>{"k.pem"});
  EXPECT_EQ(args.crl_paths, std::vector<std::string>{"c.pem"});
  EXPECT_EQ(args.time, 17);
  EXPECT_EQ(args.max_depth, 2U);
  EXPECT_EQ(args.profile, VerifyProfile::kStrict);
  EXPECT_EQ(args.revocation, VerifyRevocation::kRequire);
  EXPECT_TRUE(args.json);
}

TEST(VerifyArgs, LeavesWhatIsNotSaidToTheHost) {
  const auto args = Get<VerifyArgs>({"verify", "--policy", "c.yaml#host", "leaf.pem"});
  EXPECT_EQ(args.policy, "c.yaml#host");
  EXPECT_FALSE(args.time.has_value());
  EXPECT_FALSE(args.max_depth.has_value());
  EXPECT_FALSE(args.profile.has_value());
  EXPECT_FALSE(args.revocation.has_value());
}

TEST(VerifyArgs, NeedsALeafAndSomethingToTrust) {
  EXPECT_THAT(ErrorOf({"verify", "--trust", "a"}), HasSubstr("LEAF.pem is needed"));
  EXPECT_THAT(ErrorOf({"verify", "leaf"}), HasSubstr("--trust FILE or --policy"));
  EXPECT_THAT(ErrorOf({"verify", "--trust", "a", "leaf", "other"}), HasSubstr("'other'"));
  EXPECT_THAT(ErrorOf({"verify", "--policy", "c#h", "--crl", "x", "leaf"}), HasSubstr("--crl"));
  EXPECT_THAT(ErrorOf({"verify", "--policy", "c#h", "--intermediate", "x", "leaf"}),
              HasSubstr("--intermediate goes with --trust"));
  for (const char* const policy : {"c", "#h", "c#"}) {
    EXPECT_THAT(ErrorOf({"verify", "--policy", policy, "leaf"}), HasSubstr("CONFIG#HOST"));
  }
}

TEST(VerifyArgs, RefusesValuesItDoesNotKnow) {
  EXPECT_THAT(ErrorOf({"verify", "--time", "now", "--trust", "a", "l"}), HasSubstr("--time"));
  EXPECT_THAT(ErrorOf({"verify", "--max-depth", "-1", "--trust", "a", "l"}), HasSubstr("--max-d"));
  EXPECT_THAT(ErrorOf({"verify", "--profile", "lax", "--trust", "a", "l"}),
              HasSubstr("allowed are compatible, strict"));
  EXPECT_THAT(ErrorOf({"verify", "--revocation", "x", "--trust", "a", "l"}),
              HasSubstr("allowed are off, soft, require"));
}

}  // namespace
}  // namespace portcullis::server
