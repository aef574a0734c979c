#include "core/http/field_syntax.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace portcullis::http {
namespace {

TEST(FieldSyntax, TokenCharactersAreThoseOfRfc9110) {
  const std::string_view marks = "!#$%&'*+-.^_`|~";
  for (int byte = 0; byte < 256; ++byte) {
    const bool alnum = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                       (byte >= 'A' && byte <= 'Z');
    const bool mark = byte != 0 && marks.find(static_cast<char>(byte)) != std::string_view::npos;
    EXPECT_EQ(IsTokenChar(static_cast<uint8_t>(byte)), alnum || mark) << byte;
  }
  EXPECT_TRUE(IsToken("X-a"));
  EXPECT_FALSE(IsToken(""));
  EXPECT_FALSE(IsToken("X a"));
}

TEST(FieldSyntax, ComparesWithoutCaseInAsciiOnly) {
  EXPECT_TRUE(EqualsIgnoreCase("Content-LENGTH", "content-length"));
  EXPECT_FALSE(EqualsIgnoreCase("a", "ab"));
  EXPECT_FALSE(EqualsIgnoreCase("@", "`")) << "these differ by the case bit but are no letters";
  EXPECT_FALSE(EqualsIgnoreCase("\xc3\xa9", "\xc3\x89"));
}

TEST(FieldSyntax, KnowsHopByHopAndFramingFields) {
  for (const char* name :
       {"TE", "Upgrade", "connection", "Keep-Alive", "HTTP2-Settings", "Proxy-Connection",
        "TRANSFER-ENCODING", "Proxy-Authenticate", "Proxy-Authorization"}) {
    EXPECT_TRUE(IsHopByHop(name)) << name;
  }
  for (const char* name : {"", "Trailer", "Content-Length", "Host", "XE", "Keep-Alivf", "Te-"}) {
    EXPECT_FALSE(IsHopByHop(name)) << name;
  }
  EXPECT_TRUE(IsFraming("content-length"));
  EXPECT_TRUE(IsFraming("Transfer-encoding"));
  EXPECT_FALSE(IsFraming("Content-Type"));
}

TEST(FieldSyntax, SplitsListsAndDropsEmptyElements) {
  const auto split = [](std::string_view list) {
    std::vector<std::string> tokens;
    ForEachToken(list, [&](std::string_view token) { tokens.emplace_back(token); });
    return tokens;
  };
  EXPECT_EQ(split("a"), std::vector<std::string>{"a"});
  EXPECT_EQ(split(" ,\ta , ,b c,,"), (std::vector<std::string>{"a", "b c"}));
  EXPECT_TRUE(split("").empty());
  EXPECT_TRUE(split(" , \t").empty());
}

TEST(FieldSyntax, FindsATokenInAnyFieldOfThatName) {
  HeaderList headers;
  headers.Add("Connection", "a, b");
  headers.Add("X", "close");
  EXPECT_FALSE(HasToken(headers, "Connection", "close"));
  headers.Add("connection", "c ,Close");
  EXPECT_TRUE(HasToken(headers, "Connection", "close"));
  EXPECT_FALSE(HasToken(headers, "Connection", "clos"));
}

TEST(FieldSyntax, SanitisedTextCannotEndAField) {
  using std::string_literals::operator""s;
  EXPECT_EQ(SanitizeValue("CN=a\r\nEvil: 1"), "CN=a  Evil: 1");
  EXPECT_EQ(SanitizeValue("\x01\x1f\x7f\0x\t"s), "x");
  EXPECT_EQ(SanitizeValue(" CN=J\xc3\xbcrgen "), "CN=J\xc3\xbcrgen");
}

TEST(FieldSyntax, FoldsWhatBackendsMayConfuse) {
  EXPECT_EQ(FoldedName("SSL_Client.Verify").text(), "ssl-client-verify");
  EXPECT_EQ(FoldedName("").text(), "");
  EXPECT_EQ(FoldedName(std::string(100, 'A')).text(), std::string(40, 'a'));
}

}  // namespace
}  // namespace portcullis::http
