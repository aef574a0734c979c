#include "core/ocsp/exchange.h"

#include <array>
#include <utility>

#include "core/ocsp/http_answer.h"

namespace portcullis::ocsp {

using Result = io::PolledSocket::Result;

Exchange::Exchange(std::vector<io::SocketAddress> addresses, std::string request)
    : addresses_(std::move(addresses)), request_(std::move(request)) {}

Exchange::Progress Exchange::Start() { return ConnectNext(); }

Exchange::Progress Exchange::Step() {
  if (!connected_) {
    connected_ = socket_.FinishConnect() == Result::kDone;
    if (!connected_) return ConnectNext();
  }
  return sent_ < request_.size() ? Send() : Receive();
}

io::PollSet::For Exchange::wants() const {
  const bool listens = connected_ && sent_ == request_.size();
  return listens ? io::PollSet::For::kInput : io::PollSet::For::kOutput;
}

Exchange::Progress Exchange::ConnectNext() {
  while (next_address_ < addresses_.size()) {
    const Result result = socket_.Connect(addresses_[next_address_++]);
    connected_ = result == Result::kDone;
    if (result != Result::kFailed) return Progress::kRunning;
  }
  return Fail("the responder takes no connection");
}

Exchange::Progress Exchange::Send() {
  size_t sent = 0;
  if (socket_.Send(std::string_view(request_).substr(sent_), sent) == Result::kFailed) {
    return Fail("the responder broke the connection");
  }
  sent_ += sent;
  return Progress::kRunning;
}

Exchange::Progress Exchange::Receive() {
  std::array<char, 8192> buffer;
  size_t size = 0;
  const Result result = socket_.Receive(buffer, size);
  if (result == Result::kFailed) return Fail("the responder broke the connection");
  if (result == Result::kAgain) return Progress::kRunning;
  answer_.append(buffer.data(), size);
  switch (ReadHttpAnswer(answer_, size == 0, body_)) {
    case AnswerState::kMore:
      return Progress::kRunning;
    case AnswerState::kDone:
      socket_.Close();
      return Progress::kDone;
    case AnswerState::kBad:
      break;
  }
  return Fail("the responder's HTTP answer is of no use");
}

Exchange::Progress Exchange::Fail(std::string_view why) {
  socket_.Close();
  fault_ = why;
  return Progress::kFailed;
}

}  // namespace portcullis::ocsp
