#include "metrics/name_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace portcullis::metrics {
namespace {

TEST(NameTable, IdsAreDenseAndStayWithTheirNames) {
  NameTable table("listener", 3);
  EXPECT_EQ(*table.IdOf("edge"), 0u);
  EXPECT_EQ(*table.IdOf("inner"), 1u);
  EXPECT_EQ(*table.IdOf("edge"), 0u);
  EXPECT_EQ(*table.IdOf("third"), 2u);
  EXPECT_THAT(table.Names(), testing::ElementsAre("edge", "inner", "third"));
}

TEST(NameTable, RefusesOneNameTooManyAndSaysWhatToDo) {
  NameTable table("listener", 1);
  EXPECT_EQ(*table.IdOf("edge"), 0u);
  const absl::Status full = table.IdOf("inner").status();
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(full.message()),
              testing::AllOf(testing::HasSubstr("\"inner\""), testing::HasSubstr("restart")));
  EXPECT_EQ(*table.IdOf("edge"), 0u) << "names already known still work";
}

}  // namespace
}  // namespace portcullis::metrics
