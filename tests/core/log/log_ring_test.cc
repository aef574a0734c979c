#include "core/log/log_ring.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <random>
#include <string>
#include <thread>

#include <nlohmann/json.hpp>

// What this thread has allocated since it started.
static thread_local uint64_t allocations = 0;

[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace portcullis::log {
namespace {

constexpr size_t kSmall = 16 * 1024;

// A record whose line is about `detail_bytes` long, told by its number.
ConnectionRecord Numbered(uint64_t number, std::string_view detail = {}) {
  ConnectionRecord record;
  record.requests = number;
  record.detail = detail;
  return record;
}

std::string TakeAll(LogRing& ring) {
  const LogRing::Pieces pieces = ring.Readable();
  std::string text;
  text.append(pieces.first).append(pieces.second);
  ring.Consume(text.size());
  return text;
}

bool IsReadable(int fd) {
  pollfd p = {.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&p, 1, 0) == 1;
}

TEST(LogRing, GivesBackLinesInOrderAcrossItsEnd) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  const std::string detail(500, 'x');
  LogRing ring(kSmall, -1, Wanted::kAll);
  uint64_t written = 0;
  uint64_t read = 0;
  bool wrapped = false;
  for (int round = 0; round < 500; ++round) {
    for (size_t n = random() % 12; n > 0; --n) {
      const auto length = random() % detail.size();
      ASSERT_TRUE(ring.Write(Numbered(++written, std::string_view(detail).substr(0, length))));
    }
    wrapped = wrapped || !ring.Readable().second.empty();
    const std::string text = TakeAll(ring);
    for (size_t at = 0; at < text.size();) {
      const size_t end = text.find('\n', at);
      ASSERT_NE(end, std::string::npos);
      const auto line = nlohmann::json::parse(text.substr(at, end - at));
      ASSERT_EQ(line["requests"], ++read);
      at = end + 1;
    }
    ASSERT_EQ(read, written);
  }
  EXPECT_TRUE(wrapped) << "the test did not reach what it is about";
  EXPECT_EQ(ring.dropped(), 0u);
}

TEST(LogRing, DropsWholeLinesWhenFullAndGoesOnOnceDrained) {
  LogRing ring(kSmall, -1, Wanted::kAll);
  uint64_t kept = 0;
  while (ring.Write(Numbered(kept + 1))) ++kept;
  EXPECT_GT(kept, 50u);
  EXPECT_FALSE(ring.Write(Numbered(0)));
  EXPECT_EQ(ring.dropped(), 2u);
  const std::string text = TakeAll(ring);
  EXPECT_EQ(static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n')), kept);
  EXPECT_EQ(text.back(), '\n');
  EXPECT_TRUE(ring.Write(Numbered(1)));
  EXPECT_EQ(ring.dropped(), 2u);
}

TEST(LogRing, TellsBeforehandWhatIsNotWorthMaking) {
  LogRing off(kSmall, -1, Wanted::kNone);
  EXPECT_EQ(off.Ask(Event::kRefused), LogRing::Fate::kUnwanted);
  LogRing refusals(kSmall, -1, Wanted::kRefusals);
  EXPECT_EQ(refusals.Ask(Event::kConnection), LogRing::Fate::kUnwanted);
  EXPECT_EQ(refusals.Ask(Event::kRefused), LogRing::Fate::kWritten);

  LogRing ring(kSmall, -1, Wanted::kAll);
  do {
    ASSERT_EQ(ring.Ask(Event::kConnection), LogRing::Fate::kWritten);
  } while (ring.Write(Numbered(1)));
  EXPECT_EQ(ring.Ask(Event::kConnection), LogRing::Fate::kNoRoom);
  EXPECT_EQ(ring.dropped(), 2U) << "one written in vain, one not even made";
  TakeAll(ring);
  EXPECT_EQ(ring.Ask(Event::kConnection), LogRing::Fate::kWritten);
  EXPECT_TRUE(ring.Write(Numbered(1)));
  EXPECT_EQ(ring.dropped(), 2U);
}

TEST(LogRing, WakesTheWriterOnceWhenHalfFull) {
  const int wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  LogRing ring(kSmall, wake_fd, Wanted::kAll);
  for (int round = 0; round < 3; ++round) {
    while (ring.Readable().size() <= kSmall / 2) {
      ASSERT_FALSE(IsReadable(wake_fd));
      ASSERT_TRUE(ring.Write(Numbered(1)));
    }
    eventfd_t count = 0;
    ASSERT_EQ(eventfd_read(wake_fd, &count), 0);
    EXPECT_EQ(count, 1u);
    ASSERT_TRUE(ring.Write(Numbered(1)));
    EXPECT_FALSE(IsReadable(wake_fd)) << "one system call a crossing, not a line";
    TakeAll(ring);
  }
  close(wake_fd);
}

TEST(LogRing, ARingForRefusalsTakesNothingElse) {
  LogRing ring(kSmall, -1, Wanted::kRefusals);
  ConnectionRecord record;
  EXPECT_TRUE(ring.Write(record));
  EXPECT_EQ(ring.Readable().size(), 0U);
  record.event = Event::kRefused;
  record.reason = "expired";
  EXPECT_TRUE(ring.Write(record));
  EXPECT_NE(TakeAll(ring).find("expired"), std::string::npos);
}

TEST(LogRing, ADisabledRingTakesEverythingAndKeepsNothing) {
  LogRing ring(kSmall, -1, Wanted::kNone);
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(ring.Write(Numbered(1)));
  EXPECT_EQ(ring.dropped(), 0u);
}

TEST(LogRing, WritingAllocatesNothing) {
  LogRing ring(kSmall, -1, Wanted::kAll);
  const std::string detail(10'000, '\n');
  const uint64_t before = allocations;
  while (ring.Write(Numbered(1, detail))) {
  }
  EXPECT_EQ(allocations, before);
}

// The ring is small against what passes through it, so that both ends keep meeting.
TEST(LogRing, OneThreadWritesWhileAnotherReads) {
  constexpr uint64_t kTotal = 5'000;
  LogRing ring(kSmall, -1, Wanted::kAll);
  std::atomic<bool> done{false};
  std::thread worker([&] {
    for (uint64_t i = 1; i <= kTotal; ++i) {
      const bool kept = ring.Write(Numbered(i));
      if (!kept) std::this_thread::yield();
    }
    done = true;
  });
  uint64_t lines = 0;
  uint64_t last = 0;
  for (bool more = true; more;) {
    more = !done;  // before the drain, which then sees all that was written
    const std::string text = TakeAll(ring);
    if (text.empty()) std::this_thread::yield();
    for (size_t at = 0; at < text.size();) {
      const size_t end = text.find('\n', at);
      ASSERT_NE(end, std::string::npos);
      const uint64_t number = nlohmann::json::parse(text.substr(at, end - at))["requests"];
      ASSERT_GT(number, last);
      last = number;
      ++lines;
      at = end + 1;
    }
  }
  worker.join();
  EXPECT_EQ(lines + ring.dropped(), kTotal);
}

TEST(LogRingDeathTest, ItsSizeAndWhatIsConsumedMustMakeSense) {
  EXPECT_DEATH(LogRing(kSmall + 1, -1, Wanted::kAll), "has_single_bit");
  EXPECT_DEATH(LogRing(1024, -1, Wanted::kAll), "kMaxLineBytes");
  LogRing ring(kSmall, -1, Wanted::kAll);
  EXPECT_DEATH(ring.Consume(1), "bytes <=");
}

}  // namespace
}  // namespace portcullis::log
