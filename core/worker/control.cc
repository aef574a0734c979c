// What the supervisor asks of a worker: a new configuration, a drain, the end; and the housekeeping
// that follows.
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/connection/client_status.h"
#include "core/connection/close.h"
#include "core/connection/deadline.h"
#include "core/connection/handshake.h"
#include "core/connection/lapse.h"
#include "core/connection/signature.h"
#include "core/worker/worker.h"
#include "io/check.h"

namespace portcullis::worker {

using connection::Downstream;

namespace {

metrics::OcspResult OcspResultOf(tls::ClientStatus status) {
  switch (status) {
    case tls::ClientStatus::kGood:
      return metrics::OcspResult::kGood;
    case tls::ClientStatus::kRevoked:
      return metrics::OcspResult::kRevoked;
    case tls::ClientStatus::kUnavailable:
      break;
  }
  return metrics::OcspResult::kUnavailable;
}

}  // namespace

void Worker::Handle(Message message) {
  if (auto* update = std::get_if<Update>(&message)) {
    Apply(std::move(*update));
  } else if (const auto* drain = std::get_if<Drain>(&message)) {
    BeginDrain(drain->limit);
  } else if (const auto* list = std::get_if<ListClients>(&message)) {
    FillIn(list->most, *list->answer);
  } else if (auto* status = std::get_if<ocsp::StatusResult>(&message)) {
    Settle(std::move(*status));
  } else if (auto* result = std::get_if<signing::Result>(&message)) {
    Downstream* const down = downstreams_->Find(result->slot, result->generation);
    if (down != nullptr) connection::OnSignature(*context_, *down, std::move(*result));
  } else {
    BeginDrain(std::chrono::milliseconds(0));
    CutAll();
  }
}

// Whom the responder has come to call revoked is not served any longer, nor resumed, whichever
// worker has heard it. Whoever asked counts the answer.
void Worker::Settle(ocsp::StatusResult result) {
  if (result.asked) {
    options_.shard->CountOcspAnswer(OcspResultOf(result.answer.status), result.took_ns);
  }
  const bool was_revoked = statuses_->KnowsRevoked(result.key);
  const std::vector<ocsp::Waiter> waiters =
      statuses_->Settle(result.key, result.answer, context_->unix_ms / 1000);
  if (!was_revoked && statuses_->KnowsRevoked(result.key)) AskEveryone();
  for (const ocsp::Waiter& waiter : waiters) {
    Downstream* const down = downstreams_->Find(waiter.slot, waiter.generation);
    if (down != nullptr) connection::OnStatus(*context_, *down, result.answer);
  }
}

void Worker::Apply(Update update) {
  if (stopping_) {
    for (const int fd : update.sockets) {
      if (fd >= 0) close(fd);
    }
    return;
  }
  Retire();
  runtime_ = std::move(update.runtime);
  for (auto& listener : runtime_->listeners) {
    listener->hosts->SetVerdictCache(&*verdicts_);
    listener->hosts->SetKnownStatuses(&*statuses_);
  }
  context_->current = runtime_.get();
  next_to_check_ = 0;
  asks_everyone_ = asks_everyone_next_ = false;  // whoever was let in so far is asked anyway
  SetTablesClock();
  for (auto& slot : listeners_) {
    const bool kept =
        std::any_of(runtime_->listeners.begin(), runtime_->listeners.end(),
                    [&](const auto& listener) { return listener->address == slot->address; });
    if (!kept) CloseListener(*slot);
  }
  for (size_t i = 0; i < runtime_->listeners.size(); ++i)
    Attach(*runtime_->listeners[i], update.sockets[i]);
  HandBackRetired();
}

void Worker::FillIn(uint32_t most, ClientList& list) const {
  seen_->ForEach([&](const connection::SeenClient& client) {
    if (list.clients.size() >= most) return;
    connection::SeenClient copy = client;
    copy.identity = std::make_shared<const tls::PeerIdentity>(*client.identity);
    list.clients.push_back(std::move(copy));
  });
  list.ready.release();
}

void Worker::Attach(connection::ListenerRuntime& listener, int fd) {
  for (auto& slot : listeners_) {
    if (slot->acceptor.open() && !slot->acceptor.closing() && slot->address == listener.address) {
      CHECK(fd < 0, "a second socket for a listener that stays");
      slot->listener = &listener;
      slot->runtime = runtime_.get();
      return;
    }
  }
  CHECK(fd >= 0, "no socket for a new listener");
  ListenerSlot* free_slot = nullptr;
  uint32_t index = 0;
  for (; index < listeners_.size(); ++index) {
    if (!listeners_[index]->acceptor.open()) {
      free_slot = listeners_[index].get();
      break;
    }
  }
  if (free_slot == nullptr) {
    listeners_.push_back(std::make_unique<ListenerSlot>());
    free_slot = listeners_.back().get();
  }
  free_slot->address = listener.address;
  free_slot->listener = &listener;
  free_slot->runtime = runtime_.get();
  free_slot->rearm_at_ms = 0;
  free_slot->acceptor.Open(
      fd,
      io::Token{.owner = io::Owner::kListener, .generation = free_slot->generation, .slot = index});
  free_slot->acceptor.Arm(*ring_);
}

// The runtime stays until the socket is closed: what the kernel has queued by then is still
// accepted (FinishClosing).
void Worker::CloseListener(ListenerSlot& slot) {
  if (!slot.acceptor.open() || slot.acceptor.closing()) return;
  ++slot.runtime->connections;
  slot.rearm_at_ms = 0;
  slot.acceptor.BeginClose(*ring_);
}

// Closing a listening socket resets the connections queued on it, so they are taken first.
void Worker::FinishClosing(ListenerSlot& slot) {
  for (int fd = slot.acceptor.TakeBacklog(); fd >= 0; fd = slot.acceptor.TakeBacklog())
    Accepted(slot, fd);
  slot.acceptor.Close();
  slot.generation = (slot.generation + 1) & io::kGenerationMask;
  --slot.runtime->connections;
  slot.runtime = nullptr;
  slot.listener = nullptr;
}

void Worker::BeginDrain(std::chrono::milliseconds limit) {
  if (stopping_) return;
  stopping_ = true;
  for (auto& slot : listeners_) CloseListener(*slot);
  context_->draining = true;
  drain_deadline_ms_ = context_->now_ms + static_cast<io::Millis>(limit.count());
  downstreams_->ForEachLive(
      [this](Downstream& down) { connection::DrainConnection(*context_, down); });
}

// At the bound of a drain, and from then on until nothing is left: connections that the kernel had
// queued on a listener come in as late as its closing.
void Worker::CutAll() {
  constexpr io::Millis kAgainMs = 50;
  drain_deadline_ms_ = context_->now_ms + kAgainMs;
  downstreams_->ForEachLive([this](Downstream& down) {
    const bool is_told = down.refusal == tls::Rejection::kShutdown;
    if (down.state == connection::State::kHandshake) {
      connection::RefuseHandshake(*context_, down, tls::Rejection::kShutdown);
      down.cut_ms = context_->now_ms + connection::kLingerMs;
    } else if (!is_told || down.cut_ms <= context_->now_ms) {
      connection::Close(*context_, down, is_told ? down.cause : connection::CloseCause::kDrained);
    }
  });
}

// Pauses accepting near the limits, with hysteresis, so that the kernel's backlog queues rather
// than we refuse.
void Worker::GovernAccept() {
  for (auto& slot : listeners_) {
    if (slot->rearm_at_ms == 0 || slot->rearm_at_ms > context_->now_ms) continue;
    slot->rearm_at_ms = 0;
    slot->acceptor.Arm(*ring_);
  }
  if (runtime_ == nullptr || stopping_) return;
  const auto share = [](uint32_t limit, uint32_t percent) {
    return uint64_t{limit} * percent / 100;
  };
  const uint32_t live = downstreams_->live();
  const bool full = live >= std::max<uint64_t>(share(runtime_->max_connections, 95), 1) ||
                    context_->handshakes >= runtime_->max_handshakes;
  const bool roomy = live <= share(runtime_->max_connections, 90) &&
                     context_->handshakes <= share(runtime_->max_handshakes, 90);
  if (!(accept_paused_ ? roomy : full)) return;
  accept_paused_ = !accept_paused_;
  for (auto& slot : listeners_) {
    if (!slot->acceptor.open() || slot->acceptor.closing()) continue;
    accept_paused_ ? slot->acceptor.Pause(*ring_) : slot->acceptor.Resume(*ring_);
  }
}

// Connections of the runtime in force too. A pass under way is finished first: news that come
// faster than passes end must not keep the last connections from being asked.
void Worker::AskEveryone() {
  if (next_to_check_ != UINT32_MAX) {
    asks_everyone_next_ = true;
    return;
  }
  next_to_check_ = 0;
  asks_everyone_ = true;
}

// After a reload every connection is asked once whether its client would be let in now, in slices
// that delay nobody: a look-up or two each as a rule, a whole verification where the trust changed.
void Worker::CheckStandings() {
  constexpr int kSlice = 256;
  constexpr int64_t kSliceNs = 2'000'000;
  if (next_to_check_ == UINT32_MAX) return;
  const int64_t until_ns = connection::NowNs() + kSliceNs;
  for (int asked = 0; asked < kSlice && connection::NowNs() < until_ns; ++next_to_check_) {
    Downstream* const down = downstreams_->At(next_to_check_);
    if (down == nullptr) {
      asks_everyone_ = std::exchange(asks_everyone_next_, false);
      next_to_check_ = asks_everyone_ ? 0 : UINT32_MAX;  // that was the last
      return;
    }
    if (!down->live() || (down->runtime == context_->current && !asks_everyone_)) continue;
    connection::CheckStanding(*context_, *down);
    ++asked;
  }
}

void Worker::SweepAll() {
  connection::Sweep(*context_, [this](Downstream& down) { downstreams_->Give(&down); });
  bool listening = false;
  for (auto& slot : listeners_) {
    if (slot->acceptor.open() && slot->acceptor.releasable()) FinishClosing(*slot);
    listening = listening || slot->acceptor.open();
  }
  if (stopping_ && !listening && downstreams_->live() == 0) {
    // Until here a Cut may still come.
    if (!std::exchange(inbox_closed_, true)) inbox_->BeginClose(*ring_);
    context_->current = nullptr;
    Retire();
  }
  if (!retired_.empty()) HandBackRetired();
  pool_->Sweep();
}

// The runtime in force, if there is one, is so no longer.
void Worker::Retire() {
  if (runtime_ == nullptr) return;
  for (const auto& backend : runtime_->backends) pool_->Retire(*backend);
  retired_.push_back(std::move(runtime_));
}

// Hands back what no connection belongs to any more: freeing thousands of TLS contexts is nothing
// for a worker to do. Connections to its backends may still be there: they hold those themselves.
void Worker::HandBackRetired() {
  std::erase_if(retired_, [this](std::unique_ptr<connection::Runtime>& runtime) {
    if (runtime->connections != 0) return false;
    options_.returns->Push(std::move(runtime));
    return true;
  });
}

}  // namespace portcullis::worker
