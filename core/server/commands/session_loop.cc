#include "core/server/commands/session_loop.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/server/commands/echo_session.h"
#include "core/server/commands/http_session.h"
#include "io/check.h"

namespace portcullis::server {
namespace {

constexpr size_t kReceiveBytes = 64 * 1024;
constexpr size_t kOutputBytes = 256 * 1024;  // produced ahead of a slow reader
constexpr int kRoundsPerTurn = 16;           // then others get their turn
constexpr int kAcceptsPerTurn = 64;
constexpr auto kLinger = std::chrono::seconds(2);
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

std::unique_ptr<Session> NewSession(BackendMode mode) {
  if (mode == BackendMode::kEcho) return std::make_unique<EchoSession>();
  return std::make_unique<HttpSession>();
}

bool WouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

SessionLoop::SessionLoop(int listen_fd, int stop_fd, BackendMode mode)
    : listen_fd_(listen_fd), stop_fd_(stop_fd), mode_(mode) {}

SessionLoop::~SessionLoop() {
  for (const auto& [fd, connection] : connections_) close(fd);
  if (epoll_fd_ >= 0) close(epoll_fd_);
}

absl::Status SessionLoop::Open() {
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd_ < 0) return absl::ErrnoToStatus(errno, "epoll_create1");
  epoll_event listening{.events = EPOLLIN | EPOLLEXCLUSIVE, .data = {.fd = listen_fd_}};
  epoll_event stopping{.events = EPOLLIN, .data = {.fd = stop_fd_}};
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, listen_fd_, &listening) != 0 ||
      epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, stop_fd_, &stopping) != 0) {
    return absl::ErrnoToStatus(errno, "epoll_ctl");
  }
  return absl::OkStatus();
}

void SessionLoop::Run() {
  CHECK(epoll_fd_ >= 0, "Run before Open");
  std::array<epoll_event, 128> events;
  while (true) {
    const int count = epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()),
                                 TimeoutMs(Clock::now()));
    CHECK(count >= 0 || errno == EINTR, "epoll_wait");
    const Clock::time_point now = Clock::now();
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      if (event.data.fd == stop_fd_) return;
      if (event.data.fd == listen_fd_) {
        AcceptSome(now);
        continue;
      }
      const auto found = connections_.find(event.data.fd);
      if (found != connections_.end()) Serve(*found->second, event.events, now);
    }
    RunDeadlines(now);
  }
}

void SessionLoop::AcceptSome(Clock::time_point now) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    const int fd = accept4(listen_fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        PauseAccepting(now);
      }
      return;  // none left, or one that broke before its turn
    }
    auto connection = std::make_unique<Connection>();
    connection->fd = fd;
    connection->session = NewSession(mode_);
    connection->interest = EPOLLIN;
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) {
      close(fd);
      return;
    }
    connections_.emplace(fd, std::move(connection));
  }
}

// Out of descriptors, the listener stays readable: without a pause the loop would spin.
void SessionLoop::PauseAccepting(Clock::time_point now) {
  if (accept_again_at_) return;
  accept_again_at_ = now + kAcceptPause;
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, listen_fd_, nullptr);
}

int SessionLoop::TimeoutMs(Clock::time_point now) const {
  std::optional<Clock::time_point> next = accept_again_at_;
  if (!deadlines_.empty() && (!next || deadlines_.begin()->first < *next)) {
    next = deadlines_.begin()->first;
  }
  if (!next) return -1;
  // Rounded up: waking a little early would only mean waking twice.
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*next - now);
  return static_cast<int>(std::clamp<int64_t>(wait.count(), 0, 60000));
}

void SessionLoop::RunDeadlines(Clock::time_point now) {
  if (accept_again_at_ && *accept_again_at_ <= now) {
    accept_again_at_.reset();
    epoll_event listening{.events = EPOLLIN | EPOLLEXCLUSIVE, .data = {.fd = listen_fd_}};
    epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, listen_fd_, &listening);
  }
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    Connection& connection = *connections_.at(deadlines_.begin()->second);
    SetDeadline(connection, std::nullopt);
    if (connection.lingering) {
      Close(connection);
    } else {
      Serve(connection, 0, now);
    }
  }
}

void SessionLoop::SetDeadline(Connection& connection, std::optional<Clock::time_point> deadline) {
  if (connection.deadline == deadline) return;
  if (connection.deadline) deadlines_.erase({*connection.deadline, connection.fd});
  connection.deadline = deadline;
  if (deadline) deadlines_.emplace(*deadline, connection.fd);
}

