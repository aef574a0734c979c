#include "io/polled_socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "io/check.h"

namespace portcullis::io {
namespace {

PolledSocket::Result FailureOf(int error) {
  return error == EAGAIN || error == EINTR ? PolledSocket::Result::kAgain
                                           : PolledSocket::Result::kFailed;
}

}  // namespace

PolledSocket::Result PolledSocket::Connect(const SocketAddress& address) {
  Close();
  fd_ = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return Result::kFailed;
  if (::connect(fd_, address.data(), address.length()) == 0) return Result::kDone;
  return errno == EINPROGRESS ? Result::kAgain : Result::kFailed;
}

PolledSocket::Result PolledSocket::FinishConnect() {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return Result::kFailed;
  return error == 0 ? Result::kDone : Result::kFailed;
}

PolledSocket::Result PolledSocket::Send(std::string_view bytes, size_t& sent) {
  DCHECK(!bytes.empty());
  sent = 0;
  const ssize_t size = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (size < 0) return FailureOf(errno);
  sent = static_cast<size_t>(size);
  return Result::kDone;
}

PolledSocket::Result PolledSocket::Receive(std::span<char> buffer, size_t& received) {
  DCHECK(!buffer.empty());
  received = 0;
  const ssize_t size = ::recv(fd_, buffer.data(), buffer.size(), 0);
  if (size < 0) return FailureOf(errno);
  received = static_cast<size_t>(size);
  return Result::kDone;
}

void PolledSocket::Close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void PollSet::Add(const PolledSocket& socket, For what) {
  const auto events = static_cast<int16_t>(what == For::kInput ? POLLIN : POLLOUT);
  polled_.push_back({.fd = socket.fd(), .events = events, .revents = 0});
}

void PollSet::Add(const WakeEvent& wake) {
  polled_.push_back({.fd = wake.fd(), .events = POLLIN, .revents = 0});
}

void PollSet::Wait(int timeout_ms) {
  // Interrupted: nothing is ready, and whoever waits looks again.
  if (::poll(polled_.data(), polled_.size(), timeout_ms) < 0) {
    for (pollfd& one : polled_) one.revents = 0;
  }
}

}  // namespace portcullis::io
