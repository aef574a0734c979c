// listeners and backends: where connections come from and where they go.

#include <utility>

#include "core/config/sections.h"

namespace portcullis::config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr DurationRange kConnectTimeout = {milliseconds(1), minutes(5)};
constexpr DurationRange kKeepaliveTimeout = {milliseconds(1), hours(24)};
constexpr NumberRange kBacklog = {1, 65535};
constexpr NumberRange kMaxIdle = {0, 65535};

}  // namespace

Listener ReadListener(ReadContext& context, Value value) {
  Listener listener;
  listener.where = context.diagnostics.At(value.node.where, value.path);
  MapReader reader(context, std::move(value));
  reader.Text("name", kNameRule, listener.name);
  reader.Text("address", kListenAddressRule, listener.address);
  reader.Choice("mode", kStageModes, listener.mode);
  reader.TextList("hosts", kNameRule, listener.hosts);
  reader.Text("default_host", kNameRule, listener.default_host);
  reader.Choice("unknown_sni", kUnknownSniRefused, listener.refuse_unknown_sni);
  reader.Number("backlog", kBacklog, listener.backlog);
  reader.Finish();
  reader.Require("name", kNameRule.allowed);
  reader.Require("address", kListenAddressRule.allowed);
  return listener;
}

Backend ReadBackend(ReadContext& context, Value value) {
  Backend backend;
  backend.where = context.diagnostics.At(value.node.where, value.path);
  MapReader reader(context, std::move(value));
  reader.Text("name", kNameRule, backend.name);
  reader.List("targets", [&](const Value& item, size_t) {
    if (const std::optional<std::string> address = TextOf(context, item, kTargetAddressRule)) {
      backend.targets.push_back({*address, context.diagnostics.At(item.node.where, item.path)});
    }
  });
  reader.Duration("connect_timeout", kConnectTimeout, backend.connect_timeout);
  reader.Number("max_idle_per_target", kMaxIdle, backend.max_idle_per_target);
  reader.Duration("keepalive_timeout", kKeepaliveTimeout, backend.keepalive_timeout);
  reader.Finish();
  reader.Require("name", kNameRule.allowed);
  reader.Require("targets", "a list of addresses");
  return backend;
}

}  // namespace portcullis::config
