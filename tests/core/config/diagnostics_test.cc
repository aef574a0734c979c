#include "core/config/diagnostics.h"

#include <gtest/gtest.h>

#include <string>

namespace portcullis::config {
namespace {

std::string Message(const Diagnostics& diagnostics) {
  return std::string(diagnostics.ToStatus().message());
}

TEST(Diagnostics, AreOkUntilTheFirstError) {
  Diagnostics diagnostics("c.yaml");
  EXPECT_TRUE(diagnostics.ok());
  EXPECT_TRUE(diagnostics.ToStatus().ok());
  diagnostics.Warn({1, 2}, "backends[0]", "no virtual host uses 'app'");
  EXPECT_TRUE(diagnostics.ok());
  diagnostics.Error({{3, 4}, "workers", "'x'", "a number", ""});
  EXPECT_FALSE(diagnostics.ok());
  EXPECT_EQ(diagnostics.ToStatus().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Diagnostics, WriteALineEachWithEveryPart) {
  Diagnostics diagnostics("c.yaml");
  diagnostics.Error({{3, 4}, "log.level", "'inof'", "debug, info", "did you mean 'info'?"});
  diagnostics.Error({{9, 1}, "", "a tag", "values", ""});
  EXPECT_EQ(Message(diagnostics),
            "c.yaml:3:4: log.level: found 'inof'; allowed: debug, info; did you mean 'info'?\n"
            "c.yaml:9:1: document: found a tag; allowed: values");
}

TEST(Diagnostics, FollowTheTextAndKeepTheOrderWithinAPlace) {
  Diagnostics diagnostics("f");
  for (const char* path : {"late", "early", "b", "a"}) {
    const int line = path == std::string_view("late")    ? 9
                     : path == std::string_view("early") ? 1
                                                         : 5;
    diagnostics.Error({{line, 1}, path, "x", "y", ""});
    diagnostics.Warn({line, 1}, path, "text");
  }
  EXPECT_EQ(Message(diagnostics),
            "f:1:1: early: found x; allowed: y\nf:5:1: b: found x; allowed: y\n"
            "f:5:1: a: found x; allowed: y\nf:9:1: late: found x; allowed: y");
  const std::vector<std::string> warnings = {"f:1:1: early: text", "f:5:1: b: text",
                                             "f:5:1: a: text", "f:9:1: late: text"};
  EXPECT_EQ(diagnostics.Warnings(), warnings);
}

TEST(Diagnostics, CountWhatTheyDoNotKeep) {
  Diagnostics diagnostics("f");
  for (size_t i = 0; i < Diagnostics::kMaxKept + 7; ++i) {
    EXPECT_EQ(diagnostics.full(), i >= Diagnostics::kMaxKept);
    diagnostics.Error({{1, 1}, "p", "x", "y", ""});
    diagnostics.Warn({1, 1}, "p", "x");
  }
  EXPECT_TRUE(Message(diagnostics).ends_with("\nf: and 7 more errors"));
  EXPECT_EQ(diagnostics.Warnings().size(), Diagnostics::kMaxKept);
}

TEST(Diagnostics, GiveALocationForLaterMessages) {
  const Diagnostics diagnostics("dir/f");
  const Location location = diagnostics.At({2, 5}, "trusts[0].ca");
  EXPECT_EQ(location.file, "dir/f");
  EXPECT_EQ(location.line, 2);
  EXPECT_EQ(location.column, 5);
  EXPECT_EQ(Place(location), "dir/f:2:5: trusts[0].ca: ");
  EXPECT_EQ(Place({.file = "f", .line = 1, .column = 2}), "f:1:2: ");
  EXPECT_EQ(Place({}), "");
}

TEST(Quoted, StaysOnOnePrintableLine) {
  EXPECT_EQ(Quoted(""), "''");
  EXPECT_EQ(Quoted("a b"), "'a b'");
  EXPECT_EQ(Quoted("a\nb\x1b[2J\x7f"), "'a\\nb<0x1b>[2J<0x7f>'");
  EXPECT_EQ(Quoted("b\xC3\xBC"
                   "cher"),
            "'b\xC3\xBC"
            "cher'");
}

TEST(Quoted, CutsLongTextBetweenCharacters) {
  EXPECT_EQ(Quoted(std::string(80, 'x')), "'" + std::string(80, 'x') + "'");
  EXPECT_EQ(Quoted(std::string(81, 'x')), "'" + std::string(80, 'x') + "...'");
  EXPECT_EQ(Quoted(std::string(79, 'x') + "\xC3\xBC"
                                          "y"),
            "'" + std::string(79, 'x') + "...'");
  EXPECT_EQ(Quoted(std::string(78, 'x') + "\xC3\xBC"
                                          "y"),
            "'" + std::string(78, 'x') + "\xC3\xBC...'");
}

}  // namespace
}  // namespace portcullis::config
