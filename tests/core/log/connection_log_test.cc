#include "core/log/connection_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

namespace portcullis::log {
namespace {

using nlohmann::json;
using std::chrono::steady_clock;

ConnectionRecord Numbered(uint32_t worker, uint64_t number) {
  ConnectionRecord record;
  record.worker = worker;
  record.requests = number;
  return record;
}

std::vector<json> ReadLines(const std::string& path) {
  std::vector<json> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
  return lines;
}

class ConnectionLogTest : public testing::Test {
 protected:
  ConnectionLogTest() { std::filesystem::create_directories(dir_); }
  ~ConnectionLogTest() override { std::filesystem::remove_all(dir_); }

  const std::string dir_ = testing::TempDir() + "/connection_log_" + std::to_string(getpid());
  const std::string path_ = dir_ + "/connections.log";
};

TEST_F(ConnectionLogTest, StopWritesAllThatWasQueued) {
  auto log = *ConnectionLog::Start(path_, 2);
  ASSERT_TRUE(log->ring(0).Write(Numbered(0, 1)));
  ASSERT_TRUE(log->ring(1).Write(Numbered(1, 2)));
  log->Stop();
  log->Stop();  // harmless
  EXPECT_EQ(ReadLines(path_).size(), 2u);
  EXPECT_EQ(log->lines_lost().value(), 0u);
}

TEST_F(ConnectionLogTest, SeveralWorkersAtOnceLoseAndGarbleNothing) {
  constexpr uint32_t kWorkers = 3;
  constexpr uint64_t kTotal = 2'000;
  auto log = *ConnectionLog::Start(path_, kWorkers);
  std::vector<std::thread> workers;
  for (uint32_t w = 0; w < kWorkers; ++w) {
    workers.emplace_back([&log, w] {
      for (uint64_t i = 1; i <= kTotal; ++i) {
        // A full ring is the reader's turn: wait for it, so that none is dropped.
        while (!log->ring(w).Write(Numbered(w, i))) std::this_thread::yield();
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  log->Stop();
  std::map<uint32_t, uint64_t> last;
  for (const json& line : ReadLines(path_)) {
    const uint32_t worker = line["worker"];
    ASSERT_EQ(line["requests"], ++last[worker]) << "in order, a worker";
  }
  for (uint32_t w = 0; w < kWorkers; ++w) EXPECT_EQ(last[w], kTotal);
}

TEST_F(ConnectionLogTest, RotationCutsBetweenLinesAndLosesNone) {
  constexpr uint64_t kTotal = 5'000;
  ConnectionLogOptions options;
  options.ring_bytes = 32 * 1024;
  auto log = *ConnectionLog::Start(path_, 1, options);
  std::atomic<bool> done{false};
  std::thread worker([&] {
    for (uint64_t i = 1; i <= kTotal; ++i) {
      while (!log->ring(0).Write(Numbered(0, i))) std::this_thread::yield();
    }
    done = true;
  });
  std::vector<std::string> files;
  for (int i = 0; i < 5; ++i) {
    // Each file gets some lines first, unless all are written already.
    while (std::filesystem::file_size(path_) == 0 && !done) std::this_thread::yield();
    files.push_back(path_ + "." + std::to_string(i));
    std::filesystem::rename(path_, files.back());
    ASSERT_TRUE(log->Reopen().ok());
  }
  worker.join();
  log->Stop();
  files.push_back(path_);
  uint64_t last = 0;
  for (const std::string& file : files) {
    for (const json& line : ReadLines(file)) ASSERT_EQ(line["requests"], ++last) << file;
  }
  EXPECT_EQ(last, kTotal);
}

TEST_F(ConnectionLogTest, ReopenKeepsTheOldFileWhenTheNewCannotBeMade) {
  const std::string folder = dir_ + "/logs";
  std::filesystem::create_directories(folder);
  auto log = *ConnectionLog::Start(folder + "/a.log", 1);
  std::filesystem::rename(folder, dir_ + "/moved");
  EXPECT_FALSE(log->Reopen().ok());
  ASSERT_TRUE(log->ring(0).Write(Numbered(0, 7)));
  log->Stop();
  EXPECT_EQ(ReadLines(dir_ + "/moved/a.log").size(), 1u);
}

TEST_F(ConnectionLogTest, ReopenGoesOverToAnotherFileAndStaysThere) {
  const std::string other = dir_ + "/other.log";
  auto log = *ConnectionLog::Start(path_, 1);
  ASSERT_TRUE(log->Reopen(other).ok());
  ASSERT_TRUE(log->Reopen().ok());
  ASSERT_TRUE(log->Reopen("off").ok()) << "which is no file to go over to";
  ASSERT_TRUE(log->ring(0).Write(Numbered(0, 7)));
  log->Stop();
  EXPECT_EQ(ReadLines(other).size(), 1u);
  EXPECT_EQ(ReadLines(path_).size(), 0u);
}

TEST_F(ConnectionLogTest, AReopenThatIsNeverTakenLeaksNothing) {
  const auto count_fds = [] {
    const auto fds = std::filesystem::directory_iterator("/proc/self/fd");
    return std::distance(begin(fds), end(fds));
  };
  const auto before = count_fds();
  {
    auto log = *ConnectionLog::Start(path_, 1);
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(log->Reopen().ok());
    log->Stop();
    ASSERT_TRUE(log->Reopen().ok()) << "after Stop nobody takes it";
  }
  EXPECT_EQ(count_fds(), before);
}

TEST_F(ConnectionLogTest, OffCostsNoThreadAndDropsNothing) {
  auto log = *ConnectionLog::Start("off", 1);
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(log->ring(0).Write(Numbered(0, 1)));
  EXPECT_TRUE(log->Reopen().ok());
  log->Stop();
  EXPECT_EQ(log->lines_lost().value(), 0u);
}

TEST_F(ConnectionLogTest, RefusesARingThatCannotHoldALine) {
  ConnectionLogOptions options;
  options.ring_bytes = 1024;
  EXPECT_EQ(ConnectionLog::Start(path_, 1, options).status().code(),
            absl::StatusCode::kInvalidArgument);
  options.ring_bytes = 100'000;
  EXPECT_EQ(ConnectionLog::Start(path_, 1, options).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ConnectionLogTest, SaysWhenTheFileCannotBeOpened) {
  EXPECT_EQ(ConnectionLog::Start(dir_ + "/no/file", 1).status().code(),
            absl::StatusCode::kNotFound);
}

class BlockedPipeTest : public ConnectionLogTest {
 protected:
  BlockedPipeTest() {
    EXPECT_EQ(mkfifo(pipe_.c_str(), 0600), 0);
    reader_ = open(pipe_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    EXPECT_EQ(fcntl(reader_, F_SETPIPE_SZ, 4096), 4096);
    fcntl(reader_, F_SETFL, 0);
    options_.ring_bytes = 16 * 1024;
    options_.stop_timeout = std::chrono::milliseconds(100);
  }
  ~BlockedPipeTest() override { close(reader_); }

  const std::string pipe_ = dir_ + "/pipe";
  int reader_ = -1;
  ConnectionLogOptions options_;
};

TEST_F(BlockedPipeTest, WorkersDropAndCountAndStopIsBounded) {
  auto log = *ConnectionLog::Start(pipe_, 1, options_);
  // Nobody reads: pipe and ring fill, and the worker goes on at full speed.
  uint64_t kept = 0;
  uint64_t dropped = 0;
  while (dropped < 1'000) {
    if (log->ring(0).Write(Numbered(0, 1))) {
      ++kept;
    } else {
      ++dropped;
    }
  }
  EXPECT_EQ(log->ring(0).dropped(), dropped);
  const auto begin = steady_clock::now();
  log->Stop();
  EXPECT_GE(steady_clock::now() - begin, options_.stop_timeout);
  EXPECT_LT(steady_clock::now() - begin, options_.stop_timeout + std::chrono::seconds(5));
  // What is neither in the pipe nor counted as lost would be missing.
  std::string text(1 << 16, '\0');
  fcntl(reader_, F_SETFL, O_NONBLOCK);
  size_t size = 0;
  for (ssize_t n = 0; (n = read(reader_, text.data() + size, text.size() - size)) > 0;) {
    size += static_cast<size_t>(n);
  }
  text.resize(size);
  // A line that was cut is lost, though its beginning is in the pipe, ended by a line feed; one
  // that was cut just there is both.
  uint64_t in_pipe = 0;
  for (size_t at = text.find("}\n"); at != std::string::npos; at = text.find("}\n", at + 1)) {
    ++in_pipe;
  }
  EXPECT_GE(in_pipe + log->lines_lost().value(), kept);
  EXPECT_LE(in_pipe + log->lines_lost().value(), kept + 1);
}

TEST_F(BlockedPipeTest, AReaderThatComesBackGetsWholeLines) {
  auto log = *ConnectionLog::Start(pipe_, 1, options_);
  uint64_t kept = 0;
  while (log->ring(0).Write(Numbered(0, kept + 1))) ++kept;
  std::thread reader([&] {
    std::string text;
    std::array<char, 512> buffer;
    uint64_t lines = 0;
    while (lines < kept) {
      const ssize_t n = read(reader_, buffer.data(), buffer.size());
      ASSERT_GT(n, 0);
      text.append(buffer.data(), static_cast<size_t>(n));
      for (size_t end = 0; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1)) {
        ASSERT_EQ(json::parse(text.substr(0, end))["requests"], ++lines);
      }
    }
  });
  reader.join();
  log->Stop();
  EXPECT_EQ(log->lines_lost().value(), 0u);
}

// Nobody calls Stop or fills the ring: the line comes by itself, from the interval alone.
TEST_F(BlockedPipeTest, ASingleLineArrivesWithoutBeingPushed) {
  auto log = *ConnectionLog::Start(pipe_, 1, options_);
  ASSERT_TRUE(log->ring(0).Write(Numbered(0, 42)));
  std::array<char, 4096> buffer;
  const ssize_t n = read(reader_, buffer.data(), buffer.size());
  ASSERT_GT(n, 0);
  EXPECT_EQ(json::parse(std::string(buffer.data(), static_cast<size_t>(n)))["requests"], 42);
}

// With an interval of an hour, only the half-full ring's wake-up can bring the lines.
TEST_F(BlockedPipeTest, AHalfFullRingWakesTheWriterAtOnce) {
  options_.drain_interval = std::chrono::hours(1);
  auto log = *ConnectionLog::Start(pipe_, 1, options_);
  std::thread worker([&] {
    for (size_t bytes = 0; bytes <= options_.ring_bytes / 2; bytes += 100) {
      ASSERT_TRUE(log->ring(0).Write(Numbered(0, 1)));
    }
  });
  char byte = 0;
  EXPECT_EQ(read(reader_, &byte, 1), 1);
  EXPECT_EQ(byte, '{');
  worker.join();
}

}  // namespace
}  // namespace portcullis::log
