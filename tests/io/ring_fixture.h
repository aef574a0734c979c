// RingFixture: tests that run on both kinds of ring, and the sockets and waiting that they share.
//
// Where the kernel gives no io_uring the tests on it are skipped with the cause; a binary in which
// nothing but skips happened fails.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/ring.h"
#include "io/script_ring.h"
#include "io/uring_ring.h"

namespace portcullis::io {

inline constexpr std::chrono::milliseconds kTick{20};
inline constexpr std::chrono::seconds kPatience{10};

enum class RingKind : uint8_t { kUring, kScript };

inline std::string RingKindName(const ::testing::TestParamInfo<RingKind>& info) {
  return info.param == RingKind::kUring ? "Uring" : "Script";
}

// FailIfAllSkipped is registered once in each binary with tests on the kernel's ring.
class FailIfAllSkipped : public ::testing::Environment {
 public:
  void TearDown() override {
    const auto& unit = *::testing::UnitTest::GetInstance();
    if (unit.skipped_test_count() > 0 && unit.successful_test_count() == 0) {
      ADD_FAILURE() << "every test was skipped: " << UringRing::Create({}).status();
    }
  }
};

inline ::testing::Environment* const kFailIfAllSkipped =
    ::testing::AddGlobalTestEnvironment(new FailIfAllSkipped);

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  ~Fd() { Close(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    Close();
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int Release() { return std::exchange(fd_, -1); }
  void Close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

struct TcpPair {
  Fd near;
  Fd far;
};

inline sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline Fd Listen(int backlog, sockaddr_in& out_address) {
  Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  out_address = Loopback(0);
  socklen_t length = sizeof out_address;
  EXPECT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&out_address), length), 0);
  EXPECT_EQ(::listen(listener.get(), backlog), 0);
  EXPECT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&out_address), &length), 0);
  return listener;
}

inline Fd ConnectTo(const sockaddr_in& address) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return fd;
}

// A connected pair over loopback TCP. Reads on `far` by the test itself give up after kPatience.
// `buffer_bytes` bounds what the kernel buffers from `near` to `far` (0: its own choice), so that
// little is enough to block a send.
inline TcpPair MakeTcpPair(int buffer_bytes = 0) {
  sockaddr_in address{};
  const Fd listener = Listen(4, address);
  TcpPair pair;
  pair.far = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (buffer_bytes != 0) {
    ::setsockopt(pair.far.get(), SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
  }
  EXPECT_EQ(::connect(pair.far.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  pair.near = Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (buffer_bytes != 0) {
    ::setsockopt(pair.near.get(), SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
  }
  const int on = 1;
  const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
  for (const Fd* fd : {&pair.near, &pair.far}) {
    ::setsockopt(fd->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(fd->get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  return pair;
}

inline void Write(const Fd& fd, std::string_view text) {
  ASSERT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(text.size()));
}

// Reads until the end of the stream; appends " <errno>" when it does not end cleanly.
inline std::string ReadToEnd(const Fd& fd) {
  std::string text;
  char buffer[65536];
  while (true) {
    const ssize_t length = ::recv(fd.get(), buffer, sizeof buffer, 0);
    if (length == 0) return text;
    if (length < 0) return text + " " + std::to_string(errno);
    text.append(buffer, static_cast<size_t>(length));
  }
}

class RingFixture : public ::testing::TestWithParam<RingKind> {
 protected:
  void SetUp() override { Make({.sq_entries = 64, .cq_entries = 256}); }

  // Make replaces the ring. Without io_uring tests fail here: nothing of the product works either.
  void Make(const RingOptions& options) {
    if (GetParam() == RingKind::kScript) {
      auto script = std::make_unique<ScriptRing>(ScriptOptions{
          .seed = 7, .sq_entries = options.sq_entries, .cq_entries = options.cq_entries});
      script_ = script.get();
      ring_ = std::move(script);
      return;
    }
    ring_.reset();
    auto ring = UringRing::Create(options);
    ASSERT_TRUE(ring.ok()) << ring.status();
    ring_ = *std::move(ring);
  }

  [[nodiscard]] Ring& ring() { return *ring_; }
  [[nodiscard]] ScriptRing* script() { return script_; }

  // ReapUntil collects completions until `done` or kPatience.
  std::vector<Cqe> ReapUntil(const std::function<bool(const std::vector<Cqe>&)>& done) {
    std::vector<Cqe> all;
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!done(all) && std::chrono::steady_clock::now() < deadline) {
      Cqe batch[64];
      const int count = ring_->SubmitAndReap(kTick, batch);
      if (count < 0) {
        ADD_FAILURE() << "the ring broke: " << count;
        return all;
      }
      all.insert(all.end(), batch, batch + count);
    }
    EXPECT_TRUE(done(all)) << "gave up with " << all.size() << " completions";
    return all;
  }

  std::vector<Cqe> Reap(size_t count) {
    return ReapUntil([count](const std::vector<Cqe>& all) { return all.size() >= count; });
  }

  std::unique_ptr<Ring> ring_;
  ScriptRing* script_ = nullptr;
};

#define INSTANTIATE_ON_BOTH_RINGS(suite)                                                        \
  INSTANTIATE_TEST_SUITE_P(Both, suite, ::testing::Values(RingKind::kUring, RingKind::kScript), \
                           RingKindName)

}  // namespace portcullis::io
