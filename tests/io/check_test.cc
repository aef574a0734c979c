#include "io/check.h"

#include <gtest/gtest.h>

namespace portcullis::io {
namespace {

TEST(Check, PassesWithoutEffect) {
  int evaluated = 0;
  CHECK(++evaluated == 1);
  CHECK(++evaluated == 2, "with a message");
  EXPECT_EQ(evaluated, 2);
}

TEST(CheckDeathTest, FailurePrintsPlaceConditionAndMessage) {
  EXPECT_DEATH(CHECK(1 == 2, "as it must"),
               "check_test.cc:[0-9]+: CHECK failed: 1 == 2 as it must");
  EXPECT_DEATH(CHECK(false), "CHECK failed: false");
}

TEST(CheckDeathTest, DcheckFailsOnlyWhereItIsOn) {
#ifdef PORTCULLIS_DCHECK_ON
  EXPECT_DEATH(DCHECK(false, "on"), "on");
#else
  int evaluated = 0;
  DCHECK(++evaluated == 2, "off");
  EXPECT_EQ(evaluated, 0);
#endif
}

}  // namespace
}  // namespace portcullis::io
