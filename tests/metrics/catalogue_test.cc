#include "metrics/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string>

namespace portcullis::metrics {
namespace {

TEST(Catalogue, NamesAreUniqueLowerCaseAndPrefixed) {
  std::set<std::string_view> names;
  for (const MetricInfo& info : Catalogue()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_TRUE(info.name.starts_with("portcullis_") || info.name.starts_with("process_"))
        << info.name;
    EXPECT_TRUE(std::all_of(info.name.begin(), info.name.end(), [](char c) {
      return std::islower(static_cast<unsigned char>(c)) != 0 || c == '_';
    })) << info.name;
  }
  EXPECT_EQ(names.size(), kNumMetrics);
}

TEST(Catalogue, CountersEndInTotalAndNothingElseDoes) {
  for (const MetricInfo& info : Catalogue()) {
    EXPECT_EQ(info.type == Type::kCounter, info.name.ends_with("_total")) << info.name;
    EXPECT_EQ(info.type == Type::kHistogram, info.name.ends_with("duration_seconds")) << info.name;
  }
}

TEST(Catalogue, HelpIsOneSentence) {
  for (const MetricInfo& info : Catalogue()) {
    EXPECT_TRUE(info.help.ends_with(".")) << info.name;
    EXPECT_EQ(info.help.find('\n'), std::string_view::npos) << info.name;
    EXPECT_GT(info.help.size(), 10u) << info.name;
  }
}

TEST(Catalogue, TheNamesOthersRelyOnStay) {
  EXPECT_EQ(Info(Metric::kHandshakeDuration).name, "portcullis_handshake_duration_seconds");
  EXPECT_EQ(Info(Metric::kHandshakeDuration).labels, "listener,result,version,resumed");
  EXPECT_EQ(Info(Metric::kHandshakeRejections).name, "portcullis_handshake_rejections_total");
  EXPECT_EQ(Info(Metric::kHandshakeRejections).labels, "listener,reason");
}

TEST(Catalogue, HandshakeBoundsSpanATenthOfAMillisecondToTenSeconds) {
  const auto bounds = Info(Metric::kHandshakeDuration).bounds_ns;
  EXPECT_EQ(bounds.front(), 100'000u);
  EXPECT_EQ(bounds.back(), 10'000'000'000u);
  EXPECT_LE(bounds.size(), 24u) << "each bound is a series for every combination of labels";
}

TEST(Catalogue, MarkdownHasOneRowForEachMetric) {
  const std::string table = CatalogueMarkdown();
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), static_cast<int64_t>(kNumMetrics) + 2);
  for (const MetricInfo& info : Catalogue()) {
    EXPECT_THAT(table, testing::HasSubstr("| `" + std::string(info.name) + "` | " +
                                          std::string(TypeName(info.type)) + " |"));
  }
  EXPECT_THAT(table, testing::HasSubstr("| `listener`, `reason` |"));
}

}  // namespace
}  // namespace portcullis::metrics
