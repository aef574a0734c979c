#include "core/config/map_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace portcullis::config {
namespace {

// A mapping to be read, and what is said about it.
class Reading {
 public:
  explicit Reading(std::string_view yaml)
      : tree_(ParseYaml(yaml, diagnostics_)), reader_(context_, {*tree_.root, "m"}) {}

  MapReader* operator->() { return &reader_; }
  [[nodiscard]] std::string Errors() const {
    return std::string(diagnostics_.ToStatus().message());
  }

 private:
  Diagnostics diagnostics_{"f"};
  SourceMap sources_;
  ReadContext context_{diagnostics_, sources_, "/etc/p"};
  YamlTree tree_;
  MapReader reader_;
};

TEST(MapReader, LeavesADestinationAsItWasWhereTheFieldIsAbsentOrWrong) {
  Reading map("{number: x, text: [], bytes: 1KB, duration: 1, word: c, path: ''}");
  uint32_t number = 7;
  uint32_t bytes = 8;
  std::chrono::milliseconds duration{9};
  std::string text = "text";
  std::string word = "word";
  std::string path = "path";
  bool choice = true;
  const std::string_view words[] = {"a", "b"};
  map->Number("number", {1, 9}, number);
  map->Bytes("bytes", {1, 9}, bytes);
  map->Duration("duration", {std::chrono::milliseconds(0), std::chrono::hours(1)}, duration);
  map->Text("text", kAnyTextRule, text);
  map->Word("word", words, word);
  map->Path("path", path);
  map->Choice("absent", kBools, choice);
  map->Finish();
  EXPECT_EQ(number, 7u);
  EXPECT_EQ(bytes, 8u);
  EXPECT_EQ(duration.count(), 9);
  EXPECT_EQ(text, "text");
  EXPECT_EQ(word, "word");
  EXPECT_EQ(path, "path");
  EXPECT_TRUE(choice);
  EXPECT_EQ(
      map.Errors(),
      "f:1:10: m.number: found 'x'; allowed: a whole number from 1 to 9\n"
      "f:1:19: m.text: found a list; allowed: text on one line\n"
      "f:1:30: m.bytes: found '1KB'; allowed: a size such as 32768, 32KiB or 1MiB, from 1 to 9\n"
      "f:1:45: m.duration: found '1'; allowed: a duration such as 250ms, 10s, 2m or 1h, from 0s to "
      "1h\n"
      "f:1:54: m.word: found 'c'; allowed: a, b; did you mean 'a'?\n"
      "f:1:63: m.path: found ''; allowed: text on one line; it is empty");
}

TEST(MapReader, TakesTheFirstOfARepeatedField) {
  Reading map("{n: 1, n: 2, n: 3}");
  uint32_t number = 0;
  map->Number("n", {0, 9}, number);
  map->Finish();
  EXPECT_EQ(number, 1u);
  EXPECT_EQ(
      map.Errors(),
      "f:1:8: m.n: found the field a second time, the first in line 1; allowed: each field once\n"
      "f:1:14: m.n: found the field a second time, the first in line 1; allowed: each field once");
}

TEST(MapReader, CountsNothingAsAMappingWithoutFields) {
  Reading map("~");
  uint32_t number = 5;
  map->Number("n", {0, 9}, number);
  map->Finish();
  EXPECT_EQ(number, 5u);
  EXPECT_EQ(map.Errors(), "");
  map->Require("n", "a number");
  EXPECT_EQ(map.Errors(), "f:1:1: m.n: found nothing; allowed: a number; the field is required");
}

TEST(MapReader, ReportsWhatIsNoMappingOnce) {
  Reading map("[1]");
  uint32_t number = 5;
  map->Number("n", {0, 9}, number);
  map->Finish();
  map->Require("n", "a number");
  EXPECT_EQ(map.Errors(), "f:1:1: m: found a list; allowed: a mapping with the fields n");
}

TEST(MapReader, KnowsWhichFieldsAreThere) {
  Reading map("{a: ~, b: [bad]}");
  std::string text;
  map->Text("a", kAnyTextRule, text);
  map->Text("b", kAnyTextRule, text);
  map->Text("c", kAnyTextRule, text);
  EXPECT_TRUE(map->has("a"));
  EXPECT_TRUE(map->has("b"));
  EXPECT_FALSE(map->has("c"));
}

TEST(MapReader, ReadsListsItemByItem) {
  Reading map("{l: [a, [], c, ''], empty: [], scalar: x}");
  std::vector<std::string> texts;
  map->TextList("l", kAnyTextRule, texts);
  EXPECT_EQ(texts, (std::vector<std::string>{"a", "c"}));
  map->TextList("empty", kAnyTextRule, texts);
  map->TextList("scalar", kAnyTextRule, texts);
  EXPECT_EQ(texts.size(), 2u);
  EXPECT_EQ(map.Errors(),
            "f:1:9: m.l[1]: found a list; allowed: text on one line\n"
            "f:1:16: m.l[3]: found ''; allowed: text on one line; it is empty\n"
            "f:1:28: m.empty: found an empty list; allowed: a list of one or more\n"
            "f:1:40: m.scalar: found 'x'; allowed: a list of one or more; write it as '- item' or "
            "[item]");
}

TEST(MapReader, ResolvesPathsAgainstTheFolderAndLeavesTheirDotsAlone) {
  Reading map("{a: x/y, b: /x, c: ../x}");
  std::string a;
  std::string b;
  std::string c;
  map->Path("a", a);
  map->Path("b", b);
  map->Path("c", c);
  EXPECT_EQ(a, "/etc/p/x/y");
  EXPECT_EQ(b, "/x");
  EXPECT_EQ(c, "/etc/p/../x");  // not shortened: p may be a link
}

TEST(MapReader, BoundsNames) {
  Reading map("{good: " + std::string(128, 'n') + ", bad: " + std::string(129, 'n') + "}");
  std::string good;
  std::string bad;
  map->Text("good", kNameRule, good);
  map->Text("bad", kNameRule, bad);
  EXPECT_EQ(good.size(), 128u);
  EXPECT_EQ(bad, "");
  EXPECT_TRUE(map.Errors().ends_with("; it is too long")) << map.Errors();
}

}  // namespace
}  // namespace portcullis::config
