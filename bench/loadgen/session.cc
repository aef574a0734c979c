#include "bench/loadgen/session.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace portcullis::bench {
namespace {

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

Outcome Session::Fail(std::string failure) {
  failure_ = std::move(failure);
  return Outcome::kFailed;
}

Outcome Session::Start(io::StreamEnv& env, const ClientContext& context, const Options& options,
                       int64_t now_ns) {
  options_ = &options;
  failure_.clear();
  started_ns_ = now_ns;
  handshake_ns_ = 0;
  status_ = 0;
  answered_ = ended = false;
  const int fd = socket(options.target.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Fail(absl::StrCat("socket: ", strerror(errno)));
  if (options.target.is_ip()) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  tls_.emplace(context);
  stream.Open(fd, io::Token{.owner = io::Owner::kUpstream, .generation = generation, .slot = slot});
  stream.Connect(env, options.target.data(), options.target.length());
  return Outcome::kGoing;
}

Outcome Session::OnConnect(io::StreamEnv& env, const io::Cqe& cqe) {
  if (const int error = stream.OnConnect(cqe); error != 0)
    return Fail(absl::StrCat("connect: ", strerror(error)));
  stream.StartRecv(env);
  return Feed(env, {}, 0);
}

Outcome Session::OnReceive(io::StreamEnv& env, io::RecvEvent event, int64_t now_ns) {
  switch (event) {
    case io::RecvEvent::kData:
      return Feed(env, stream.data(), now_ns);
    case io::RecvEvent::kEof:
      return Fail(handshake_ns_ == 0 ? "eof in the handshake" : "eof before the answer");
    case io::RecvEvent::kError:
      return Fail(absl::StrCat("receive: ", strerror(stream.error())));
    case io::RecvEvent::kNothing:
    case io::RecvEvent::kHeld:
      return Outcome::kGoing;
  }
  return Outcome::kGoing;
}

Outcome Session::OnSent(io::SendEvent event) {
  // Whoever refuses us may close first; what it said (an alert) is still to be received.
  (void)event;
  return Outcome::kGoing;
}

Outcome Session::OnTimeout() { return Fail("timeout"); }

Outcome Session::Feed(io::StreamEnv& env, std::span<const uint8_t> bytes, int64_t now_ns) {
  ChainSink target{stream.output(), env.blocks};
  const tls::Sink sink = MakeSink(target);
  if (handshake_ns_ == 0) {
    const ClientStatus status = tls_->Handshake(bytes, sink);
    if (status == ClientStatus::kFailed || status == ClientStatus::kClosed) {
      stream.Flush(env);
      return Fail(tls_->failure());
    }
    if (status == ClientStatus::kWantRead) {
      stream.Flush(env);
      return Outcome::kGoing;
    }
    handshake_ns_ = now_ns;
    const bool sent = options_->mode == Mode::kHandshake || SendRequest(sink);
    stream.Flush(env);
    if (!sent) return Fail("tls: request not written");
    if (options_->mode == Mode::kHandshake) return Outcome::kDone;
  }
  const Outcome outcome = ReadAnswer(bytes, sink);
  stream.Flush(env);
  return outcome;
}

bool Session::SendRequest(tls::Sink sink) {
  http::ResponseEvents& events = *this;
  codec_.emplace(http::Http1Limits{}, events);
  http::RequestHead head;
  head.method = "GET";
  head.authority = options_->sni;
  head.path = options_->path;
  std::string request;
  const http::ByteSink out{&request, [](void* text, const uint8_t* data, size_t size) {
                             static_cast<std::string*>(text)->append(
                                 reinterpret_cast<const char*>(data), size);
                           }};
  codec_->EncodeRequestHead(head, out);
  codec_->EncodeEnd(out);
  return tls_->Write(request, sink);
}

Outcome Session::ReadAnswer(std::span<const uint8_t> bytes, tls::Sink sink) {
  std::array<uint8_t, 16384> plain;
  while (true) {
    size_t produced = 0;
    switch (tls_->Read(bytes, plain, produced, sink)) {
      case ClientStatus::kWantRead:
        return Outcome::kGoing;
      case ClientStatus::kClosed:
        return Fail("closed before the answer");
      case ClientStatus::kFailed:
        return Fail(tls_->failure());
      case ClientStatus::kDone:
        break;
    }
    size_t consumed = 0;
    if (codec_->Feed(std::span(plain).first(produced), consumed) == http::FeedResult::kError) {
      return Fail(absl::StrCat("http: ", codec_->error().reason));
    }
    if (answered_) return status_ == 200 ? Outcome::kDone : Fail(absl::StrCat("status: ", status_));
  }
}

void Session::Reset() {
  tls_.reset();
  codec_.reset();
}

}  // namespace portcullis::bench
