#include "bench/loadgen/session.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace portcullis::bench {
namespace {

// An upload is written while less than this waits to be sent.
constexpr size_t kMaxQueued = 128 * 1024;
constexpr std::array<uint8_t, 16384> kBody{};

struct ChainSink {
  io::OutputChain& chain;
  io::BlockPool& blocks;
};

tls::Sink MakeSink(ChainSink& target) {
  return {.context = &target, .append = [](void* context, const uint8_t* bytes, size_t size) {
            auto& sink = *static_cast<ChainSink*>(context);
            sink.chain.Append(sink.blocks, std::span(bytes, size));
          }};
}

}  // namespace

Outcome Session::Fail(Failure failure) {
  failure_ = std::move(failure);
  return Outcome::kFailed;
}

Outcome Session::FailTls() {
  return Fail(tls_->alert() >= 0 ? AtAlert(tls_->failure(), tls_->alert())
                                 : Other(tls_->failure()));
}

Outcome Session::Start(io::StreamEnv& env, const ClientContext& context, const Options& options,
                       const std::string& server_name, const io::SocketAddress* source,
                       Client& client, bool resume, int64_t now_ns) {
  options_ = &options;
  client_ = &client;
  failure_ = {};
  input_ = {};
  stage_ = Stage::kConnect;
  started_ns_ = now_ns;
  asked_ns_ = 0;
  upload_left_ = body_bytes_ = 0;
  parked = ended = accepted = false;
  answers = 0;
  const int fd = socket(options.target.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Fail(Other(absl::StrCat("socket: ", std::strerror(errno))));
  if (options.target.is_ip()) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  if (source != nullptr) {
    // The port is chosen at connect, when the target is known: one may serve several.
    const int on = 1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    if (bind(fd, source->data(), source->length()) != 0) {
      const int error = errno;
      close(fd);
      return Fail(Other(absl::StrCat("bind ", source->Ip(), ": ", std::strerror(error))));
    }
  }
  tls_.emplace(context, server_name, client, resume);
  stream.Open(fd, io::Token{.owner = io::Owner::kUpstream, .generation = generation, .slot = slot});
  stream.Connect(env, options.target.data(), options.target.length());
  return Outcome::kGoing;
}

Outcome Session::OnConnect(io::StreamEnv& env, const io::Cqe& cqe) {
  if (const int error = stream.OnConnect(cqe); error != 0) return Fail(AtError(stage_, error));
  stage_ = Stage::kHandshake;
  stream.StartRecv(env);
  return Proceed(env);
}

Outcome Session::OnReceive(io::StreamEnv& env, io::RecvEvent event) {
  switch (event) {
    case io::RecvEvent::kData:
      input_ = stream.data();
      return Proceed(env);
    case io::RecvEvent::kEof:
      return Fail(AtEof(stage_));
    case io::RecvEvent::kError:
      return Fail(AtError(stage_, stream.error()));
    case io::RecvEvent::kNothing:
    case io::RecvEvent::kHeld:
      break;
  }
  return Outcome::kGoing;
}

Outcome Session::OnSent(io::StreamEnv& env, io::SendEvent event) {
  // Whoever refuses us may close first; what it said (an alert) is still to be received.
  if (event == io::SendEvent::kError || event == io::SendEvent::kNothing || upload_left_ == 0)
    return Outcome::kGoing;
  return Write(env) ? Outcome::kGoing : Fail(Other("tls: request not written"));
}

Outcome Session::OnTimeout() { return Fail(AtTimeout(stage_)); }

Outcome Session::Proceed(io::StreamEnv& env) {
  ChainSink target{stream.output(), env.blocks};
  const tls::Sink sink = MakeSink(target);
  if (stage_ != Stage::kHandshake) return ReadAnswer(sink);
  switch (tls_->Handshake(input_, sink)) {
    case ClientStatus::kWantRead:
      return Outcome::kGoing;
    case ClientStatus::kDone:
      stage_ = Stage::kIdle;
      return Outcome::kReady;
    case ClientStatus::kClosed:
      return Fail(AtEof(stage_));
    case ClientStatus::kFailed:
      break;
  }
  return FailTls();
}

Outcome Session::Ask(io::StreamEnv& env, int64_t now_ns) {
  http::ResponseEvents& events = *this;
  if (codec_.has_value()) {
    codec_->NextExchange(events);
  } else {
    codec_.emplace(http::Http1Limits{}, events);
  }
  asked_ns_ = now_ns;
  stage_ = Stage::kAnswer;
  answered_ = false;
  body_bytes_ = 0;
  http::RequestHead head;
  head.method = options_->upload_bytes == 0 ? "GET" : "POST";
  const std::string_view name = tls_->server_name();
  head.authority = name.empty() ? options_->host : name;
  head.path = options_->path;
  upload_left_ = options_->upload_bytes;
  if (upload_left_ != 0) head.body = http::Body::Length(upload_left_);
  std::string request;
  codec_->EncodeRequestHead(head, {&request, [](void* text, const uint8_t* data, size_t size) {
                                     static_cast<std::string*>(text)->append(
                                         reinterpret_cast<const char*>(data), size);
                                   }});
  ChainSink target{stream.output(), env.blocks};
  if (!tls_->Write(request, MakeSink(target)) || !Write(env))
    return Fail(Other("tls: request not written"));
  return Proceed(env);
}

// Writes of the request's body what may be queued, and its end.
bool Session::Write(io::StreamEnv& env) {
  ChainSink target{stream.output(), env.blocks};
  struct Encrypt {
    ClientTls& tls;
    tls::Sink sink;
    bool good = true;
  } encrypt{.tls = *tls_, .sink = MakeSink(target)};
  const http::ByteSink out{
      &encrypt, [](void* context, const uint8_t* data, size_t size) {
        auto& to = *static_cast<Encrypt*>(context);
        to.good = to.good && to.tls.Write({reinterpret_cast<const char*>(data), size}, to.sink);
      }};
  while (encrypt.good && upload_left_ != 0 && stream.output().size() < kMaxQueued) {
    const size_t chunk = static_cast<size_t>(std::min<uint64_t>(upload_left_, kBody.size()));
    codec_->EncodeData(std::span(kBody).first(chunk), out);
    upload_left_ -= chunk;
  }
  if (upload_left_ == 0 && !codec_->request_ended()) codec_->EncodeEnd(out);
  stream.Flush(env);
  return encrypt.good;
}

Outcome Session::ReadAnswer(tls::Sink sink) {
  std::array<uint8_t, 16384> plain;
  while (true) {
    size_t produced = 0;
    switch (tls_->Read(input_, plain, produced, sink)) {
      case ClientStatus::kWantRead:
        return Outcome::kGoing;
      case ClientStatus::kClosed:
        return OnCloseNotify();
      case ClientStatus::kFailed:
        return FailTls();
      case ClientStatus::kDone:
        break;
    }
    const Outcome outcome = OnPlaintext(std::span(plain).first(produced));
    if (outcome != Outcome::kGoing) return outcome;
  }
}

Outcome Session::OnPlaintext(std::span<const uint8_t> plain) {
  if (stage_ == Stage::kIdle) return Fail(Other("http: bytes nobody asked for"));
  size_t consumed = 0;
  if (codec_->Feed(plain, consumed) == http::FeedResult::kError)
    return Fail(Other(absl::StrCat("http: ", codec_->error().reason)));
  if (!answered_) return Outcome::kGoing;
  if (consumed < plain.size()) return Fail(Other("http: bytes behind the answer"));
  return Answered();
}

Outcome Session::OnCloseNotify() {
  if (stage_ == Stage::kIdle || codec_->OnEof() != http::EofResult::kMessageEnd)
    return Fail(AtEof(stage_));
  return Answered();
}

Outcome Session::Answered() {
  stage_ = Stage::kIdle;
  if (status_ != options_->expect) return Fail(AtStatus(status_));
  if (upload_left_ != 0) return Fail(Other("answered before the upload's end"));
  if (options_->download_bytes != 0 && body_bytes_ != options_->download_bytes)
    return Fail(Other(body_bytes_ < options_->download_bytes ? "short body" : "long body"));
  return Outcome::kAnswered;
}

void Session::OnResponseHead(http::ResponseHead& head) {
  status_ = head.status;
  stage_ = Stage::kBody;
}

void Session::TakeLeave(io::StreamEnv& env) {
  if (!tls_.has_value() || !failure_.kind.empty() || stream.eof()) return;
  ChainSink target{stream.output(), env.blocks};
  tls_->CloseNotify(MakeSink(target));
  stream.Flush(env);
}

void Session::Reset() {
  tls_.reset();
  codec_.reset();
  input_ = {};
}

}  // namespace portcullis::bench
