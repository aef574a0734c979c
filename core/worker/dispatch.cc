// Completions: what came out of the ring, to whom it belongs, and in what order it is served.
// Established traffic goes first; handshakes, which are pure CPU, follow under a budget.
#include "core/connection/close.h"
#include "core/connection/deadline.h"
#include "core/connection/handshake.h"
#include "core/connection/http_relay.h"
#include "core/connection/overload.h"
#include "core/connection/record.h"
#include "core/connection/tcp_relay.h"
#include "core/worker/worker.h"
#include "io/check.h"

namespace portcullis::worker {

using backend::Upstream;
using backend::UpstreamState;
using connection::Downstream;
using connection::State;

namespace {

constexpr int64_t kSubmitEveryNs = 500'000;  // of handshakes

Downstream& UserOf(const Upstream& upstream) { return *static_cast<Downstream*>(upstream.user); }

}  // namespace

struct Worker::HandshakeBudget {
  HandshakeBudget(io::Ring& of_worker, std::chrono::nanoseconds allowed)
      : ring(of_worker), budget_ns(allowed.count()) {}
  io::Ring& ring;
  int64_t budget_ns;
  int64_t until_ns = 0;      // from when the first handshake of the turn is looked at
  int64_t submit_at_ns = 0;  // when what has been said so far is not to wait any longer
  bool spent = false;
  // left re-reads the clock, so it is asked once a handshake step (tens of microseconds), not once
  // a byte. A peer gets what there is for it while the handshakes of others go on, not at the end
  // of them all: established connections at once, handshakes some steps later, several
  // for one system call.
  [[nodiscard]] bool left() {
    if (spent) return false;
    const int64_t now_ns = connection::NowNs();
    if (until_ns == 0) until_ns = now_ns + budget_ns;
    if (now_ns >= submit_at_ns) {
      ring.Submit();
      submit_at_ns = now_ns + kSubmitEveryNs;
    }
    spent = now_ns >= until_ns;
    return !spent;
  }
};

void Worker::DispatchBatch(std::span<const io::Cqe> batch) {
  // Told apart before anything is dispatched: a send that completes in the same batch can end a
  // handshake, and the receives on either side of it must stay in order.
  size_t num_deferred = 0;
  size_t num_prompt = 0;
  for (size_t i = 0; i < batch.size(); ++i) {
    const bool deferred = IsHandshakeWork(io::Token::Decode(batch[i].user_data));
    (deferred ? deferred_[num_deferred++] : prompt_[num_prompt++]) = static_cast<uint16_t>(i);
  }
  for (size_t i = 0; i < num_prompt; ++i) {
    const io::Cqe& cqe = batch[prompt_[i]];
    Dispatch(cqe, io::Token::Decode(cqe.user_data));
  }
  HandshakeBudget budget(*ring_, options_.handshake_budget);
  RunWaiting(budget);
  for (size_t i = 0; i < num_deferred; ++i) {
    const io::Cqe& cqe = batch[deferred_[i]];
    DispatchHandshake(cqe, io::Token::Decode(cqe.user_data), budget);
  }
}

// Every receive completion of a connection in its handshake, an end or error too: they must stay in
// order.
bool Worker::IsHandshakeWork(io::Token token) {
  if (token.owner != io::Owner::kDownstream || token.op != io::Op::kRecv) return false;
  const Downstream* down = downstreams_->Find(token.slot, token.generation);
  return down != nullptr && down->state == State::kHandshake;
}

void Worker::Dispatch(const io::Cqe& cqe, io::Token token) {
  switch (token.owner) {
    case io::Owner::kWorker:
      if (token.op == io::Op::kCancel) {
        inbox_->OnCancel(cqe);
        return;
      }
      inbox_->OnWake(*ring_, cqe);
      inbox_->Drain([this](Message&& message) { Handle(std::move(message)); });
      return;
    case io::Owner::kListener:
      DispatchListener(cqe, token);
      return;
    case io::Owner::kDownstream:
      DispatchDownstream(cqe, token);
      return;
    case io::Owner::kUpstream:
      DispatchUpstream(cqe, token);
      return;
  }
}

void Worker::DispatchListener(const io::Cqe& cqe, io::Token token) {
  CHECK(token.slot < listeners_.size(), "completion for an unknown listener");
  ListenerSlot& slot = *listeners_[token.slot];
  if (token.op == io::Op::kCancel) {
    slot.acceptor.OnCancel(*ring_, cqe);
    return;
  }
  const io::AcceptEvent event = slot.acceptor.OnAccept(*ring_, cqe);
  switch (event.kind) {
    case io::AcceptEvent::Kind::kAccepted:
      Accepted(slot, event.fd);
      return;
    case io::AcceptEvent::Kind::kRearmLater:
    case io::AcceptEvent::Kind::kError:
      CountAcceptFailure(slot, event.error);
      slot.rearm_at_ms = context_->now_ms + 100;
      return;
    case io::AcceptEvent::Kind::kNothing:
      return;
  }
}

// Counted here and told by the supervisor, which may wait for whoever reads what it says.
void Worker::CountAcceptFailure(const ListenerSlot& slot, int error) {
  CHECK(slot.listener != nullptr, "a failure of a closed listener");
  metrics::ListenerShard& counts = options_.shard->listener(slot.listener->metrics_id);
  counts.last_accept_error.Set(error);
  counts.accept_failures.Add();
}

void Worker::Accepted(ListenerSlot& slot, int fd) {
  CHECK(slot.listener != nullptr, "a connection from a closed listener");
  Downstream* down = downstreams_->Take();
  if (down == nullptr) {
    connection::RefuseOverload(*context_, *slot.listener, fd);
    return;
  }
  connection::Begin(*context_, *down, fd, *slot.runtime, *slot.listener);
}

void Worker::DispatchDownstream(const io::Cqe& cqe, io::Token token) {
  // The lease comes first: a completion for a dead connection still owns a buffer.
  const bool is_recv = token.op == io::Op::kRecv;
  const io::BufferLease lease(*client_buffers_, is_recv ? cqe : io::Cqe{});
  Downstream* down = downstreams_->Find(token.slot, token.generation);
  if (down == nullptr) {
    ++stale_cqes_;
    return;
  }
  switch (token.op) {
    case io::Op::kRecv:
      ClientReceived(*down, down->stream.OnRecv(*client_env_, cqe, lease.bytes()));
      return;
    case io::Op::kSend:
      ClientSent(*down, down->stream.OnSend(*client_env_, cqe));
      return;
    case io::Op::kCancel:
      down->stream.OnCancel(*client_env_, cqe);
      return;
    default:
      CHECK(false, "unknown operation of a downstream connection");
  }
}

void Worker::DispatchHandshake(const io::Cqe& cqe, io::Token token, HandshakeBudget& budget) {
  const io::BufferLease lease(*client_buffers_, cqe);
  Downstream* down = downstreams_->Find(token.slot, token.generation);
  if (down == nullptr) {
    ++stale_cqes_;
    return;
  }
  const io::RecvEvent event = down->stream.OnRecv(*client_env_, cqe, lease.bytes());
  if (down->state != State::kHandshake || event != io::RecvEvent::kData) {
    ClientReceived(*down, event);
    return;
  }
  const bool queued = down->queue_node.linked() || down->awaited != connection::Awaited::kNothing;
  if (!queued && budget.left()) {
    connection::OnHandshakeBytes(*context_, *down, down->stream.data());
    return;
  }
  if (!queued) context_->waiting.PushBack(down->queue_node);
  connection::KeepWhileWaiting(*context_, *down, down->stream.data());
}

void Worker::RunWaiting(HandshakeBudget& budget) {
  while (!context_->waiting.empty() && budget.left()) {
    Downstream& down =
        *static_cast<connection::DownstreamNode*>(context_->waiting.PopFront())->owner;
    if (down.state != State::kHandshake) continue;
    const std::vector<uint8_t> kept = connection::TakeKept(*context_, down);
    connection::OnHandshakeBytes(*context_, down, kept);
    // What came in between, behind those bytes.
    if (down.live() && down.stream.eof()) ClientReceived(down, io::RecvEvent::kEof);
  }
}

void Worker::ClientReceived(Downstream& down, io::RecvEvent event) {
  switch (down.state) {
    case State::kHandshake:
      // With bytes yet to be taken the end is not its turn; see RunWaiting.
      if (event == io::RecvEvent::kEof && !down.queue_node.linked() && down.early.empty()) {
        connection::OnHandshakeEnd(*context_, down, tls::Rejection::kEof);
      } else if (event == io::RecvEvent::kError) {
        connection::OnHandshakeEnd(*context_, down, tls::Rejection::kReset);
      }
      return;
    case State::kDialing:
    case State::kRelay:
      connection::OnRelayClientRecv(*context_, down, event);
      return;
    case State::kHttp:
      down.http->OnClientRecv(event);
      return;
    case State::kLingering:
      connection::OnLingeringRecv(*context_, down, event);
      return;
    case State::kFree:
    case State::kClosing:
      return;
  }
}

void Worker::ClientSent(Downstream& down, io::SendEvent event) {
  switch (down.state) {
    case State::kHandshake:
      if (event == io::SendEvent::kError)
        connection::OnHandshakeEnd(*context_, down, tls::Rejection::kReset);
      return;
    case State::kDialing:
    case State::kRelay:
      connection::OnRelayClientSend(*context_, down, event);
      return;
    case State::kHttp:
      down.http->OnClientSend(event);
      return;
    case State::kLingering:
      connection::OnLingeringSend(*context_, down, event);
      return;
    case State::kFree:
    case State::kClosing:
      return;
  }
}

void Worker::DispatchUpstream(const io::Cqe& cqe, io::Token token) {
  const io::BufferLease lease(*backend_buffers_, token.op == io::Op::kRecv ? cqe : io::Cqe{});
  Upstream* upstream = pool_->slab().Find(token.slot, token.generation);
  if (upstream == nullptr) {
    ++stale_cqes_;
    return;
  }
  switch (token.op) {
    case io::Op::kConnect:
      BackendConnected(*upstream, cqe);
      return;
    case io::Op::kRecv:
      BackendReceived(*upstream, upstream->stream.OnRecv(*backend_env_, cqe, lease.bytes()));
      return;
    case io::Op::kSend:
      BackendSent(*upstream, upstream->stream.OnSend(*backend_env_, cqe));
      return;
    case io::Op::kCancel:
      upstream->stream.OnCancel(*backend_env_, cqe);
      return;
    default:
      CHECK(false, "unknown operation of an upstream connection");
  }
}

void Worker::BackendConnected(Upstream& upstream, const io::Cqe& cqe) {
  const UpstreamState before = upstream.state;
  backend::UpstreamUser* user = upstream.user;
  const backend::BackendRuntime& backend = *upstream.backend;
  const io::Millis started_ms = upstream.dial_started_ms;
  const int error = pool_->OnConnect(upstream, cqe, context_->now_ms);
  if (before != UpstreamState::kDialing) return;
  connection::CountConnect(*context_, backend, error, context_->now_ms - started_ms);
  Downstream& down = *static_cast<Downstream*>(user);
  if (error == 0) connection::NoteTarget(down, upstream);
  if (down.state == State::kDialing) {
    connection::OnRelayConnect(*context_, down, error);
  } else if (down.state == State::kHttp) {
    down.http->OnBackendConnect(error);
  }
}

void Worker::BackendReceived(Upstream& upstream, io::RecvEvent event) {
  if (upstream.state == UpstreamState::kIdle) {
    if (event != io::RecvEvent::kNothing) pool_->OnIdleEvent(upstream);
    return;
  }
  if (upstream.state != UpstreamState::kBusy) return;
  Downstream& down = UserOf(upstream);
  if (down.state == State::kRelay) {
    connection::OnRelayBackendRecv(*context_, down, event);
  } else if (down.state == State::kHttp) {
    down.http->OnBackendRecv(event);
  }
}

void Worker::BackendSent(Upstream& upstream, io::SendEvent event) {
  if (upstream.state == UpstreamState::kIdle && event == io::SendEvent::kError)
    pool_->OnIdleEvent(upstream);
  if (upstream.state != UpstreamState::kBusy) return;
  Downstream& down = UserOf(upstream);
  if (down.state == State::kRelay) {
    connection::OnRelayBackendSend(*context_, down, event);
  } else if (down.state == State::kHttp) {
    down.http->OnBackendSend(event);
  }
}

void Worker::OnTimer(io::TimerNode& node) {
  options_.shard->timer_fires.Add();
  if (node.owner == static_cast<uint8_t>(io::Owner::kDownstream)) {
    connection::OnDeadline(*context_, *downstreams_->At(node.slot));
    return;
  }
  Upstream& upstream = *pool_->slab().At(node.slot);
  if (!pool_->OnTimer(upstream)) return;
  // A connect that takes too long: the user is told, as of any other failure to connect.
  Downstream& down = UserOf(upstream);
  connection::CountConnect(*context_, *upstream.backend, ETIMEDOUT,
                           context_->now_ms - upstream.dial_started_ms);
  pool_->MarkDown(upstream, context_->now_ms);
  pool_->Close(upstream, false);
  if (down.state == State::kDialing) {
    connection::OnRelayConnect(*context_, down, ETIMEDOUT);
  } else if (down.state == State::kHttp) {
    down.http->OnBackendConnect(ETIMEDOUT);
  }
}

}  // namespace portcullis::worker
