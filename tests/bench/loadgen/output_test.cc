#include "bench/loadgen/output.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace portcullis::bench {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Output : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "/output_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string Path(const char* name) const { return folder_ / name; }
  static std::string Read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  // How many files lie in the folder.
  [[nodiscard]] long Files() const {
    return std::distance(fs::directory_iterator(folder_), fs::directory_iterator());
  }

  fs::path folder_;
};

TEST_F(Output, AFileIsReplacedWhole) {
  std::ofstream(Path("a")) << "what was longer before";
  const int before = open(Path("a").c_str(), O_RDONLY);
  ASSERT_TRUE(WriteFile(Path("a"), "new").ok());
  EXPECT_EQ(Read(Path("a")), "new");
  char first = 0;
  EXPECT_EQ(read(before, &first, 1), 1);
  EXPECT_EQ(first, 'w') << "who reads the old one still has it";
  close(before);
  EXPECT_EQ(Files(), 1);
}

TEST_F(Output, ASecretIsItsOwnersOnly) {
  ASSERT_TRUE(WriteFile(Path("a"), "open").ok());
  ASSERT_TRUE(WriteFile(Path("a"), "secret", /*secret=*/true).ok());
  EXPECT_EQ(fs::status(Path("a")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(Output, ASymlinkStaysAndItsTargetIsWritten) {
  fs::create_directory(Path("sub"));
  std::ofstream(Path("sub/target")) << "old";
  fs::create_symlink("sub/target", Path("link"));
  fs::create_symlink("sub/absent", Path("dangling"));
  ASSERT_TRUE(WriteFile(Path("link"), "new").ok());
  EXPECT_TRUE(fs::is_symlink(Path("link")));
  EXPECT_EQ(Read(Path("sub/target")), "new");
  ASSERT_TRUE(WriteFile(Path("dangling"), "new").ok());
  EXPECT_TRUE(fs::is_symlink(Path("dangling")));
  EXPECT_EQ(Read(Path("sub/absent")), "new");
}

TEST_F(Output, SymlinksInACircleAreAnError) {
  fs::create_symlink("b", Path("a"));
  fs::create_symlink("a", Path("b"));
  EXPECT_FALSE(WriteFile(Path("a"), "x").ok());
  EXPECT_FALSE(CheckWritable(Path("a")).ok());
}

TEST_F(Output, AFifoIsWrittenToAndStays) {
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);
  EXPECT_THAT(std::string(WriteFile(Path("fifo"), "x").message()), HasSubstr("nobody reads"));
  const int reader = open(Path("fifo").c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_TRUE(CheckWritable(Path("fifo")).ok());
  ASSERT_TRUE(WriteFile(Path("fifo"), "news").ok());
  char got[8] = "";
  EXPECT_EQ(read(reader, got, sizeof got), 4);
  EXPECT_STREQ(got, "news");
  close(reader);
  EXPECT_TRUE(fs::is_fifo(Path("fifo")));
}

TEST_F(Output, ADeviceIsWrittenToAndStays) {
  fs::create_symlink("/dev/full", Path("full"));
  EXPECT_TRUE(CheckWritable(Path("full")).ok());
  EXPECT_THAT(std::string(WriteFile(Path("full"), "x").message()), HasSubstr("No space left"));
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(Output, ADescriptorIsWrittenToWhereItStands) {
  const int fd = open(Path("a").c_str(), O_WRONLY | O_CREAT, 0600);
  ASSERT_EQ(write(fd, "before ", 7), 7);
  ASSERT_TRUE(WriteFile("/dev/fd/" + std::to_string(fd), "after").ok());
  close(fd);
  EXPECT_EQ(Read(Path("a")), "before after");
  EXPECT_FALSE(CheckWritable("/dev/fd/" + std::to_string(fd)).ok()) << "closed";
}

TEST_F(Output, StandardOutputHasSeveralNames) {
  for (const char* name : {"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"})
    EXPECT_TRUE(IsStdout(name)) << name;
  for (const char* name : {"", "./-", "/dev/stderr", "/dev/fd/10", "/dev/null"})
    EXPECT_FALSE(IsStdout(name)) << name;
}

TEST_F(Output, WhatCannotBeWrittenIsToldBeforehandAndLeavesNothing) {
  fs::create_directory(Path("sub"));
  std::ofstream(Path("file"));
  for (const char* name : {"absent/a", "sub", "file/a"}) {
    EXPECT_THAT(std::string(CheckWritable(Path(name)).message()),
                HasSubstr("cannot write " + Path(name)));
    EXPECT_FALSE(WriteFile(Path(name), "x").ok());
  }
  EXPECT_EQ(Files(), 2);
}

TEST_F(Output, TheCheckTouchesNothing) {
  std::ofstream(Path("a")) << "kept";
  EXPECT_TRUE(CheckWritable(Path("a")).ok());
  EXPECT_TRUE(CheckWritable(Path("b")).ok());
  EXPECT_EQ(Read(Path("a")), "kept");
  EXPECT_EQ(Files(), 1);
}

}  // namespace
}  // namespace portcullis::bench
