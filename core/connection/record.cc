#include "core/connection/record.h"

#include <cerrno>
#include <string>

#include "core/connection/traffic.h"
#include "tls/x509_map.h"

namespace portcullis::connection {
namespace {

metrics::ListenerShard& Shard(Context& ctx, const Downstream& down) {
  return ctx.shard.listener(down.listener->metrics_id);
}

metrics::TlsVersion VersionOf(const tls::Engine& engine) {
  const std::string_view version = engine.version();
  if (version == "TLSv1.3") return metrics::TlsVersion::kTls13;
  if (version == "TLSv1.2") return metrics::TlsVersion::kTls12;
  return metrics::TlsVersion::kUnknown;
}

// Rejected: refused for what the client is or asked for. Failed: it broke without a judgement.
metrics::HandshakeResult ResultOf(tls::Rejection reason) {
  switch (reason) {
    case tls::Rejection::kNone:
      return metrics::HandshakeResult::kOk;
    case tls::Rejection::kBadMessage:
    case tls::Rejection::kClientAlert:
    case tls::Rejection::kEof:
    case tls::Rejection::kReset:
    case tls::Rejection::kTimeout:
    case tls::Rejection::kShutdown:
    case tls::Rejection::kInternal:
      return metrics::HandshakeResult::kFailed;
    default:
      return metrics::HandshakeResult::kRejected;
  }
}

void CountVerdict(metrics::ListenerShard& shard, const tls::Engine& engine) {
  const tls::Verdict& verdict = engine.verdict();
  if (verdict.identity == nullptr && !tls::IsCertificateVerdict(verdict.rejection)) {
    const bool asked = engine.host() != nullptr && engine.host()->verifier != nullptr;
    if (engine.handshake_done() && asked) shard.CountVerdict(metrics::ChainVerdict::kNone);
  } else if (verdict.rejection == tls::Rejection::kNoCertificate) {
    shard.CountVerdict(metrics::ChainVerdict::kNone);
  } else if (verdict.accepted()) {
    shard.CountVerdict(metrics::ChainVerdict::kAccepted);
  } else {
    shard.CountVerdict(metrics::ChainVerdict::kRejected, static_cast<size_t>(verdict.rejection));
  }
}

void CountSignature(metrics::WorkerShard& shard, const Downstream& down) {
  const tls::Engine& engine = *down.engine;
  const tls::SignatureState state = engine.signature_state();
  if (state == tls::SignatureState::kNone) return;
  shard.CountKeyOperation(
      static_cast<size_t>(engine.key_provider()),
      down.signed_on_helper ? metrics::SigningThread::kHelper : metrics::SigningThread::kWorker,
      state == tls::SignatureState::kMade     ? metrics::KeyResult::kOk
      : state == tls::SignatureState::kFailed ? metrics::KeyResult::kFailed
                                              : metrics::KeyResult::kAbandoned);
}

void FillIdentity(const tls::Engine& engine, log::ConnectionRecord& record) {
  const tls::Verdict& verdict = engine.verdict();
  if (verdict.identity != nullptr) {
    record.client_subject = verdict.identity->subject;
    record.client_issuer = verdict.identity->issuer;
    record.client_serial = verdict.identity->serial_hex;
    record.client_sha256 = verdict.identity->sha256;
  }
  if (verdict.accepted()) return;
  if (!verdict.detail.empty()) record.detail = verdict.detail;
  if (verdict.x509_error != 0) {
    record.x509_error = tls::X509ErrorText(verdict.x509_error);
    record.failed_depth = verdict.failed_depth;
  }
  record.failed_subject = verdict.failed_subject;
}

void FillTls(const Downstream& down, log::ConnectionRecord& record) {
  const tls::Engine& engine = *down.engine;
  record.sni = engine.sni();
  if (engine.host() != nullptr) record.host = engine.host()->spec->name;
  if (const std::string_view version = engine.version(); version != "unknown") {
    record.version = version;
    record.cipher = engine.cipher();
    record.group = engine.group();
    record.alpn = engine.alpn();
  }
  record.resumed = engine.resumed();
  const tls::Failure& failure = engine.failure();
  record.detail = failure.detail;
  if (failure.has_alert)
    (failure.alert_received ? record.alert_received : record.alert_sent) = failure.alert;
  FillIdentity(engine, record);
}

}  // namespace

void BeginHandshake(Context& ctx, Downstream& down) {
  metrics::ListenerShard& shard = Shard(ctx, down);
  shard.accepted.Add();
  shard.active_connections.Add();
  shard.handshakes_in_progress.Add();
  down.handshake_counted = true;
  ++ctx.handshakes;
}

void EndHandshake(Context& ctx, Downstream& down) {
  if (!down.handshake_counted) return;
  down.handshake_counted = false;
  Shard(ctx, down).handshakes_in_progress.Sub();
  --ctx.handshakes;
}

void RecordHandshake(Context& ctx, Downstream& down, tls::Rejection reason) {
  EndHandshake(ctx, down);
  if (down.handshake_done_ns == 0) down.handshake_done_ns = NowNs();
  metrics::ListenerShard& shard = Shard(ctx, down);
  shard.RecordHandshake(ResultOf(reason), VersionOf(*down.engine), down.engine->resumed(),
                        down.handshake_done_ns - down.accepted_ns);
  if (reason != tls::Rejection::kNone) shard.CountRejection(static_cast<size_t>(reason));
  const tls::Rejection resumption = down.engine->resumption_refused();
  if (resumption != tls::Rejection::kNone) {
    shard.CountRefusedResumption(static_cast<size_t>(resumption));
  }
  CountVerdict(shard, *down.engine);
  CountSignature(ctx.shard, down);
}

void CountConnect(Context& ctx, const backend::BackendRuntime& backend, int error,
                  io::Millis took_ms) {
  metrics::BackendShard& shard = ctx.shard.backend(backend.metrics_id);
  if (error == 0) {
    shard.CountConnect(metrics::ConnectResult::kOk);
    shard.connect_duration.Record(static_cast<int64_t>(took_ms) * 1'000'000);
  } else if (error == ECONNREFUSED) {
    shard.CountConnect(metrics::ConnectResult::kRefused);
  } else if (error == ETIMEDOUT) {
    shard.CountConnect(metrics::ConnectResult::kTimeout);
  } else {
    shard.CountConnect(metrics::ConnectResult::kError);
  }
}

void CountRequest(Context& ctx, Downstream& down, int status, int64_t took_ns) {
  ++down.requests;
  metrics::ListenerShard& shard = Shard(ctx, down);
  shard.CountRequest(status);
  shard.request_duration.Record(took_ns);
}

void RecordMove(Context& ctx, Downstream& down, const ListenerRuntime& to) {
  if (to.metrics_id == down.listener->metrics_id) return;
  SettleTraffic(ctx, down);
  metrics::ListenerShard& before = Shard(ctx, down);
  metrics::ListenerShard& after = ctx.shard.listener(to.metrics_id);
  before.active_connections.Sub();
  after.active_connections.Add();
  if (!down.handshake_counted) return;
  before.handshakes_in_progress.Sub();
  after.handshakes_in_progress.Add();
}

void NoteTarget(Downstream& down, const backend::Upstream& upstream) {
  const std::shared_ptr<const std::string>& text = upstream.target->text;
  if (down.backend_text != text) down.backend_text = text;  // seldom: the count is atomic
}

void NoteUpstreamBytes(Context& ctx, Downstream& down, backend::Upstream& upstream) {
  const uint64_t received = upstream.stream.bytes_received() - upstream.lent_rx;
  const uint64_t sent = upstream.stream.bytes_sent() - upstream.lent_tx;
  upstream.lent_rx = upstream.stream.bytes_received();
  upstream.lent_tx = upstream.stream.bytes_sent();
  down.backend_rx += received;
  down.backend_tx += sent;
  metrics::ListenerShard& shard = Shard(ctx, down);
  shard.CountBytes(metrics::Side::kBackend, metrics::Direction::kReceive, received);
  shard.CountBytes(metrics::Side::kBackend, metrics::Direction::kSend, sent);
}

bool WantsLine(Context& ctx, log::Event event) {
  const log::LogRing::Fate fate = ctx.log.Ask(event);
  if (fate == log::LogRing::Fate::kNoRoom) ctx.shard.log_lines_dropped.Add();
  return fate == log::LogRing::Fate::kWritten;
}

void WriteRecord(Context& ctx, Downstream& down) {
  if (down.recorded) return;
  down.recorded = true;
  metrics::ListenerShard& shard = Shard(ctx, down);
  shard.active_connections.Sub();
  SettleTraffic(ctx, down);

  const log::Event event =
      down.refusal == tls::Rejection::kNone ? log::Event::kConnection : log::Event::kRefused;
  if (!WantsLine(ctx, event)) return;
  const std::string peer = down.peer.ToString();
  log::ConnectionRecord record;
  record.time_ns = down.accepted_unix_ms * 1'000'000;
  record.event = event;
  record.listener = down.listener->name;
  record.worker = ctx.worker_index;
  record.peer = peer;
  FillTls(down, record);
  if (down.refusal != tls::Rejection::kNone) record.reason = tls::Name(down.refusal);
  if (down.handshake_done_ns != 0) {
    record.handshake_ms = static_cast<double>(down.handshake_done_ns - down.accepted_ns) / 1e6;
  }
  record.duration_ms = static_cast<double>(NowNs() - down.accepted_ns) / 1e6;
  if (down.backend_text != nullptr) record.backend = *down.backend_text;
  record.requests = down.requests;
  record.client_rx_bytes = down.client_rx;
  record.client_tx_bytes = down.client_tx;
  record.backend_rx_bytes = down.backend_rx;
  record.backend_tx_bytes = down.backend_tx;
  record.close = down.lapse == tls::Rejection::kNone ? Name(down.cause) : tls::Name(down.lapse);
  if (!ctx.log.Write(record)) ctx.shard.log_lines_dropped.Add();
}

}  // namespace portcullis::connection
