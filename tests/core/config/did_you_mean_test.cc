#include "core/config/did_you_mean.h"

#include <gtest/gtest.h>

#include <vector>

namespace portcullis::config {
namespace {

TEST(EditDistance, CountsInsertionsDeletionsReplacementsAndSwaps) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("abc", ""), 3u);
  EXPECT_EQ(EditDistance("mode", "mode"), 0u);
  EXPECT_EQ(EditDistance("mod", "mode"), 1u);
  EXPECT_EQ(EditDistance("moode", "mode"), 1u);
  EXPECT_EQ(EditDistance("made", "mode"), 1u);
  EXPECT_EQ(EditDistance("mdoe", "mode"), 1u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
  EXPECT_EQ(EditDistance("ca", "abc"), 3u);  // a swapped pair is not edited again
}

TEST(EditDistance, IsSymmetricAndIgnoresCase) {
  const std::vector<std::string_view> words = {"",        "a",     "Backend", "backends",
                                               "kcabend", "trust", "TRUSTS"};
  for (const std::string_view a : words) {
    for (const std::string_view b : words)
      EXPECT_EQ(EditDistance(a, b), EditDistance(b, a)) << a << " " << b;
  }
  EXPECT_EQ(EditDistance("MODE", "mode"), 0u);
}

TEST(DidYouMean, NamesTheNearest) {
  const std::vector<std::string_view> fields = {"address", "backlog", "hosts", "mode", "name"};
  EXPECT_EQ(DidYouMean("adress", fields), "did you mean 'address'?");
  EXPECT_EQ(DidYouMean("Hosts", fields), "did you mean 'hosts'?");
  EXPECT_EQ(DidYouMean("nmae", fields), "did you mean 'name'?");
  EXPECT_EQ(Nearest("host", fields), "hosts");
}

TEST(DidYouMean, TakesTheEarlierOnATie) {
  const std::vector<std::string_view> names = {"app1", "app2"};
  EXPECT_EQ(Nearest("app", names), "app1");
}

TEST(DidYouMean, IsSilentWhenNothingIsNear) {
  const std::vector<std::string_view> fields = {"address", "mode"};
  EXPECT_EQ(DidYouMean("listeners", fields), "");
  EXPECT_EQ(DidYouMean("", fields), "");
  EXPECT_EQ(DidYouMean("mode", {}), "");
  EXPECT_EQ(DidYouMean(std::string(100'000, 'x'), fields), "");
}

}  // namespace
}  // namespace portcullis::config
