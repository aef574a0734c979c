#include "core/server/commands/exposition.h"

#include "gtest/gtest.h"

namespace portcullis::server {
namespace {

constexpr char kText[] =
    "# HELP a_total An \"a\".\n"
    "# TYPE a_total counter\n"
    "a_total{listener=\"x\",reason=\"no_cert\"} 3\n"
    "a_total{listener=\"y\",reason=\"no_cert\"} 4\n"
    "a_total{listener=\"y\",reason=\"expired\"} 1.5e1\n"
    "a_total_more{listener=\"y\"} 100\n"
    "odd{name=\"a \\\"b\\\" \\\\ {c},d=\\\"\",x=\"1\"} 7\n"
    "bare 42\n"
    "timed 5 1700000000000\n"
    "broken{name=\"x\n"
    "last{} 9";

TEST(Exposition, SumsTheSeriesThatCarryTheLabels) {
  EXPECT_EQ(SumOf(kText, "a_total", {}), 22);
  EXPECT_EQ(SumOf(kText, "a_total", {{"reason", "no_cert"}}), 7);
  EXPECT_EQ(SumOf(kText, "a_total", {{"reason", "no_cert"}, {"listener", "y"}}), 4);
  EXPECT_EQ(SumOf(kText, "a_total", {{"reason", "revoked"}}), 0);
}

TEST(Exposition, TellsNamesFromTheirPrefixes) {
  EXPECT_EQ(SumOf(kText, "a_tot", {}), 0);
  EXPECT_EQ(SumOf(kText, "a_total_more", {}), 100);
}

TEST(Exposition, ReadsEscapesBareNamesAndTimestamps) {
  EXPECT_EQ(SumOf(kText, "odd", {{"name", "a \"b\" \\ {c},d=\""}, {"x", "1"}}), 7);
  EXPECT_EQ(SumOf(kText, "bare", {}), 42);
  EXPECT_EQ(SumOf(kText, "bare", {{"x", "1"}}), 0);
  EXPECT_EQ(SumOf(kText, "timed", {}), 5);
  EXPECT_EQ(SumOf(kText, "last", {}), 9);
}

TEST(Exposition, PassesOverWhatItCannotRead) {
  EXPECT_EQ(SumOf(kText, "broken", {}), 0);
  EXPECT_EQ(SumOf("", "a", {}), 0);
  EXPECT_EQ(SumOf("a{x=\"1\\", "a", {}), 0);
}

}  // namespace
}  // namespace portcullis::server
