// The sections that hold for the whole process: workers, admin, log, timeouts, limits.

#include "core/config/sections.h"
#include "core/config/text.h"

namespace portcullis::config {
namespace {

using std::chrono::hours;

constexpr uint32_t kMaxWorkers = 1024;
constexpr uint32_t kMaxConnections = 1 << 22;
constexpr uint32_t kKiB = 1 << 10;
constexpr uint32_t kMiB = 1 << 20;
constexpr DurationRange kDeadline = {milliseconds(1), hours(24)};
constexpr DurationRange kDeadlineOrNone = {milliseconds(0), hours(24)};

void ReadWorkers(ReadContext& context, MapReader& top, uint32_t& workers) {
  const std::optional<Value> value = top.Take("workers");
  if (!value) return;
  if (value->node.kind == YamlKind::kScalar && value->node.text == "auto") {
    workers = 0;
    return;
  }
  const std::optional<uint32_t> number = ParseWhole<uint32_t>(value->node.text);
  if (!number || *number == 0 || *number > kMaxWorkers) {
    Reject(context, *value, "auto, or a whole number from 1 to 1024");
    return;
  }
  workers = *number;
}

void ReadAdmin(ReadContext& context, MapReader& top, Admin& admin) {
  std::optional<Value> value = top.Take("admin");
  if (!value) return;
  MapReader reader(context, *std::move(value));
  const std::optional<Value> address = reader.Take("address");
  if (address) {
    const TextRule rule = {kListenAddressRule.check,
                           "off, or IPv4:port, [IPv6]:port or *:port, port 0 to 65535"};
    const YamlNode& node = address->node;
    if (node.kind == YamlKind::kScalar && (node.text.empty() || node.text == "off")) {
      admin.address.clear();
    } else if (const auto text = TextOf(context, *address, rule)) {
      admin.address = *text;
    }
  }
  reader.Finish();
}

void ReadLog(ReadContext& context, MapReader& top, Log& log) {
  std::optional<Value> value = top.Take("log");
  if (!value) return;
  MapReader reader(context, *std::move(value));
  reader.Choice("level", kLogLevels, log.level);
  reader.Text("connections", {kAnyTextRule.check, "stdout, stderr, off, or the path of a file"},
              log.connections);
  const bool is_stream =
      log.connections == "stdout" || log.connections == "stderr" || log.connections == "off";
  if (!is_stream) log.connections = ResolvePath(context, log.connections);
  reader.Finish();
}

void ReadTimeouts(ReadContext& context, MapReader& top, Timeouts& timeouts) {
  std::optional<Value> value = top.Take("timeouts");
  if (!value) return;
  MapReader reader(context, *std::move(value));
  reader.Duration("handshake", kDeadline, timeouts.handshake);
  reader.Duration("request_head", kDeadline, timeouts.request_head);
  reader.Duration("idle", kDeadline, timeouts.idle);
  reader.Duration("write_stall", kDeadline, timeouts.write_stall);
  reader.Duration("response", kDeadline, timeouts.response);
  reader.Duration("drain", kDeadlineOrNone, timeouts.drain);
  reader.Finish();
}

void ReadLimits(ReadContext& context, MapReader& top, Limits& limits) {
  std::optional<Value> value = top.Take("limits");
  if (!value) return;
  MapReader reader(context, *std::move(value));
  reader.Number("max_connections", {1, kMaxConnections}, limits.max_connections);
  reader.Number("max_handshakes", {1, kMaxConnections}, limits.max_handshakes);
  reader.Bytes("max_request_head_bytes", {kKiB, kMiB}, limits.max_request_head_bytes);
  reader.Number("max_headers", {1, 1024}, limits.max_headers);
  reader.Bytes("max_chain_bytes", {kKiB, kMiB}, limits.max_chain_bytes);
  reader.Finish();
}

}  // namespace

void ReadGlobals(ReadContext& context, MapReader& top, Config& config) {
  ReadWorkers(context, top, config.workers);
  top.Choice("pin_workers", kBools, config.pin_workers);
  ReadAdmin(context, top, config.admin);
  ReadLog(context, top, config.log);
  ReadTimeouts(context, top, config.timeouts);
  ReadLimits(context, top, config.limits);
}

}  // namespace portcullis::config
