#include "core/config/yaml_tree.h"

#include <gtest/gtest.h>

#include <string>

namespace portcullis::config {
namespace {

// The tree on one line, with the place of each value: "{a@1:1: 'b'@1:4}".
std::string Print(const YamlNode& node) {
  std::string place =
      "@" + std::to_string(node.where.line) + ":" + std::to_string(node.where.column);
  switch (node.kind) {
    case YamlKind::kNull:
      return "~" + place;
    case YamlKind::kScalar:
      return "'" + node.text + "'" + place;
    case YamlKind::kList: {
      std::string out = "[";
      for (const YamlNode* item : node.items) out += (out.size() > 1 ? ", " : "") + Print(*item);
      return out + "]" + place;
    }
    case YamlKind::kMap: {
      std::string out = "{";
      for (const auto& [key, value] : node.entries) {
        out += (out.size() > 1 ? ", " : "") + Print(*key) + ": " + Print(*value);
      }
      return out + "}" + place;
    }
  }
  return {};
}

std::string Parse(std::string_view text) {
  Diagnostics diagnostics("f");
  const YamlTree tree = ParseYaml(text, diagnostics);
  if (!diagnostics.ok()) {
    EXPECT_EQ(tree.root, nullptr);
    return std::string(diagnostics.ToStatus().message());
  }
  return tree.root == nullptr ? "none" : Print(*tree.root);
}

TEST(YamlTree, PlacesEveryValue) {
  EXPECT_EQ(Parse("a: b\nc:\n  - \"d\"\n  - {e: 'f'}\n"),
            "{'a'@1:1: 'b'@1:4, 'c'@2:1: ['d'@3:5, {'e'@4:6: 'f'@4:9}@4:5]@3:3}@1:1");
}

TEST(YamlTree, PlacesAnEmptyValueAtItsKey) {
  EXPECT_EQ(Parse("a:\n\n  # remark\nb: ~\nc: null\n"),
            "{'a'@1:1: ~@1:1, 'b'@4:1: ~@4:1, 'c'@5:1: ~@5:1}@1:1");
}

TEST(YamlTree, KeepsRepeatedKeys) {
  EXPECT_EQ(Parse("{a: 1, a: 2}"), "{'a'@1:2: '1'@1:5, 'a'@1:8: '2'@1:11}@1:1");
}

TEST(YamlTree, IsAbsentWhereThereIsNoDocument) {
  EXPECT_EQ(Parse(""), "none");
  EXPECT_EQ(Parse("# remark\n"), "none");
  EXPECT_EQ(Parse("\xEF\xBB\xBF"), "none");
}

TEST(YamlTree, PassesOverAByteOrderMark) {
  EXPECT_EQ(Parse("\xEF\xBB\xBF"
                  "a: b"),
            "{'a'@1:1: 'b'@1:4}@1:1");
}

TEST(YamlTree, PutsWhatAnAliasStandsForInItsPlace) {
  EXPECT_EQ(Parse("a: &x [1]\nb: *x\n"), "{'a'@1:1: ['1'@1:8]@1:4, 'b'@2:1: ['1'@1:8]@1:4}@1:1");
  EXPECT_EQ(Parse("a: &x\nb: *x\n"), "{'a'@1:1: ~@1:1, 'b'@2:1: ~@2:1}@1:1");
}

TEST(YamlTree, RefusesAnAliasForAValueAroundIt) {
  EXPECT_EQ(Parse("a: &x [1, *x]"),
            "f:1:11: document: found an alias for a value around it; allowed: an alias for an "
            "earlier, complete value");
  EXPECT_NE(Parse("&x {a: {b: *x}}"), "");
}

TEST(YamlTree, RefusesAliasesThatMultiply) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before + ", " + before +
            ", " + before + "]\n";
  }
  const std::string message = Parse(text);
  EXPECT_NE(message.find("document: found too many values; allowed: at most 1048576 values"),
            std::string::npos)
      << message;
}

TEST(YamlTree, RefusesASecondDocument) {
  EXPECT_EQ(Parse("a: 1\n---\nb: 2\n"),
            "f:2:1: document: found a second document; allowed: one YAML document a file");
  EXPECT_EQ(Parse("---\na: 1\n...\n"), "{'a'@2:1: '1'@2:4}@2:1");
}

TEST(YamlTree, RefusesTags) {
  EXPECT_EQ(Parse("a: !!int 1"),
            "f:1:4: document: found the tag 'tag:yaml.org,2002:int'; allowed: values without tags");
  EXPECT_NE(Parse("a: !x [1]").find("values without tags"), std::string::npos);
  EXPECT_NE(Parse("!x {a: 1}").find("values without tags"), std::string::npos);
}

TEST(YamlTree, ReportsSyntaxErrorsAtTheirPlace) {
  EXPECT_EQ(Parse("a: 1\n]"),
            "f:2:1: document: found a syntax error (illegal flow end); allowed: YAML");
  // Some versions of the library name the anchor.
  EXPECT_TRUE(Parse("a: *x").starts_with(
      "f:1:4: document: found a syntax error (the referenced anchor is not defined"));
  EXPECT_TRUE(Parse("a:\n\t- b").starts_with("f:2:2: document: found a syntax error"));
  EXPECT_TRUE(Parse("a: 'b\n").starts_with("f:1:4: document: found a quotation that never ends"));
}

TEST(YamlTree, KeepsSyntaxErrorsOnOnePrintableLine) {
  // Later versions of the library take this one for an escaped line break.
  const std::string escaped = Parse("a: \"x\\\ry\"");
  EXPECT_TRUE(
      escaped ==
          "f:1:8: document: found a syntax error (unknown escape character: <0x0d>); allowed: "
          "YAML" ||
      escaped == "{'a'@1:1: 'xy'@1:4}@1:1")
      << escaped;
  EXPECT_EQ(Parse("a: \"x\\\xC3\xBC\""),
            "f:1:8: document: found a syntax error (unknown escape character: ?); allowed: YAML");
}

TEST(YamlTree, BearsDeepNesting) {
  const std::string deep = Parse(std::string(100'000, '['));
  EXPECT_NE(deep.find("document: found a syntax error"), std::string::npos) << deep;
  EXPECT_NE(Parse(std::string(100'000, '{')), "none");
}

TEST(DescribeFound, CallsEachKindByAName) {
  Diagnostics diagnostics("f");
  const YamlTree tree = ParseYaml("[x, ~, [], {}]", diagnostics);
  ASSERT_NE(tree.root, nullptr);
  EXPECT_EQ(DescribeFound(*tree.root->items[0]), "'x'");
  EXPECT_EQ(DescribeFound(*tree.root->items[1]), "nothing");
  EXPECT_EQ(DescribeFound(*tree.root->items[2]), "a list");
  EXPECT_EQ(DescribeFound(*tree.root->items[3]), "a mapping");
}

}  // namespace
}  // namespace portcullis::config
