#include "io/intrusive_list.h"

#include <gtest/gtest.h>

#include <vector>

namespace portcullis::io {
namespace {

struct Item : ListNode {
  int id = 0;
};

std::vector<int> Ids(IntrusiveList& list) {
  std::vector<int> ids;
  for (ListNode* node = list.Front(); node != nullptr; node = list.Next(*node)) {
    ids.push_back(static_cast<Item*>(node)->id);
  }
  return ids;
}

class IntrusiveListTest : public ::testing::Test {
 protected:
  IntrusiveListTest() {
    for (int i = 0; i < 4; ++i) items_[i].id = i;
  }
  Item items_[4];
  IntrusiveList list_;
};

TEST_F(IntrusiveListTest, KeepsTheOrderOfPushes) {
  EXPECT_TRUE(list_.empty());
  EXPECT_EQ(list_.Front(), nullptr);
  EXPECT_EQ(list_.Back(), nullptr);
  list_.PushBack(items_[1]);
  list_.PushBack(items_[2]);
  list_.PushFront(items_[0]);
  EXPECT_EQ(Ids(list_), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(list_.Back(), &items_[2]);
}

TEST_F(IntrusiveListTest, UnlinksFromTheMiddleAndTwiceIsHarmless) {
  for (Item& item : items_) list_.PushBack(item);
  items_[1].Unlink();
  items_[1].Unlink();
  EXPECT_FALSE(items_[1].linked());
  EXPECT_EQ(Ids(list_), (std::vector<int>{0, 2, 3}));
  list_.PushBack(items_[1]);
  EXPECT_EQ(Ids(list_), (std::vector<int>{0, 2, 3, 1}));
}

TEST_F(IntrusiveListTest, PopsFromTheFrontUntilEmpty) {
  list_.PushBack(items_[0]);
  list_.PushBack(items_[1]);
  EXPECT_EQ(list_.PopFront(), &items_[0]);
  EXPECT_FALSE(items_[0].linked());
  EXPECT_EQ(list_.PopFront(), &items_[1]);
  EXPECT_EQ(list_.PopFront(), nullptr);
  EXPECT_TRUE(list_.empty());
}

}  // namespace
}  // namespace portcullis::io
