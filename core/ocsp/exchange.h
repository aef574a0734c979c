// Exchange: one HTTP request to a responder and its answer, on a socket that never blocks: the
// fetcher polls it among others. That thread's; bounded by ReadHttpAnswer's limit, and in time by
// whoever owns it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/socket_address.h"

namespace portcullis::ocsp {

class Exchange {
 public:
  enum class [[nodiscard]] Progress : uint8_t { kRunning, kDone, kFailed };

  // Tries `addresses` one after the other until one takes the connection.
  Exchange(std::vector<io::SocketAddress> addresses, std::string request);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Start begins to connect.
  Progress Start();
  // Step goes on after poll() said that something is ready for fd() and events().
  Progress Step();
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] int16_t events() const;

  [[nodiscard]] std::string_view body() const { return body_; }    // kDone; lives as long as this
  [[nodiscard]] std::string_view fault() const { return fault_; }  // kFailed: constant text

 private:
  Progress ConnectNext();
  Progress Send();
  Progress Receive();
  Progress Fail(std::string_view why);
  void Close();

  std::vector<io::SocketAddress> addresses_;
  size_t next_address_ = 0;
  std::string request_;
  size_t sent_ = 0;
  std::string answer_;
  std::string_view body_;
  std::string_view fault_;
  int fd_ = -1;
  bool connected_ = false;
};

}  // namespace portcullis::ocsp
