#include "core/backend/pool.h"

#include <cerrno>

#include "io/check.h"

namespace portcullis::backend {
namespace {

// How long a target that could not be reached is passed over while another one is there.
constexpr io::Millis kDownMs = 5000;

Upstream& OwnerOf(io::ListNode& node) { return *static_cast<UpstreamNode&>(node).owner; }

}  // namespace

Pool::Pool(io::StreamEnv& env, io::TimerWheel& wheel, uint32_t capacity)
    : env_(env), wheel_(wheel), slab_(capacity) {}

// The index of the target whose turn it is: the next one not held to be down, or simply the next if
// all are.
uint32_t Pool::NextTarget(const BackendRuntime& backend, io::Millis now_ms) const {
  const auto count = static_cast<uint32_t>(backend.targets.size());
  CHECK(count > 0, "backend without targets");
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t index = (backend.next_target + i) % count;
    if (backend.targets[index]->down_until_ms <= now_ms) return index;
  }
  return backend.next_target;
}

Upstream* Pool::TakeIdle(BackendRuntime& backend, UpstreamUser& user, io::Millis now_ms) {
  const uint32_t index = NextTarget(backend, now_ms);
  io::ListNode* node = backend.targets[index]->idle.Front();
  if (node == nullptr) return nullptr;
  Upstream& upstream = OwnerOf(*node);
  Unlist(upstream);
  wheel_.Cancel(upstream.timer);
  upstream.state = UpstreamState::kBusy;
  upstream.reused = true;
  upstream.user = &user;
  backend.next_target = (index + 1) % static_cast<uint32_t>(backend.targets.size());
  ++counters_.reuses;
  return &upstream;
}

Upstream* Pool::Dial(const std::shared_ptr<BackendRuntime>& backend, UpstreamUser& user,
                     io::Millis now_ms) {
  const uint32_t index = NextTarget(*backend, now_ms);
  backend->next_target = (index + 1) % static_cast<uint32_t>(backend->targets.size());
  TargetRuntime* target = backend->targets[index].get();
  Upstream* upstream = slab_.Take();
  if (upstream == nullptr) return nullptr;
  const int fd = io::OpenStreamSocket(target->address);
  if (fd < 0) {
    slab_.Give(upstream);
    return nullptr;
  }
  upstream->state = UpstreamState::kDialing;
  upstream->reused = false;
  upstream->abort = false;
  upstream->backend = backend;
  upstream->target = target;
  upstream->user = &user;
  upstream->dial_started_ms = now_ms;
  upstream->lent_rx = upstream->lent_tx = 0;
  upstream->idle_node.owner = upstream;
  upstream->doomed_node.owner = upstream;
  upstream->timer.owner = static_cast<uint8_t>(io::Owner::kUpstream);
  upstream->timer.slot = upstream->slot;
  upstream->stream.Open(fd, io::Token{.owner = io::Owner::kUpstream,
                                      .generation = upstream->generation,
                                      .slot = upstream->slot});
  upstream->stream.UseOneshotRecv();  // bounds what a slow client can make us hold
  upstream->stream.Connect(env_, target->address.data(), target->address.length());
  wheel_.Arm(upstream->timer, now_ms + backend->connect_timeout_ms);
  ++backend->num_upstreams;
  ++counters_.dials;
  return upstream;
}

int Pool::OnConnect(Upstream& upstream, const io::Cqe& cqe, io::Millis now_ms) {
  const int error = upstream.stream.OnConnect(cqe);
  if (upstream.state != UpstreamState::kDialing) return ECANCELED;
  if (error != 0) {
    MarkDown(upstream, now_ms);
    Close(upstream, false);
    return error;
  }
  wheel_.Cancel(upstream.timer);
  upstream.target->down_until_ms = 0;
  upstream.state = UpstreamState::kBusy;
  upstream.stream.StartRecv(env_);
  return 0;
}

void Pool::MarkDown(Upstream& upstream, io::Millis now_ms) {
  upstream.target->down_until_ms = now_ms + kDownMs;
}

void Pool::Keep(Upstream& upstream, io::Millis now_ms) {
  DCHECK(upstream.state == UpstreamState::kBusy);
  TargetRuntime& target = *upstream.target;
  // Output may be left: the answer's completion can overtake that of the request's send. The stream
  // goes on sending.
  const bool usable =
      !upstream.stream.eof() && !upstream.stream.paused() && !upstream.stream.has_held();
  if (!usable || upstream.backend->is_retired ||
      target.num_idle >= upstream.backend->max_idle_per_target) {
    Close(upstream, false);
    return;
  }
  upstream.user = nullptr;
  upstream.state = UpstreamState::kIdle;
  target.idle.PushFront(upstream.idle_node);
  ++target.num_idle;
  ++upstream.backend->num_idle;
  ++num_idle_;
  wheel_.Arm(upstream.timer, now_ms + upstream.backend->keepalive_ms);
}

void Pool::Unlist(Upstream& upstream) {
  if (!upstream.idle_node.linked()) return;
  upstream.idle_node.Unlink();
  --upstream.target->num_idle;
  --upstream.backend->num_idle;
  --num_idle_;
}

void Pool::Close(Upstream& upstream, bool abort) {
  if (upstream.state == UpstreamState::kClosing || upstream.state == UpstreamState::kFree) return;
  Unlist(upstream);
  wheel_.Cancel(upstream.timer);
  upstream.state = UpstreamState::kClosing;
  upstream.user = nullptr;
  upstream.abort = abort;
  upstream.stream.BeginClose(env_);
  doomed_.PushBack(upstream.doomed_node);
}

void Pool::OnIdleEvent(Upstream& upstream) {
  ++counters_.idle_closed;
  Close(upstream, false);
}

bool Pool::OnTimer(Upstream& upstream) {
  if (upstream.state == UpstreamState::kDialing) return true;
  if (upstream.state == UpstreamState::kIdle) Close(upstream, false);
  return false;
}

void Pool::Sweep() {
  for (io::ListNode* node = doomed_.Front(); node != nullptr;) {
    io::ListNode* next = doomed_.Next(*node);
    Upstream& upstream = OwnerOf(*node);
    if (upstream.stream.releasable()) {
      upstream.doomed_node.Unlink();
      upstream.stream.Release(env_, upstream.abort);
      upstream.state = UpstreamState::kFree;
      --upstream.backend->num_upstreams;
      upstream.target = nullptr;
      upstream.backend.reset();  // which may be the last to hold it
      slab_.Give(&upstream);
    }
    node = next;
  }
}

void Pool::Retire(BackendRuntime& backend) {
  backend.is_retired = true;
  for (auto& target : backend.targets) {
    while (io::ListNode* node = target->idle.Front()) Close(OwnerOf(*node), false);
  }
}

}  // namespace portcullis::backend
