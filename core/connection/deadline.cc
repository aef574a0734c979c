#include "core/connection/deadline.h"

#include <algorithm>

#include "core/connection/close.h"
#include "core/connection/handshake.h"
#include "core/connection/http_relay.h"
#include "core/connection/lapse.h"

namespace portcullis::connection {
namespace {

// When the client's standing is to be asked again, as the wall clock stands; 0: not at all. Once it
// is lost, when what still runs is cut.
io::Millis StandingDeadline(const Context& ctx, const Downstream& down) {
  if (down.lapse != tls::Rejection::kNone) return down.cut_ms;
  if (down.holds_until_s == INT64_MAX) return 0;
  const int64_t left_ms = (down.holds_until_s + 1) * 1000 - ctx.unix_ms;
  return ctx.now_ms + static_cast<io::Millis>(std::max<int64_t>(left_ms, 0));
}

bool OutputPending(const Downstream& down) {
  // Stream::output() has no const form because appending is what it is for.
  return !const_cast<Downstream&>(down).stream.output().empty();
}

io::Millis RelayDeadline(const config::Timeouts& timeouts, Downstream& down) {
  io::Millis deadline = down.activity_ms + Ms(timeouts.idle);
  if (!down.stream.output().empty())
    deadline = std::min(deadline, down.write_ms + Ms(timeouts.write_stall));
  return deadline;
}

// The client has taken nothing of what is queued for it for too long.
bool Stalled(const Context& ctx, const Downstream& down) {
  return OutputPending(down) &&
         down.write_ms + Ms(down.runtime->timeouts.write_stall) <= ctx.now_ms;
}

io::Millis StageDeadline(const Context& ctx, const Downstream& down) {
  const config::Timeouts& timeouts = down.runtime->timeouts;
  switch (down.state) {
    case State::kHandshake:
      return static_cast<io::Millis>(down.accepted_ns / 1'000'000) + Ms(timeouts.handshake);
    case State::kLingering:
      return OutputPending(down) ? down.linger_ms + Ms(timeouts.write_stall)
                                 : down.linger_ms + kLingerMs;
    case State::kHttp:
      return OutputPending(down)
                 ? std::min(down.write_ms + Ms(timeouts.write_stall), down.http->Deadline())
                 : down.http->Deadline();
    case State::kDialing:
    case State::kRelay:
      return RelayDeadline(timeouts, const_cast<Downstream&>(down));
    case State::kFree:
    case State::kClosing:
      break;
  }
  return ctx.now_ms + Ms(timeouts.idle);
}

bool IsServed(const Downstream& down) {
  return down.state == State::kHttp || down.state == State::kRelay || down.state == State::kDialing;
}

}  // namespace

io::Millis DeadlineOf(const Context& ctx, const Downstream& down) {
  const io::Millis deadline = StageDeadline(ctx, down);
  const io::Millis standing = IsServed(down) ? StandingDeadline(ctx, down) : 0;
  return standing == 0 ? deadline : std::min(deadline, standing);
}

void ArmDeadline(Context& ctx, Downstream& down) {
  if (down.live()) ctx.wheel.Arm(down.timer, DeadlineOf(ctx, down));
}

void OnDeadline(Context& ctx, Downstream& down) {
  if (!down.live()) return;
  if (const io::Millis due = IsServed(down) ? StandingDeadline(ctx, down) : 0;
      due != 0 && due <= ctx.now_ms) {
    if (down.lapse != tls::Rejection::kNone) {
      Abort(ctx, down, CloseCause::kLapsed);
      return;
    }
    CheckStanding(ctx, down);
    if (!IsServed(down)) return;
  }
  const io::Millis deadline = DeadlineOf(ctx, down);
  if (deadline > ctx.now_ms) {
    ctx.wheel.Arm(down.timer, deadline);
    return;
  }
  switch (down.state) {
    case State::kHandshake:
      RefuseHandshake(ctx, down, tls::Rejection::kTimeout);
      return;
    case State::kHttp:
      if (Stalled(ctx, down)) {
        Abort(ctx, down, CloseCause::kStalled);
      } else {
        down.http->OnDeadline();
      }
      return;
    case State::kRelay:
      // A relay that stood still is cut in a way both sides can tell from a clean end.
      Abort(ctx, down, Stalled(ctx, down) ? CloseCause::kStalled : CloseCause::kIdle);
      return;
    case State::kDialing:
      Close(ctx, down, CloseCause::kIdle);
      return;
    case State::kLingering:
      Close(ctx, down, down.cause);
      return;
    case State::kFree:
    case State::kClosing:
      return;
  }
}

void DrainConnection(Context& ctx, Downstream& down) {
  switch (down.state) {
    case State::kHandshake:
      // It may still finish and be served one request: cutting it would fail a client that was
      // already let in.
      return;
    case State::kHttp:
      down.http->OnDrain();
      return;
    default:
      (void)ctx;
      return;
  }
}

}  // namespace portcullis::connection
