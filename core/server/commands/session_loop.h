// SessionLoop: one thread's accept and poll loop of the embedded backend; gives each connection a
// Session.
//
// Owned by an EmbeddedBackend, which runs Run() on a thread of its own for each loop; loops share
// the listening socket and the stop event, and nothing else. Plain epoll, not io_uring: the backend
// must work where the terminator cannot, and must not share its bugs.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/status/status.h"

#include "core/server/commands/args.h"
#include "core/server/commands/session.h"

namespace portcullis::server {

class SessionLoop {
 public:
  // The descriptors are borrowed and must outlive the loop: `listen_fd` non-blocking and listening,
  // `stop_fd` an eventfd which becomes readable, and stays so, to end every loop.
  SessionLoop(int listen_fd, int stop_fd, BackendMode mode);
  ~SessionLoop();  // closes what connections are left
  SessionLoop(const SessionLoop&) = delete;
  SessionLoop& operator=(const SessionLoop&) = delete;

  // Open makes the poll set. Call once, before Run.
  absl::Status Open();

  // Run serves until `stop_fd` is readable; connections in progress are then cut.
  void Run();

 private:
  using Clock = Session::Clock;
  using Deadline = std::pair<Clock::time_point, int>;  // and its connection's descriptor

  struct Connection {
    int fd = -1;
    std::unique_ptr<Session> session;
    std::string input;   // received, not yet taken by the session
    std::string output;  // produced, from `num_sent` on not yet sent
    size_t num_sent = 0;
    uint32_t interest = 0;                      // epoll events asked for
    bool peer_ended = false;                    // its end was received
    bool end_fed = false;                       // ... and told to the session
    bool lingering = false;                     // our end is sent; what still comes is dropped
    std::optional<Clock::time_point> deadline;  // as it stands in deadlines_
  };

  enum class [[nodiscard]] Step : uint8_t { kIdle, kProgress, kClose };

  void AcceptSome(Clock::time_point now);
  void PauseAccepting(Clock::time_point now);
  void Serve(Connection& connection, uint32_t events, Clock::time_point now);
  void RunDeadlines(Clock::time_point now);
  [[nodiscard]] int TimeoutMs(Clock::time_point now) const;

  Step Pump(Connection& connection, Clock::time_point now);
  Step Receive(Connection& connection);
  Step Send(Connection& connection);
  Step Finish(Connection& connection, Clock::time_point now);
  void OfferInput(Connection& connection);
  void Rearm(Connection& connection, bool more_to_do);
  void SetDeadline(Connection& connection, std::optional<Clock::time_point> deadline);
  void Close(Connection& connection);

  const int listen_fd_;
  const int stop_fd_;
  const BackendMode mode_;
  int epoll_fd_ = -1;
  std::unordered_map<int, std::unique_ptr<Connection>> connections_;
  std::set<Deadline> deadlines_;
  std::optional<Clock::time_point> accept_again_at_;  // set while out of descriptors
};

}  // namespace portcullis::server