void SessionLoop::Serve(Connection& connection, uint32_t events, Clock::time_point now) {
  // Both directions are gone, or broken: whatever is left can reach nobody.
  if ((events & (EPOLLERR | EPOLLHUP)) != 0 && (events & EPOLLIN) == 0) return Close(connection);
  Step step = Step::kProgress;
  for (int round = 0; round < kRoundsPerTurn && step == Step::kProgress; ++round) {
    step = Pump(connection, now);
  }
  if (step == Step::kClose) return Close(connection);
  Rearm(connection, step == Step::kProgress);
}

// One round: receive, let the session answer, send.
SessionLoop::Step SessionLoop::Pump(Connection& connection, Clock::time_point now) {
  const Step received = Receive(connection);
  if (received == Step::kClose || connection.lingering) return received;
  OfferInput(connection);
  Session& session = *connection.session;
  const size_t pending = connection.output.size() - connection.num_sent;
  bool produced = false;
  if (pending < kOutputBytes) {
    const size_t before = connection.output.size();
    session.Produce(connection.output, kOutputBytes - pending, now);
    produced = connection.output.size() > before;
  }
  const Step sent = Send(connection);
  if (sent == Step::kClose) return sent;
  if (connection.output.empty() && session.finished()) return Finish(connection, now);
  SetDeadline(connection, session.wake_at());
  // A request that was waiting behind the one just answered needs no further event to go on.
  const bool waiting = !connection.input.empty() && session.wants_input();
  return received == Step::kProgress || produced || sent == Step::kProgress || waiting
             ? Step::kProgress
             : Step::kIdle;
}

SessionLoop::Step SessionLoop::Receive(Connection& connection) {
  if (connection.peer_ended) return connection.lingering ? Step::kClose : Step::kIdle;
  if (!connection.lingering && (!connection.input.empty() || !connection.session->wants_input() ||
                                connection.output.size() - connection.num_sent >= kOutputBytes)) {
    return Step::kIdle;
  }
  static thread_local std::array<char, kReceiveBytes> buffer;
  const ssize_t count = recv(connection.fd, buffer.data(), buffer.size(), 0);
  if (count < 0) return WouldBlock(errno) || errno == EINTR ? Step::kIdle : Step::kClose;
  if (count == 0) {
    connection.peer_ended = true;
    return connection.lingering ? Step::kClose : Step::kProgress;
  }
  if (!connection.lingering) connection.input.append(buffer.data(), static_cast<size_t>(count));
  return Step::kProgress;
}

void SessionLoop::OfferInput(Connection& connection) {
  Session& session = *connection.session;
  if (!connection.input.empty() && session.wants_input()) {
    const size_t taken = session.Feed(
        {reinterpret_cast<const uint8_t*>(connection.input.data()), connection.input.size()});
    connection.input.erase(0, taken);
  }
  if (connection.peer_ended && !connection.end_fed && connection.input.empty()) {
    connection.end_fed = true;
    session.FeedEnd();
  }
}

SessionLoop::Step SessionLoop::Send(Connection& connection) {
  if (connection.output.empty()) return Step::kIdle;
  const ssize_t count =
      send(connection.fd, connection.output.data() + connection.num_sent,
           connection.output.size() - connection.num_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count < 0) return WouldBlock(errno) || errno == EINTR ? Step::kIdle : Step::kClose;
  connection.num_sent += static_cast<size_t>(count);
  if (connection.num_sent == connection.output.size()) {
    connection.output.clear();
    connection.num_sent = 0;
  }
  return Step::kProgress;
}

// All is sent. Closing while the client still sends would reset the connection, and could destroy
// the answer on its way; so our end goes out first, and what comes until the client's end, or for a
// while, is dropped.
SessionLoop::Step SessionLoop::Finish(Connection& connection, Clock::time_point now) {
  if (connection.peer_ended || shutdown(connection.fd, SHUT_WR) != 0) return Step::kClose;
  connection.lingering = true;
  connection.input.clear();
  SetDeadline(connection, now + kLinger);
  return Step::kProgress;
}

void SessionLoop::Rearm(Connection& connection, bool more_to_do) {
  uint32_t interest = 0;
  const size_t pending = connection.output.size() - connection.num_sent;
  const bool reads = connection.lingering || (connection.input.empty() && pending < kOutputBytes &&
                                              connection.session->wants_input());
  if (reads && !connection.peer_ended) interest |= EPOLLIN;
  // A writable socket is as good as a queue of those whose turn was cut short.
  if (pending > 0 || more_to_do) interest |= EPOLLOUT;
  if (interest == connection.interest) return;
  connection.interest = interest;
  epoll_event event{.events = interest, .data = {.fd = connection.fd}};
  CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, connection.fd, &event) == 0, "epoll_ctl");
}

void SessionLoop::Close(Connection& connection) {
  SetDeadline(connection, std::nullopt);
  const int fd = connection.fd;
  close(fd);
  connections_.erase(fd);
}

}  // namespace portcullis::server
