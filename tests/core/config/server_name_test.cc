#include "core/config/server_name.h"

#include <gtest/gtest.h>

#include <string>

namespace portcullis::config {
namespace {

TEST(ServerName, AcceptsDnsNamesAndFirstLabelWildcardsInLowerCase) {
  EXPECT_EQ(*ParseServerName("client.auth.localhost"), "client.auth.localhost");
  EXPECT_EQ(*ParseServerName("WWW.Example.ORG"), "www.example.org");
  EXPECT_EQ(*ParseServerName("*.Example.org"), "*.example.org");
  EXPECT_EQ(*ParseServerName("localhost"), "localhost");
  EXPECT_EQ(*ParseServerName("my_service.default.svc"), "my_service.default.svc");
  EXPECT_EQ(*ParseServerName("xn--bcher-kva.example"), "xn--bcher-kva.example");
  EXPECT_EQ(*ParseServerName("3com.com"), "3com.com");
}

TEST(ServerName, SaysWhatIsWrong) {
  const std::pair<std::string, std::string> cases[] = {
      {"*", "a listener's default_host takes every other name"},
      {"a.*.b", "'*' stands for the whole first label only"},
      {"w*.example.org", "'*' stands for the whole first label only"},
      {"*.*.org", "'*' stands for the whole first label only"},
      {"b\xC3\xBC"
       "cher.example",
       "international names are written as A-labels (xn--...)"},
      {"example.org.", "SNI has no dot at the end"},
      {"example.org:443", "SNI has no port"},
      {"192.0.2.1", "SNI does not carry IP addresses"},
      {"*.0.2.1", "SNI does not carry IP addresses"},
      {"", "a label is empty, above 63 bytes or has other characters"},
      {"*.", "a label is empty, above 63 bytes or has other characters"},
      {"a..b", "a label is empty, above 63 bytes or has other characters"},
      {".a", "a label is empty, above 63 bytes or has other characters"},
      {"-a.b", "a label is empty, above 63 bytes or has other characters"},
      {"a-.b", "a label is empty, above 63 bytes or has other characters"},
      {"a b", "a label is empty, above 63 bytes or has other characters"},
      {std::string(64, 'a') + ".b", "a label is empty, above 63 bytes or has other characters"},
  };
  for (const auto& [text, why] : cases) {
    const absl::StatusOr<std::string> name = ParseServerName(text);
    ASSERT_FALSE(name.ok()) << text;
    EXPECT_EQ(std::string(name.status().message()), why) << text;
  }
}

TEST(ServerName, IsAtMost253Bytes) {
  std::string name(63, 'a');
  for (int i = 0; i < 3; ++i) name += "." + std::string(62, 'b');
  ASSERT_EQ(name.size(), 252u);
  EXPECT_TRUE(IsDnsName(name));
  EXPECT_TRUE(ParseServerName("*." + name)
                  .ok());  // a wildcard's names are as long as what replaces the star
  EXPECT_TRUE(IsDnsName(name + "b"));
  EXPECT_FALSE(IsDnsName(name + ".b"));
  EXPECT_EQ(std::string(ParseServerName(name + ".b").status().message()), "it is above 253 bytes");
}

}  // namespace
}  // namespace portcullis::config
