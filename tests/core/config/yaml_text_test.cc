#include "core/config/yaml_text.h"

#include <gtest/gtest.h>

#include <string>

namespace portcullis::config {
namespace {

std::string Check(std::string_view text) {
  Diagnostics diagnostics("f");
  const bool ok = CheckYamlText(text, diagnostics);
  EXPECT_EQ(ok, diagnostics.ok());
  return std::string(diagnostics.ToStatus().message());
}

TEST(YamlText, IsUtf8) {
  EXPECT_EQ(Check(""), "");
  EXPECT_EQ(Check("a: \xC3\xBC\r\n\tb"), "");
  for (const char* text : {"\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(Check(text), "");
  }
}

TEST(YamlText, WithASequenceThatIsNotIsRefusedAtItsPlace) {
  for (const std::string bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE2\x82",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    const std::string message = Check("a: 1\n\xC3\xBC " + bad);
    EXPECT_TRUE(message.starts_with("f:2:4: document: found the byte 0x")) << message;
    EXPECT_TRUE(message.ends_with("; allowed: UTF-8 text without control characters")) << message;
  }
}

TEST(YamlText, HasNoControlCharacters) {
  EXPECT_EQ(Check(std::string_view("a\0b", 3)),
            "f:1:2: document: found the byte 0x00; allowed: UTF-8 text without control characters");
  // yaml-cpp reads this one as the end of the file.
  EXPECT_EQ(Check("a: 1\n\x04limits: x"),
            "f:2:1: document: found the byte 0x04; allowed: UTF-8 text without control characters");
  EXPECT_EQ(Check("a\x7f"),
            "f:1:2: document: found the byte 0x7f; allowed: UTF-8 text without control characters");
}

TEST(YamlText, IsOfBoundedSize) {
  EXPECT_EQ(Check(std::string(kMaxYamlBytes, ' ')), "");
  EXPECT_EQ(Check(std::string(kMaxYamlBytes + 1, ' ')),
            "f:1:1: document: found 4194305 bytes; allowed: at most 4194304 bytes");
}

std::string Quotes(std::string_view text, Position where) {
  Diagnostics diagnostics("f");
  CheckQuotesClosed(text, where, diagnostics);
  return std::string(diagnostics.ToStatus().message());
}

TEST(Quotes, ClosedOnesPass) {
  EXPECT_EQ(Quotes("a: \"x\"", {1, 4}), "");
  EXPECT_EQ(Quotes("a: \"x\\\"y\"\n", {1, 4}), "");
  EXPECT_EQ(Quotes("a: 'it''s'\n", {1, 4}), "");
  EXPECT_EQ(Quotes("a: ''", {1, 4}), "");
  EXPECT_EQ(Quotes("a: plain ' and \"", {1, 4}), "");
  EXPECT_EQ(Quotes("a:\n  &x !!str 'y'", {2, 3}), "");
  EXPECT_EQ(Quotes("", {0, 0}), "");
  EXPECT_EQ(Quotes("a", {7, 7}), "");
}

TEST(Quotes, OpenOnesAreReported) {
  EXPECT_EQ(
      Quotes("a: 1\nb: \"x\nc: 2\n", {2, 4}),
      "f:2:4: document: found a quotation that never ends, '\"x\\nc: 2\\n'; allowed: a closing \"");
  EXPECT_EQ(Quotes("'", {1, 1}),
            "f:1:1: document: found a quotation that never ends, '''; allowed: a closing '");
  EXPECT_NE(Quotes("a: 'it''s", {1, 4}), "");
  EXPECT_NE(Quotes("a: 'it''", {1, 4}), "");
  EXPECT_NE(Quotes("a: \"x\\\"", {1, 4}), "");
  EXPECT_NE(Quotes("a: &x\n \"y", {1, 4}), "");
}

}  // namespace
}  // namespace portcullis::config
