#include "core/server/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <string>

namespace portcullis::server {
namespace {

using ::testing::HasSubstr;

class FilesTest : public ::testing::Test {
 protected:
  FilesTest() {
    std::string pattern = ::testing::TempDir() + "/files_test.XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  std::string folder_;
};

TEST_F(FilesTest, WhatWasWrittenIsReadBack) {
  const std::string path = folder_ + "/file";
  const std::string content("some\0bytes\n", 11);
  ASSERT_TRUE(WriteWholeFile(path, content).ok());
  const auto read = ReadWholeFile(path, {});
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, content);
  ASSERT_TRUE(WriteWholeFile(path, "new").ok());
  EXPECT_EQ(*ReadWholeFile(path, {}), "new");
}

TEST_F(FilesTest, AMissingFileIsNamedWithThePlaceThatAskedForIt) {
  const auto read = ReadWholeFile(folder_ + "/missing", {.file = "p.yaml", .line = 3, .column = 9});
  ASSERT_FALSE(read.ok());
  EXPECT_THAT(std::string(read.status().message()), HasSubstr("p.yaml:3:9: cannot read"));
  EXPECT_THAT(std::string(read.status().message()), HasSubstr("/missing"));
}

TEST_F(FilesTest, AFolderIsNoFile) { EXPECT_FALSE(ReadWholeFile(folder_, {}).ok()); }

TEST_F(FilesTest, WritingWhereNothingCanBeWrittenLeavesNothingBehind) {
  EXPECT_FALSE(WriteWholeFile(folder_ + "/no/such/folder", "x").ok());
  struct stat info{};
  EXPECT_NE(stat((folder_ + "/no").c_str(), &info), 0);
}

TEST(Place, IsEmptyForNowhere) {
  EXPECT_EQ(Place({}), "");
  EXPECT_EQ(Place({.file = "a.yaml", .line = 1, .column = 2}), "a.yaml:1:2: ");
}

}  // namespace
}  // namespace portcullis::server
