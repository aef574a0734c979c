// TestClient: a blocking client socket for tests, on TCP or a Unix path. Every wait ends after ten
// seconds, as a failed expectation. One thread.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

#include "io/socket_address.h"

namespace portcullis::server {

class TestClient {
 public:
  static constexpr int kPatienceMs = 10000;

  explicit TestClient(const std::string& address) {
    const absl::StatusOr<io::SocketAddress> parsed = io::SocketAddress::Parse(address);
    EXPECT_TRUE(parsed.ok()) << address;
    if (!parsed.ok()) return;
    fd_ = socket(parsed->family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    connected_ = connect(fd_, parsed->data(), parsed->length()) == 0;
  }
  ~TestClient() { Close(); }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] int fd() const { return fd_; }

  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

  // Send sends all of `bytes`; false when the peer is gone.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      if (!Wait(POLLOUT)) return false;
      const ssize_t count = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count < 0 && errno != EAGAIN) return false;
      if (count > 0) bytes.remove_prefix(static_cast<size_t>(count));
    }
    return true;
  }

  // TrySend sends what goes without waiting, and returns how much.
  size_t TrySend(std::string_view bytes) {
    const ssize_t count = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return count < 0 ? 0 : static_cast<size_t>(count);
  }

  void SendEnd() { EXPECT_EQ(shutdown(fd_, SHUT_WR), 0); }

  // Read returns what comes until `enough` says so of it, or the end.
  std::string Read(const std::function<bool(const std::string&)>& enough) {
    std::string text;
    while (!ended_ && !enough(text)) {
      if (!Wait(POLLIN)) break;
      std::array<char, 65536> buffer;
      const ssize_t count = recv(fd_, buffer.data(), buffer.size(), 0);
      reset_ = count < 0;
      ended_ = count <= 0;
      if (count > 0) text.append(buffer.data(), static_cast<size_t>(count));
    }
    return text;
  }

  std::string ReadToEnd() {
    return Read([](const std::string&) { return false; });
  }
  std::string ReadBytes(size_t count) {
    return Read([count](const std::string& text) { return text.size() >= count; });
  }
  std::string ReadUntil(std::string_view mark) {
    return Read([mark](const std::string& text) { return text.find(mark) != text.npos; });
  }

  // The peer's end was read; `reset` when it was no orderly one.
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] bool reset() const { return reset_; }

 private:
  bool Wait(short events) {
    pollfd polled{.fd = fd_, .events = events, .revents = 0};
    const int ready = poll(&polled, 1, kPatienceMs);
    EXPECT_EQ(ready, 1) << "nothing came";
    return ready == 1;
  }

  int fd_ = -1;
  bool connected_ = false;
  bool ended_ = false;
  bool reset_ = false;
};

}  // namespace portcullis::server
