#include "io/timer_wheel.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <vector>

namespace portcullis::io {
namespace {

constexpr Millis kTick = TimerWheel::kTickMs;
constexpr Millis kRevolution = TimerWheel::kSlots * kTick;

std::vector<TimerNode*> Expired(TimerWheel& wheel, Millis now_ms) {
  std::vector<TimerNode*> expired;
  wheel.Advance(now_ms, [&](TimerNode& node) { expired.push_back(&node); });
  return expired;
}

TEST(TimerWheel, FiresAtTheDeadlineOrUpToOneTickLaterNeverEarlier) {
  for (Millis deadline = 1000; deadline < 1000 + 2 * kTick; ++deadline) {
    TimerWheel wheel(995);
    TimerNode node;
    wheel.Arm(node, deadline);
    Millis fired = 0;
    for (Millis now = 995; fired == 0 && now < 1100; ++now) {
      if (!Expired(wheel, now).empty()) fired = now;
    }
    EXPECT_GE(fired, deadline);
    EXPECT_LE(fired, deadline + kTick);
    EXPECT_FALSE(wheel.armed(node));
  }
}

TEST(TimerWheel, ADeadlineInThePastFiresAtTheNextTick) {
  TimerWheel wheel(10000);
  TimerNode node;
  wheel.Arm(node, 5);
  EXPECT_LE(wheel.NextDelay(10000, 1000), kTick);
  EXPECT_EQ(Expired(wheel, 10000 + kTick).size(), 1U);
}

TEST(TimerWheel, DeadlinesBeyondARevolutionWaitForTheirRound) {
  TimerWheel wheel(0);
  TimerNode near;
  TimerNode far;
  wheel.Arm(near, 80);
  wheel.Arm(far, 80 + 3 * kRevolution);
  for (Millis now = 0; now < 80 + 3 * kRevolution; now += kTick) {
    for (const TimerNode* node : Expired(wheel, now)) EXPECT_EQ(node, &near);
  }
  EXPECT_EQ(Expired(wheel, 80 + 3 * kRevolution), std::vector<TimerNode*>{&far});
}

TEST(TimerWheel, MovingLaterOnlyOverwritesAndTheOldSlotDoesNotFire) {
  TimerWheel wheel(0);
  TimerNode node;
  wheel.Arm(node, 100);
  const ListNode* neighbour = node.prev;
  wheel.Arm(node, 500);
  EXPECT_EQ(node.prev, neighbour) << "lazy: still in its slot";
  EXPECT_TRUE(Expired(wheel, 400).empty());
  EXPECT_EQ(Expired(wheel, 504).size(), 1U);
}

TEST(TimerWheel, MovingEarlierFiresEarlier) {
  TimerWheel wheel(0);
  TimerNode node;
  wheel.Arm(node, 5000);
  wheel.Arm(node, 50);
  EXPECT_EQ(wheel.size(), 1U);
  EXPECT_EQ(Expired(wheel, 56).size(), 1U);
  EXPECT_EQ(wheel.size(), 0U);
}

TEST(TimerWheel, ACancelledTimerDoesNotFire) {
  TimerWheel wheel(0);
  TimerNode node;
  wheel.Arm(node, 50);
  wheel.Cancel(node);
  wheel.Cancel(node);
  EXPECT_EQ(wheel.size(), 0U);
  EXPECT_TRUE(Expired(wheel, 1000).empty());
  EXPECT_EQ(wheel.NextDelay(1000, 250), 250U);
}

TEST(TimerWheel, CallbacksMayArmCancelAndFreeAnyNode) {
  TimerWheel wheel(0);
  auto first = std::make_unique<TimerNode>();
  TimerNode cancelled;
  TimerNode postponed;
  TimerNode rearming;
  for (TimerNode* node : {first.get(), &cancelled, &postponed, &rearming}) wheel.Arm(*node, 80);
  int fired_first = 0;
  int fired_rearming = 0;
  const auto on_expired = [&](TimerNode& node) {
    EXPECT_NE(&node, &cancelled);
    EXPECT_NE(&node, &postponed);
    if (&node == &rearming) {
      ++fired_rearming;
      wheel.Arm(rearming, 80);  // overdue: must not fire again in this very round
    } else {
      ++fired_first;
      first.reset();
      wheel.Cancel(cancelled);
      wheel.Arm(postponed, 400);
    }
  };
  wheel.Advance(88, on_expired);
  EXPECT_EQ(fired_first, 1);
  EXPECT_EQ(fired_rearming, 1);
  EXPECT_EQ(wheel.size(), 2U);
  wheel.Cancel(rearming);
  EXPECT_TRUE(Expired(wheel, 392).empty());
  EXPECT_EQ(Expired(wheel, 400), std::vector<TimerNode*>{&postponed});
}

TEST(TimerWheel, NextDelayEndsAtTheNextTimerAndIsCapped) {
  TimerWheel wheel(1000);
  EXPECT_EQ(wheel.NextDelay(1000, 77), 77U);
  TimerNode node;
  wheel.Arm(node, 1200);
  const Millis delay = wheel.NextDelay(1000, 5000);
  EXPECT_GE(delay, 200U);
  EXPECT_LE(delay, 200 + kTick);
  EXPECT_EQ(wheel.NextDelay(1000, 30), 30U);
  EXPECT_EQ(wheel.NextDelay(3000, 5000), 0U) << "overdue";
}

TEST(TimerWheel, AJumpOfManyRevolutionsFiresEverything) {
  TimerWheel wheel(0);
  std::vector<TimerNode> nodes(500);
  for (size_t i = 0; i < nodes.size(); ++i) wheel.Arm(nodes[i], i * 97);
  EXPECT_EQ(Expired(wheel, 100 * kRevolution).size(), nodes.size());
  EXPECT_EQ(wheel.size(), 0U);
}

// Against a plain map of deadlines: same timers, same moments, waking only when NextDelay says so.
TEST(TimerWheel, AgreesWithAModel) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    Millis now = random() % 100000;
    TimerWheel wheel(now);
    std::vector<TimerNode> nodes(50);
    std::map<TimerNode*, Millis> model;
    for (int step = 0; step < 3000; ++step) {
      TimerNode& node = nodes[random() % nodes.size()];
      switch (random() % 4) {
        case 0:
          wheel.Cancel(node);
          model.erase(&node);
          break;
        case 1:
        case 2: {
          const Millis ahead = random() % (random() % 8 == 0 ? 3 * kRevolution : 500);
          wheel.Arm(node, now + ahead);
          model[&node] = now + ahead;
          break;
        }
        default: {
          Millis earliest = ~Millis{0};
          for (const auto& [timer, deadline] : model) earliest = std::min(earliest, deadline);
          const Millis delay = wheel.NextDelay(now, 400);
          if (!model.empty()) {
            ASSERT_LE(now + delay, std::max(earliest, now) + kTick + 1) << "would oversleep";
          }
          now += random() % 3 == 0 ? random() % 100 : delay;
          wheel.Advance(now, [&](TimerNode& fired) {
            const auto found = model.find(&fired);
            ASSERT_NE(found, model.end());
            ASSERT_LE(found->second, now) << "early";
            model.erase(found);
          });
          for (const auto& [timer, deadline] : model)
            ASSERT_GT(deadline + 2 * kTick, now) << "late";
        }
      }
      ASSERT_EQ(wheel.size(), model.size());
    }
    for (TimerNode& node : nodes) wheel.Cancel(node);
  }
}

}  // namespace
}  // namespace portcullis::io
