#include "core/log/log_sink.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

namespace portcullis::log {
namespace {

int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class LogSinkTest : public testing::Test {
 protected:
  LogSinkTest() {
    std::filesystem::create_directories(dir_);
    signal(SIGPIPE, SIG_IGN);
  }
  ~LogSinkTest() override {
    std::filesystem::remove_all(dir_);
    close(wake_fd_);
  }

  const std::string dir_ = testing::TempDir() + "/log_sink_" + std::to_string(getpid());
  const int wake_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  std::atomic<int64_t> deadline_ns_{0};
  const LogSink::Patience patience_{wake_fd_, deadline_ns_};
};

TEST_F(LogSinkTest, AppendsToAFileWhichOthersCannotRead) {
  const std::string path = dir_ + "/connections.log";
  std::ofstream(path) << "before\n";
  std::filesystem::remove(path + "2");
  LogSink sink = *LogSink::Open(path);
  EXPECT_TRUE(sink.enabled());
  EXPECT_EQ(sink.Write("one\n", patience_), 4u);
  EXPECT_EQ(ReadFile(path), "before\none\n");
  const LogSink fresh = *LogSink::Open(path + "2");
  struct stat status = {};
  ASSERT_EQ(stat((path + "2").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0007, 0u) << "lines hold who connected";
}

TEST_F(LogSinkTest, ALineMayComeInTwoPieces) {
  const std::string path = dir_ + "/connections.log";
  LogSink sink = *LogSink::Open(path);
  EXPECT_EQ(sink.Write("one\ntw", patience_), 6u);
  EXPECT_EQ(sink.Write("o\nthree\n", patience_), 8u);
  EXPECT_EQ(ReadFile(path), "one\ntwo\nthree\n");
}

TEST_F(LogSinkTest, OffTakesEverythingAndDoesNothing) {
  LogSink sink = *LogSink::Open("off");
  EXPECT_FALSE(sink.enabled());
  EXPECT_EQ(sink.Write("one\n", patience_), 4u);
  EXPECT_EQ(*sink.OpenAgain(""), -1);
}

TEST_F(LogSinkTest, SaysWhichFileItCannotOpen) {
  const auto missing = LogSink::Open(dir_ + "/no/such/file");
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.status().message()), testing::HasSubstr(dir_ + "/no/such/file"));
  EXPECT_FALSE(LogSink::Open("").ok());
}

TEST_F(LogSinkTest, ANamedPipeWithoutReaderIsAnErrorNotAWait) {
  const std::string path = dir_ + "/fifo";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_FALSE(LogSink::Open(path).ok());
}

TEST_F(LogSinkTest, GoesOnInTheNewFileAfterARotation) {
  const std::string path = dir_ + "/connections.log";
  LogSink sink = *LogSink::Open(path);
  EXPECT_EQ(sink.Write("old\n", patience_), 4u);
  std::filesystem::rename(path, path + ".1");
  const int fd = *sink.OpenAgain("");
  EXPECT_EQ(sink.Write("still old\n", patience_), 10u);
  sink.Replace(fd);
  EXPECT_EQ(sink.Write("new\n", patience_), 4u);
  EXPECT_EQ(ReadFile(path + ".1"), "old\nstill old\n");
  EXPECT_EQ(ReadFile(path), "new\n");
}

// A pipe behind a named pipe: the sink opens it by name, we hold the reading end.
class PipeSinkTest : public LogSinkTest {
 protected:
  PipeSinkTest() {
    EXPECT_EQ(mkfifo(path_.c_str(), 0600), 0);
    reader_ = open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    EXPECT_EQ(fcntl(reader_, F_SETPIPE_SZ, 4096), 4096);
    fcntl(reader_, F_SETFL, 0);
  }
  ~PipeSinkTest() override {
    if (reader_ >= 0) close(reader_);
  }

  std::string ReadBytes(size_t wanted) const {
    std::string text(wanted, '\0');
    size_t done = 0;
    while (done < wanted) {
      const ssize_t n = read(reader_, text.data() + done, wanted - done);
      if (n <= 0) break;
      done += static_cast<size_t>(n);
    }
    text.resize(done);
    return text;
  }

