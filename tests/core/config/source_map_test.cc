#include "core/config/source_map.h"

#include <gtest/gtest.h>

namespace portcullis::config {
namespace {

TEST(SourceMap, FindsThePlaceOfAFieldOrOfTheValueAroundIt) {
  SourceMap sources;
  sources.Add("hosts", {2, 1});
  sources.Add("hosts[0]", {3, 5});
  sources.Add("hosts[0].auth", {4, 7});
  EXPECT_EQ(sources.Find("hosts[0].auth").line, 4);
  EXPECT_EQ(sources.Find("hosts[0].auth.mode").line, 4);
  EXPECT_EQ(sources.Find("hosts[0].names[12]").line, 3);
  EXPECT_EQ(sources.Find("hosts[1].auth").line, 2);
  EXPECT_EQ(sources.Find("workers").line, 1);
  EXPECT_EQ(sources.Find("").column, 1);
}

TEST(SourceMap, KnowsWhatWasWritten) {
  SourceMap sources;
  sources.Add("tls", {1, 1});
  EXPECT_TRUE(sources.Has("tls"));
  EXPECT_FALSE(sources.Has("tls.tickets"));
}

TEST(SourceMap, KeepsTheFirstPlace) {
  SourceMap sources;
  sources.Add("tls", {1, 1});
  sources.Add("tls", {9, 9});
  EXPECT_EQ(sources.Find("tls").line, 1);
}

TEST(Paths, AreWrittenAsOperatorsReadThem) {
  EXPECT_EQ(FieldPath("", "workers"), "workers");
  EXPECT_EQ(FieldPath(ItemPath("virtual_hosts", 10), "backend"), "virtual_hosts[10].backend");
}

}  // namespace
}  // namespace portcullis::config
