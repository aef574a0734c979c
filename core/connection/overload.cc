#include "core/connection/overload.h"

#include <array>
#include <string>

#include "absl/strings/str_cat.h"

#include "core/connection/record.h"
#include "io/listener.h"
#include "tls/rejection.h"

namespace portcullis::connection {
namespace {

constexpr tls::Rejection kReason = tls::Rejection::kOverload;

void WriteLine(Context& ctx, const ListenerRuntime& listener, int fd) {
  const std::string peer = io::PeerOf(fd).ToString();
  std::string detail;
  if (ctx.overloads_unsaid > 0) {
    detail = absl::StrCat(ctx.overloads_unsaid, " more since the last such line");
  }
  log::ConnectionRecord record;
  record.time_ns = ctx.unix_ms * 1'000'000;
  record.event = log::Event::kRefused;
  record.listener = listener.name;
  record.worker = ctx.worker_index;
  record.peer = peer;
  record.reason = tls::Name(kReason);
  record.detail = detail;
  record.alert_sent = tls::Alert(kReason, false);
  record.close = Name(CloseCause::kRefused);
  if (!ctx.log.Write(record)) ctx.shard.log_lines_dropped.Add();
}

}  // namespace

void RefuseOverload(Context& ctx, const ListenerRuntime& listener, int fd) {
  ctx.shard.listener(listener.metrics_id).CountRejection(static_cast<size_t>(kReason));
  if (ctx.now_ms >= ctx.next_overload_line_ms) {
    if (WantsLine(ctx, log::Event::kRefused)) WriteLine(ctx, listener, fd);
    ctx.next_overload_line_ms = ctx.now_ms + kOverloadLineEveryMs;
    ctx.overloads_unsaid = 0;
  } else {
    ++ctx.overloads_unsaid;
  }
  io::TurnAway(fd, tls::AlertRecord(kReason));
}

}  // namespace portcullis::connection
