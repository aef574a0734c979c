#include "core/connection/state.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace portcullis::connection {
namespace {

constexpr std::array<State, kNumStates> kAll = {
    State::kFree, State::kHandshake, State::kDialing, State::kRelay,
    State::kHttp, State::kLingering, State::kClosing};

// The table once more, as the prose of the design says it: every pair that may follow, and no
// other.
const std::set<std::pair<State, State>> kExpected = {
    {State::kFree, State::kHandshake},    {State::kHandshake, State::kDialing},
    {State::kHandshake, State::kHttp},    {State::kHandshake, State::kLingering},
    {State::kHandshake, State::kClosing}, {State::kDialing, State::kRelay},
    {State::kDialing, State::kLingering}, {State::kDialing, State::kClosing},
    {State::kRelay, State::kLingering},   {State::kRelay, State::kClosing},
    {State::kHttp, State::kRelay},        {State::kHttp, State::kLingering},
    {State::kHttp, State::kClosing},      {State::kLingering, State::kClosing},
    {State::kClosing, State::kFree},
};

TEST(StateTable, AllowsExactlyTheDeclaredMoves) {
  for (const State from : kAll) {
    for (const State to : kAll) {
      EXPECT_EQ(Legal(from, to), kExpected.contains({from, to}))
          << Name(from) << " -> " << Name(to);
    }
  }
}

TEST(StateTable, EveryStateIsReachedFromFreeAndReturnsToIt) {
  const auto reachable = [](State start) {
    std::set<State> seen;
    std::vector<State> open = {start};
    while (!open.empty()) {
      const State from = open.back();
      open.pop_back();
      for (const State to : kAll) {
        if (Legal(from, to) && seen.insert(to).second) open.push_back(to);
      }
    }
    return seen;
  };
  EXPECT_EQ(reachable(State::kFree).size(), kAll.size());
  for (const State state : kAll)
    EXPECT_TRUE(reachable(state).contains(State::kFree)) << Name(state);
}

TEST(StateTable, NothingLeavesTheSlabWithoutClosingFirst) {
  for (const State from : kAll)
    EXPECT_EQ(Legal(from, State::kFree), from == State::kClosing) << Name(from);
}

TEST(StateTable, EveryLiveStateMayClose) {
  for (const State from : kAll) {
    if (from == State::kFree || from == State::kClosing) continue;
    EXPECT_TRUE(Legal(from, State::kClosing)) << Name(from);
  }
}

TEST(MoveSet, HasWhatWasAddedAndNothingElse) {
  MoveSet moves;
  for (const auto& [from, to] : kExpected) {
    EXPECT_FALSE(moves.Has(from, to));
    moves.Add(from, to);
  }
  for (const State from : kAll) {
    for (const State to : kAll) EXPECT_EQ(moves.Has(from, to), kExpected.contains({from, to}));
  }
}

TEST(StateNames, AreDistinct) {
  std::set<std::string_view> names;
  for (const State state : kAll) names.insert(Name(state));
  EXPECT_EQ(names.size(), kAll.size());
  EXPECT_FALSE(names.contains("unknown"));
}

TEST(CloseCauseNames, AreDistinct) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(CloseCause::kInternal); ++i) {
    EXPECT_TRUE(names.insert(Name(static_cast<CloseCause>(i))).second) << i;
  }
  EXPECT_FALSE(names.contains("unknown"));
}

}  // namespace
}  // namespace portcullis::connection
