// Every move that the state table allows is made by some test of this binary: what is not, nobody
// has seen work.
#include <gtest/gtest.h>

#include "core/connection/state.h"
#include "tests/core/worker/worker_rig.h"

namespace portcullis::worker {
namespace {

using connection::State;

class EveryMoveIsMade final : public ::testing::Environment {
 public:
  void TearDown() override {
    const ::testing::UnitTest& run = *::testing::UnitTest::GetInstance();
    // A part of the tests makes a part of the moves, and one that failed may have stopped short.
    if (run.test_to_run_count() != run.total_test_count() || run.Failed()) return;
    for (int from = 0; from < connection::kNumStates; ++from) {
      for (int to = 0; to < connection::kNumStates; ++to)
        Check(static_cast<State>(from), static_cast<State>(to));
    }
  }

 private:
  static void Check(State from, State to) {
    if (!connection::Legal(from, to)) return;
    EXPECT_TRUE(WorkerRig::moves().Has(from, to))
        << connection::Name(from) << " -> " << connection::Name(to);
  }
};

const ::testing::Environment* const kEveryMove =
    ::testing::AddGlobalTestEnvironment(new EveryMoveIsMade);

}  // namespace
}  // namespace portcullis::worker
