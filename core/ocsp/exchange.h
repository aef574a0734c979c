// Exchange: one HTTP request to a responder and its answer, on a socket that never blocks: the
// fetcher polls it among others. That thread's; bounded by ReadHttpAnswer's limit, and in time by
// whoever owns it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/polled_socket.h"
#include "io/socket_address.h"

namespace portcullis::ocsp {

class Exchange {
 public:
  enum class [[nodiscard]] Progress : uint8_t { kRunning, kDone, kFailed };

  // Tries `addresses` one after the other until one takes the connection.
  Exchange(std::vector<io::SocketAddress> addresses, std::string request);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Start begins to connect.
  Progress Start();
  // Step goes on when socket() is ready for what wants() says.
  Progress Step();
  [[nodiscard]] const io::PolledSocket& socket() const { return socket_; }
  [[nodiscard]] io::PollSet::For wants() const;

  [[nodiscard]] std::string_view body() const { return body_; }    // kDone; lives as long as this
  [[nodiscard]] std::string_view fault() const { return fault_; }  // kFailed: constant text

 private:
  Progress ConnectNext();
  Progress Send();
  Progress Receive();
  Progress Fail(std::string_view why);

  std::vector<io::SocketAddress> addresses_;
  size_t next_address_ = 0;
  std::string request_;
  size_t sent_ = 0;
  std::string answer_;
  std::string_view body_;
  std::string_view fault_;
  io::PolledSocket socket_;
  bool connected_ = false;
};

}  // namespace portcullis::ocsp
