#include "core/server/commands/scratch_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "gtest/gtest.h"

namespace portcullis::server {
namespace {

ScratchFolder MakeFolder() {
  absl::StatusOr<ScratchFolder> folder = ScratchFolder::Create("portcullis-test-");
  EXPECT_TRUE(folder.ok()) << folder.status();
  return *std::move(folder);
}

mode_t ModeOf(const std::string& path) {
  struct stat found{};
  EXPECT_EQ(lstat(path.c_str(), &found), 0) << path;
  return found.st_mode & 07777;
}

std::string Contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(ScratchFolder, IsPrivateAndSoIsAllInIt) {
  const mode_t before = umask(0);
  const ScratchFolder folder = MakeFolder();
  ASSERT_TRUE(folder.Write("key", "secret").ok());
  ASSERT_TRUE(folder.Write("sub/key", "deeper").ok());
  umask(before);
  EXPECT_EQ(ModeOf(folder.path()), 0700u);
  EXPECT_EQ(ModeOf(folder.PathOf("sub")), 0700u);
  EXPECT_EQ(ModeOf(folder.PathOf("key")), 0600u);
  EXPECT_EQ(ModeOf(folder.PathOf("sub/key")), 0600u);
  EXPECT_EQ(Contents(folder.PathOf("key")), "secret");
  EXPECT_EQ(Contents(folder.PathOf("sub/key")), "deeper");
}

TEST(ScratchFolder, NeverOverwritesNorFollows) {
  const ScratchFolder folder = MakeFolder();
  ASSERT_TRUE(folder.Write("a", "first").ok());
  EXPECT_FALSE(folder.Write("a", "second").ok());
  EXPECT_EQ(Contents(folder.PathOf("a")), "first");
  ASSERT_EQ(symlink("elsewhere", folder.PathOf("link").c_str()), 0);
  EXPECT_FALSE(folder.Write("link", "x").ok());
  EXPECT_FALSE(std::filesystem::exists(folder.PathOf("elsewhere")));
}

TEST(ScratchFolder, GoesWithEverythingInIt) {
  std::string path;
  {
    const ScratchFolder folder = MakeFolder();
    path = folder.path();
    ASSERT_TRUE(folder.Write("sub/file", "x").ok());
    ASSERT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(ScratchFolder, MovingHandsTheFolderOver) {
  std::optional<ScratchFolder> first = MakeFolder();
  const std::string first_path = first->path();
  ScratchFolder second = MakeFolder();
  const std::string second_path = second.path();
  second = *std::move(first);
  first.reset();
  EXPECT_FALSE(std::filesystem::exists(second_path));
  EXPECT_TRUE(std::filesystem::exists(first_path));
  const ScratchFolder third(std::move(second));
  EXPECT_EQ(third.path(), first_path);
}

TEST(ScratchFolder, NamesTheFolderItCannotMake) {
  const char* before = getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  setenv("TMPDIR", "/nonexistent", 1);
  const absl::StatusOr<ScratchFolder> folder = ScratchFolder::Create("x");
  before == nullptr ? unsetenv("TMPDIR") : setenv("TMPDIR", kept.c_str(), 1);
  ASSERT_FALSE(folder.ok());
  EXPECT_NE(std::string(folder.status().message()).find("/nonexistent"), std::string::npos);
}

}  // namespace
}  // namespace portcullis::server
