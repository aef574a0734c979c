#include "core/server/commands/flags.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace portcullis::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Flag kFlags[] = {
    {"file", "FILE", "a file", true},
    {"more", "FILE", "more files", false, true},
    {"quiet", "", "say nothing"},
};

absl::Status Read(const std::vector<const char*>& words, Values& values, bool operand = false) {
  return ReadFlags(kFlags, operand, words, values);
}

std::string ErrorOf(const std::vector<const char*>& words, bool operand = false) {
  Values values;
  return std::string(Read(words, values, operand).message());
}

TEST(Flags, AreReadInBothForms) {
  Values values;
  ASSERT_TRUE(Read({"--file", "a", "--more=b", "--quiet", "--more", "c=d"}, values).ok());
  EXPECT_EQ(Get(values, "file"), "a");
  EXPECT_THAT(GetAll(values, "more"), ElementsAre("b", "c=d"));
  EXPECT_TRUE(values.contains("quiet"));
  EXPECT_EQ(Get(values, "other"), "");
  EXPECT_THAT(GetAll(values, "other"), ElementsAre());
}

TEST(Flags, OneWordMayStandWithoutAFlagWhereOneIsTaken) {
  Values values;
  ASSERT_TRUE(Read({"--quiet", "word", "--file", "a"}, values, true).ok());
  EXPECT_EQ(Get(values, ""), "word");
  EXPECT_EQ(ErrorOf({"word", "other"}, true), "unexpected argument 'other'");
  EXPECT_EQ(ErrorOf({"word"}), "unexpected argument 'word'");
}

TEST(Flags, MistakesAreNamed) {
  EXPECT_EQ(ErrorOf({"--file", "a", "--file=b"}), "--file is given twice");
  EXPECT_EQ(ErrorOf({"--quiet=1"}), "--quiet takes no value");
  EXPECT_EQ(ErrorOf({"--file"}), "--file needs a value: --file FILE");
  EXPECT_EQ(ErrorOf({"--file="}), "--file needs a value: --file FILE");
  EXPECT_THAT(ErrorOf({"--quite"}), HasSubstr("did you mean '--quiet'?"));
  EXPECT_EQ(ErrorOf({"--"}), "unexpected argument '--'");
}

TEST(Flags, HelpIsAligned) {
  Values values;
  EXPECT_TRUE(absl::IsOutOfRange(Read({"--file", "a", "-h"}, values)));
  EXPECT_THAT(FlagsHelp(kFlags), HasSubstr("  --file FILE         a file\n"));
  constexpr Flag kLong[] = {{"profile", "strict|compatible", "which"}};
  EXPECT_EQ(FlagsHelp(kLong), "  --profile strict|compatible  which\n");
}

}  // namespace
}  // namespace portcullis::server
