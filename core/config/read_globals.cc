// The sections that hold for the whole process: workers, admin, log, timeouts, limits, tickets,
// reload.

#include "core/config/sections.h"
#include "core/config/text.h"

namespace portcullis::config {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr uint32_t kMaxWorkers = 1024;
constexpr uint32_t kMaxConnections = 1 << 22;
constexpr uint32_t kMaxVerdicts = 1 << 20;
constexpr uint32_t kMaxRejections = 1024;
constexpr uint32_t kKiB = 1 << 10;
constexpr uint32_t kMiB = 1 << 20;
constexpr DurationRange kDeadline = {milliseconds(1), hours(24)};
constexpr DurationRange kDeadlineOrNone = {milliseconds(0), hours(24)};
// A key seals for a slot and opens until the end of the next: tickets live up to seven days.
constexpr DurationRange kTicketSlot = {seconds(1), hours(7 * 24)};

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
  reader.Number("rejections_kept", {0, kMaxRejections}, log.rejections_kept);
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
  reader.Duration("lapse", kDeadlineOrNone, timeouts.lapse);
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
  reader.Number("verdict_cache", {0, kMaxVerdicts}, limits.verdict_cache);
  reader.Finish();
}

void ReadTickets(ReadContext& context, MapReader& top, Tickets& tickets) {
  std::optional<Value> value = top.Take("tickets");
  if (!value) return;
  MapReader reader(context, *std::move(value));
  reader.Path("secret_file", tickets.secret_file);
  tickets.where = context.Written(FieldPath(reader.path(), "secret_file"));
  reader.Seconds("slot", kTicketSlot, tickets.slot);
  reader.Finish();
}

// "10%" or a number of clients.
void ReadReload(ReadContext& context, MapReader& top, Reload& reload) {
  constexpr uint32_t kMaxClients = 1'000'000;
  std::optional<Value> section = top.Take("reload");
  if (!section) return;
  MapReader reader(context, *std::move(section));
  if (const std::optional<Value> value = reader.Take("refuse_over")) {
    std::string_view text = value->node.text;
    const bool is_percent = text.ends_with('%');
    if (is_percent) text.remove_suffix(1);
    const std::optional<uint32_t> number = ParseWhole<uint32_t>(text);
    if (number && *number <= (is_percent ? 100 : kMaxClients)) {
      reload = {.is_percent = is_percent, .refuse_over = *number};
    } else {
      Reject(context, *value,
             "a percentage from 0% to 100%, or a whole number of clients from 0 to 1000000");
    }
  }
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
  ReadTickets(context, top, config.tickets);
  ReadReload(context, top, config.reload);
}

}  // namespace portcullis::config
