#include "core/ocsp/exchange.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "core/ocsp/http_answer.h"

namespace portcullis::ocsp {

Exchange::Exchange(std::vector<io::SocketAddress> addresses, std::string request)
    : addresses_(std::move(addresses)), request_(std::move(request)) {}

Exchange::~Exchange() { Close(); }

Exchange::Progress Exchange::Start() { return ConnectNext(); }

Exchange::Progress Exchange::Step() {
  if (!connected_) {
    int error = 0;
    socklen_t size = sizeof(error);
    if (getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
      return ConnectNext();
    }
    connected_ = true;
  }
  return sent_ < request_.size() ? Send() : Receive();
}

int16_t Exchange::events() const {
  return connected_ && sent_ == request_.size() ? POLLIN : POLLOUT;
}

Exchange::Progress Exchange::ConnectNext() {
  while (next_address_ < addresses_.size()) {
    Close();
    const io::SocketAddress& address = addresses_[next_address_++];
    fd_ = socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return Fail("no socket for the responder");
    const int result = connect(fd_, address.data(), address.length());
    connected_ = result == 0;
    if (connected_ || errno == EINPROGRESS) return Progress::kRunning;
  }
  return Fail("the responder takes no connection");
}

Exchange::Progress Exchange::Send() {
  const ssize_t size = send(fd_, request_.data() + sent_, request_.size() - sent_, MSG_NOSIGNAL);
  if (size < 0) {
    return errno == EAGAIN || errno == EINTR ? Progress::kRunning
                                             : Fail("the responder broke the connection");
  }
  sent_ += static_cast<size_t>(size);
  return Progress::kRunning;
}

Exchange::Progress Exchange::Receive() {
  char buffer[8192];
  const ssize_t size = recv(fd_, buffer, sizeof(buffer), 0);
  if (size < 0) {
    return errno == EAGAIN || errno == EINTR ? Progress::kRunning
                                             : Fail("the responder broke the connection");
  }
  answer_.append(buffer, static_cast<size_t>(size));
  switch (ReadHttpAnswer(answer_, size == 0, body_)) {
    case AnswerState::kMore:
      return Progress::kRunning;
    case AnswerState::kDone:
      Close();
      return Progress::kDone;
    case AnswerState::kBad:
      break;
  }
  return Fail("the responder's HTTP answer is of no use");
}

Exchange::Progress Exchange::Fail(std::string_view why) {
  Close();
  fault_ = why;
  return Progress::kFailed;
}

void Exchange::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  connected_ = false;
}

}  // namespace portcullis::ocsp
