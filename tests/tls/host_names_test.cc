#include "tls/host_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace portcullis::tls {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

class HostNamesTest : public ::testing::Test {
 protected:
  HostNamesTest() {
    EXPECT_TRUE(names_.Add("one", {"one.example", "*.wild.example"}).ok());
    EXPECT_TRUE(names_.Add("two", {"Two.Example."}).ok());
    EXPECT_TRUE(names_.Add("nameless", {}).ok());
  }

  HostNames names_{"nameless", false};
};

TEST_F(HostNamesTest, ExactThenWildcardThenDefault) {
  EXPECT_THAT(names_.Select("one.example"), Optional(0));
  EXPECT_THAT(names_.Select("TWO.example"), Optional(1));
  EXPECT_THAT(names_.Select("a.wild.example."), Optional(0));
  EXPECT_THAT(names_.Select("a.b.wild.example"), Optional(2)) << "the star is one label";
  EXPECT_THAT(names_.Select(""), Optional(2));
  EXPECT_EQ(names_.FindByName("a.b.wild.example"), std::nullopt);
  EXPECT_EQ(names_.FindByName(std::string(300, 'a') + ".example"), std::nullopt);
}

TEST_F(HostNamesTest, AWildcardIsFoundByItself) {
  EXPECT_THAT(names_.FindByName("*.wild.example"), Optional(0));
  EXPECT_EQ(names_.FindByName("*.example"), std::nullopt);
}

TEST_F(HostNamesTest, HostsAreFoundByWhatTheConfigurationCallsThem) {
  EXPECT_THAT(names_.FindHost("two"), Optional(1));
  EXPECT_EQ(names_.FindHost("Two"), std::nullopt);
  EXPECT_EQ(names_.FindHost("two.example"), std::nullopt);
}

TEST(HostNames, RefusesTheUnknownAndServesTheAbsentWhereToldSo) {
  HostNames names("one", true);
  ASSERT_TRUE(names.Add("one", {"one.example"}).ok());
  EXPECT_EQ(names.Select("other.example"), std::nullopt);
  EXPECT_THAT(names.Select(""), Optional(0));
}

TEST_F(HostNamesTest, NamesTheHostThatHasANameAlready) {
  const absl::Status taken = names_.Add("three", {"two.example"});
  EXPECT_THAT(std::string(taken.message()), HasSubstr("belongs to host two already"));
  EXPECT_THAT(std::string(names_.Add("four", {"a.*"}).message()), HasSubstr("neither a name nor"));
}

}  // namespace
}  // namespace portcullis::tls
