#include "core/http/header_list.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/core/http/transcripts.h"

namespace portcullis::http {
namespace {

TEST(HeaderList, KeepsOrderAndFindsWithoutCase) {
  HeaderList list;
  list.Add("B", "1");
  list.Add("a", "2");
  list.Add("b", "3");
  EXPECT_EQ(Describe(list), "  B=[1]\n  a=[2]\n  b=[3]\n");
  EXPECT_EQ(list.Get("b"), "1");
  EXPECT_EQ(list.Count("B"), 2u);
  EXPECT_FALSE(list.Get("c").has_value());
  EXPECT_TRUE(list.Has("A"));
}

TEST(HeaderList, RemovesAndReplacesAllOfAName) {
  HeaderList list;
  for (const char* name : {"x", "y", "X", "z"}) list.Add(name, name);
  list.Set("x", "new");
  EXPECT_EQ(Describe(list), "  y=[y]\n  z=[z]\n  x=[new]\n");
  EXPECT_EQ(list.RemoveIf([](const Header& header) { return header.value != "z"; }), 2u);
  EXPECT_EQ(Describe(list), "  z=[z]\n");
  EXPECT_EQ(list.Remove("q"), 0u);
  list.Clear();
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.arena_bytes(), 0u);
}

TEST(HeaderList, AcceptsViewsIntoItself) {
  HeaderList list;
  list.Add("name", "value");
  for (int i = 0; i < 200; ++i) {
    const Header last = list[list.size() - 1];
    list.Add(last.name, last.value);
  }
  list.Set(list[7].name, list[9].value);
  EXPECT_EQ(Describe(list), "  name=[value]\n");
}

TEST(HeaderList, BuildsFieldsFromFragments) {
  HeaderList list;
  list.Add("first", "f");
  list.BeginField();
  list.AppendName("Con");
  list.AppendName("tent");
  list.AppendValue(" \tva");
  list.AppendValue("lue ");
  list.TrimLastValue();
  list.BeginField();
  list.AppendName("Empty");
  list.AppendValue("  ");
  list.TrimLastValue();
  list.BeginField();
  list.AppendName("None");
  list.TrimLastValue();
  EXPECT_EQ(Describe(list), "  first=[f]\n  Content=[value]\n  Empty=[]\n  None=[]\n");
}

TEST(HeaderList, BehavesAsAListOfPairs) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const auto name = [&] { return std::string(1, static_cast<char>('a' + random() % 5)); };
  HeaderList list;
  std::vector<std::pair<std::string, std::string>> model;
  const auto forget = [&](const std::string& gone) {
    return std::erase_if(model, [&](const auto& pair) { return pair.first == gone; });
  };
  for (int step = 0; step < 2000; ++step) {
    const std::string key = name();
    const std::string value(random() % 30, 'v');
    switch (random() % 4) {
      case 0:
      case 1:
        list.Add(key, value);
        model.emplace_back(key, value);
        break;
      case 2:
        list.Set(key, value);
        forget(key);
        model.emplace_back(key, value);
        break;
      case 3:
        ASSERT_EQ(list.Remove(key), forget(key));
        break;
    }
    if (random() % 100 == 0) {
      list.Clear();
      model.clear();
    }
    ASSERT_EQ(list.size(), model.size());
    size_t i = 0;
    for (const Header header : list) {
      ASSERT_EQ(header.name, model[i].first);
      ASSERT_EQ(header.value, model[i].second);
      ++i;
    }
  }
}

}  // namespace
}  // namespace portcullis::http
