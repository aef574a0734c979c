#include "core/server/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

namespace portcullis::server {
namespace {

using ::testing::ElementsAre;
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

constexpr std::string_view kSuffixes[] = {".pem", ".crt"};

TEST_F(FilesTest, AFileStandsForItselfEvenWhereItIsMissing) {
  EXPECT_THAT(*FilesOf(folder_ + "/x", kSuffixes, {}), ElementsAre(folder_ + "/x"));
}

TEST_F(FilesTest, AFolderGivesItsFilesOfTheRightKindSorted) {
  for (const char* name : {"b.crt", "a.pem", ".hidden.pem", "c.key", "pem", ".pem"}) {
    ASSERT_TRUE(WriteWholeFile(folder_ + "/" + name, "x").ok());
  }
  std::filesystem::create_directory(folder_ + "/folder.pem");
  EXPECT_THAT(*FilesOf(folder_, kSuffixes, {}),
              ElementsAre(folder_ + "/a.pem", folder_ + "/b.crt"));
}

TEST_F(FilesTest, AKubernetesMountGivesEachFileOnce) {
  std::filesystem::create_directory(folder_ + "/..2026_11_01");
  ASSERT_TRUE(WriteWholeFile(folder_ + "/..2026_11_01/ca.crt", "x").ok());
  std::filesystem::create_directory_symlink("..2026_11_01", folder_ + "/..data");
  std::filesystem::create_symlink("..data/ca.crt", folder_ + "/ca.crt");
  EXPECT_THAT(*FilesOf(folder_, kSuffixes, {}), ElementsAre(folder_ + "/ca.crt"));
}

TEST_F(FilesTest, ALinkToNothingIsNotPassedOver) {
  std::filesystem::create_symlink("gone", folder_ + "/ca.crt");
  const auto files = FilesOf(folder_, kSuffixes, {});
  ASSERT_THAT(*files, ElementsAre(folder_ + "/ca.crt"));
  EXPECT_FALSE(ReadWholeFile(files->front(), {}).ok());
}

TEST_F(FilesTest, AFolderWithoutAnyIsAnError) {
  const auto files = FilesOf(folder_, kSuffixes, {.file = "p.yaml", .line = 3, .column = 9});
  EXPECT_EQ(files.status().message(),
            "p.yaml:3:9: folder '" + folder_ + "' has no file *.pem, *.crt");
}

TEST_F(FilesTest, WhoMayReadAFileIsTold) {
  const std::string path = folder_ + "/secret";
  ASSERT_TRUE(WriteWholeFile(path, "x").ok());
  ASSERT_EQ(chmod(path.c_str(), 0600), 0);
  EXPECT_FALSE(ReadableByOthers(path));
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);
  EXPECT_TRUE(ReadableByOthers(path));
  ASSERT_EQ(chmod(path.c_str(), 0604), 0);
  EXPECT_TRUE(ReadableByOthers(path));
}

TEST(Place, IsEmptyForNowhere) {
  EXPECT_EQ(Place({}), "");
  EXPECT_EQ(Place({.file = "a.yaml", .line = 1, .column = 2}), "a.yaml:1:2: ");
}

}  // namespace
}  // namespace portcullis::server
