// PolledSocket and PollSet: a client's socket that never blocks, and the waiting for several of
// them, for helper threads with little traffic. Workers have Stream and the ring instead. One
// thread's.
#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "io/inbox.h"
#include "io/socket_address.h"

namespace portcullis::io {

class PolledSocket {
 public:
  // kAgain: nothing was possible now; ask again when PollSet says so.
  enum class [[nodiscard]] Result : uint8_t { kDone, kAgain, kFailed };

  PolledSocket() = default;
  ~PolledSocket() { Close(); }
  PolledSocket(const PolledSocket&) = delete;
  PolledSocket& operator=(const PolledSocket&) = delete;

  // Connect closes what was open and begins anew. kAgain: under way; wait for output, then
  // FinishConnect.
  Result Connect(const SocketAddress& address);
  Result FinishConnect();
  // Send sends the beginning of `bytes`, which must not be empty: `sent` bytes, not 0 at kDone.
  Result Send(std::string_view bytes, size_t& sent);
  // Receive receives at most `buffer`; at kDone `received` is 0 when the peer has ended.
  Result Receive(std::span<char> buffer, size_t& received);
  void Close();

  [[nodiscard]] int fd() const { return fd_; }  // -1: not open

 private:
  int fd_ = -1;
};

class PollSet {
 public:
  enum class For : uint8_t { kInput, kOutput };

  void Clear() { polled_.clear(); }
  void Add(const PolledSocket& socket, For what);
  void Add(const WakeEvent& wake);
  // Wait returns when something is ready, or broken, or after `timeout_ms`; -1: no timeout.
  void Wait(int timeout_ms);
  // ready, of what was added as the `index`-th, from 0.
  [[nodiscard]] bool ready(size_t index) const { return polled_[index].revents != 0; }

 private:
  std::vector<pollfd> polled_;
};

}  // namespace portcullis::io
