#include "io/slab.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace portcullis::io {
namespace {

struct Item {
  uint32_t slot = 0;
  uint32_t generation = 0;
  Item* next_free = nullptr;
  int value = 0;
};

TEST(Slab, GivesDistinctObjectsUpToItsCapacityAndThenNull) {
  Slab<Item> slab(100);
  std::set<Item*> taken;
  for (int i = 0; i < 100; ++i) taken.insert(slab.Take());
  EXPECT_EQ(taken.size(), 100U);
  EXPECT_FALSE(taken.contains(nullptr));
  EXPECT_EQ(slab.Take(), nullptr);
  EXPECT_EQ(slab.live(), 100U);
  slab.Give(*taken.begin());
  EXPECT_EQ(slab.Take(), *taken.begin());
}

TEST(Slab, FindsALiveObjectBySlotAndGenerationOnly) {
  Slab<Item> slab(4);
  Item* item = slab.Take();
  const uint32_t slot = item->slot;
  const uint32_t generation = item->generation;
  EXPECT_EQ(slab.Find(slot, generation), item);
  EXPECT_EQ(slab.Find(slot, generation + 1), nullptr);
  EXPECT_EQ(slab.Find(slot + 1, generation), nullptr) << "never taken";
  EXPECT_EQ(slab.Find(1 << 20, generation), nullptr) << "beyond every chunk";
}

TEST(Slab, AStaleGenerationFindsNothingAfterReuse) {
  Slab<Item> slab(4);
  Item* item = slab.Take();
  const uint32_t slot = item->slot;
  const uint32_t before = item->generation;
  slab.Give(item);
  EXPECT_EQ(slab.Find(slot, before), nullptr);
  EXPECT_EQ(slab.Find(slot, before + 1), nullptr) << "free objects are not found";
  Item* again = slab.Take();
  ASSERT_EQ(again, item);
  EXPECT_EQ(slab.Find(slot, before), nullptr);
  EXPECT_EQ(slab.Find(slot, again->generation), again);
}

TEST(Slab, GenerationsWrapAt24Bits) {
  Slab<Item> slab(1);
  Item* item = slab.Take();
  item->generation = kGenerationMask;
  slab.Give(item);
  item = slab.Take();
  EXPECT_EQ(item->generation, 0U);
  EXPECT_EQ(slab.Find(item->slot, 0), item);
}

TEST(Slab, ObjectsNeverMoveAndKeepTheirSlotWhenItGrows) {
  Slab<Item> slab(1000);
  std::vector<Item*> items;
  for (int i = 0; i < 1000; ++i) {
    items.push_back(slab.Take());
    items.back()->value = i;
  }
  for (int i = 0; i < 1000; ++i) {
    Item* item = items[static_cast<size_t>(i)];
    EXPECT_EQ(item->value, i);
    EXPECT_EQ(slab.At(item->slot), item);
  }
}

TEST(Slab, VisitsLiveObjectsOnly) {
  Slab<Item> slab(200);
  std::vector<Item*> items;
  for (int i = 0; i < 130; ++i) items.push_back(slab.Take());
  for (size_t i = 0; i < items.size(); i += 2) slab.Give(items[i]);
  std::set<Item*> seen;
  slab.ForEachLive([&](Item& item) { seen.insert(&item); });
  EXPECT_EQ(seen.size(), 65U);
  for (size_t i = 1; i < items.size(); i += 2) EXPECT_TRUE(seen.contains(items[i]));
}

}  // namespace
}  // namespace portcullis::io