  const std::string path_ = dir_ + "/pipe";
  int reader_ = -1;
};

TEST_F(PipeSinkTest, WritesThroughAPipeMuchSmallerThanTheChunk) {
  std::string chunk;
  while (chunk.size() < 200'000) chunk += "line " + std::to_string(chunk.size()) + "\n";
  LogSink sink = *LogSink::Open(path_);
  size_t written = 0;
  std::thread writer([&] { written = sink.Write(chunk, patience_); });
  EXPECT_EQ(ReadBytes(chunk.size()), chunk);
  writer.join();
  EXPECT_EQ(written, chunk.size());
}

TEST_F(PipeSinkTest, GivesUpOnABlockedPipeAtTheDeadlineThatAnotherThreadSets) {
  const std::string chunk(100'000, 'x');
  LogSink sink = *LogSink::Open(path_);
  size_t written = chunk.size();
  std::thread writer([&] { written = sink.Write(chunk, patience_); });
  // Some of it has got there, and so the writer is at work and soon blocked.
  EXPECT_EQ(ReadBytes(1), "x");
  deadline_ns_ = NowNs() + 50'000'000;
  eventfd_write(wake_fd_, 1);
  writer.join();
  EXPECT_GE(NowNs(), deadline_ns_.load());
  EXPECT_LT(written, chunk.size());
  EXPECT_GT(written, 0u);
}

TEST_F(PipeSinkTest, StartsOnANewLineAfterOneItCouldNotFinish) {
  LogSink sink = *LogSink::Open(path_);
  const std::string blocked(100'000, 'x');
  deadline_ns_ = NowNs();
  const size_t written = sink.Write(blocked, patience_);
  ASSERT_EQ(ReadBytes(written), blocked.substr(0, written));
  deadline_ns_ = 0;
  EXPECT_EQ(sink.Write("next\n", patience_), 5u);
  EXPECT_EQ(ReadBytes(6), "\nnext\n");
  EXPECT_EQ(sink.Write("last\n", patience_), 5u);
  EXPECT_EQ(ReadBytes(5), "last\n");
}

TEST_F(PipeSinkTest, AReaderThatWentAwayIsAnErrorAndNotASignal) {
  LogSink sink = *LogSink::Open(path_);
  close(reader_);
  reader_ = -1;
  EXPECT_EQ(sink.Write("one\n", patience_), 0u);
}

TEST_F(LogSinkTest, AFullDiskLosesTheChunkAndNothingElse) {
  LogSink sink = *LogSink::Open("/dev/full");
  EXPECT_EQ(sink.Write("one\n", patience_), 0u);
}

// Standard output may be a pipe or a socket that other processes write to: it must not become
// non-blocking for them.
TEST_F(PipeSinkTest, StandardOutputIsWrittenWithoutChangingItForOthers) {
  const int shared = open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  const int saved = dup(STDOUT_FILENO);
  ASSERT_EQ(dup2(shared, STDOUT_FILENO), STDOUT_FILENO);
  {
    LogSink sink = *LogSink::Open("stdout");
    EXPECT_EQ(sink.Write("line\n", patience_), 5u);
    deadline_ns_ = NowNs();
    EXPECT_LT(sink.Write(std::string(100'000, 'x'), patience_), 100'000u)
        << "a full pipe does not block us";
    EXPECT_EQ(*sink.OpenAgain(""), -1) << "there is nothing to rotate";
  }
  EXPECT_EQ(fcntl(STDOUT_FILENO, F_GETFL) & O_NONBLOCK, 0);
  ASSERT_EQ(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
  close(saved);
  close(shared);
  EXPECT_EQ(ReadBytes(5), "line\n");
}

TEST_F(LogSinkTest, AStandardErrorThatIsASocketIsWrittenWithoutBlocking) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const int saved = dup(STDERR_FILENO);
  ASSERT_EQ(dup2(ends[0], STDERR_FILENO), STDERR_FILENO);
  LogSink sink = *LogSink::Open("stderr");
  const std::string chunk(50'000, 'y');
  const size_t small = sink.Write("line\n", patience_);
  deadline_ns_ = NowNs();
  size_t total = small;
  for (size_t written = chunk.size(); written == chunk.size(); total += written) {
    written = sink.Write(chunk, patience_);
  }
  ASSERT_EQ(dup2(saved, STDERR_FILENO), STDERR_FILENO);
  close(saved);
  close(ends[0]);
  EXPECT_EQ(small, 5u);
  std::array<char, 4096> buffer;
  size_t received = 0;
  for (ssize_t n = 0; (n = read(ends[1], buffer.data(), buffer.size())) > 0;) {
    received += static_cast<size_t>(n);
  }
  EXPECT_GE(received, total);
  close(ends[1]);
}

}  // namespace
}  // namespace portcullis::log
