// listeners, trusts and backends: where connections come from, whom they are trusted by, where they
// go.

#include <filesystem>
#include <utility>

#include "core/config/sections.h"
#include "core/config/text.h"

namespace portcullis::config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr DurationRange kConnectTimeout = {milliseconds(1), minutes(5)};
constexpr DurationRange kKeepaliveTimeout = {milliseconds(1), hours(24)};
constexpr NumberRange kBacklog = {1, 65535};
constexpr NumberRange kMaxIdle = {0, 65535};

// Returns whether there is an entry of this name, be it a dangling link: a CRL that cannot be read
// must fail the load, and not pass for one that was never wanted.
bool MayExist(const std::string& path) {
  std::error_code error;
  const auto type = std::filesystem::symlink_status(path, error).type();
  return type != std::filesystem::file_type::not_found;
}

void PathList(ReadContext& context, MapReader& reader, std::string_view field,
              std::vector<std::string>& out) {
  std::vector<std::string> paths;
  reader.TextList(field, kAnyTextRule, paths);
  for (const std::string& path : paths) out.push_back(ResolvePath(context, path));
}

}  // namespace

Listener ReadListener(ReadContext& context, Value value) {
  Listener listener;
  listener.where = context.diagnostics.At(value.node.where);
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

Trust ReadTrust(ReadContext& context, Value value) {
  Trust trust;
  trust.where = context.diagnostics.At(value.node.where);
  MapReader reader(context, std::move(value));
  reader.Text("name", kNameRule, trust.name);
  std::string folder;
  reader.Path("folder", folder);
  if (!folder.empty()) {
    trust.ca_paths.push_back(Concat(folder, "/ca.crt"));
    std::string crl = Concat(folder, "/ca.crl");
    if (MayExist(crl)) trust.crl_paths.push_back(std::move(crl));
  }
  PathList(context, reader, "ca", trust.ca_paths);
  PathList(context, reader, "crl", trust.crl_paths);
  reader.Finish();
  reader.Require("name", kNameRule.allowed);
  if (!reader.has("folder")) {
    reader.Require("ca", "a list of files with CA certificates, or folder with ca.crt in it");
  }
  return trust;
}

Backend ReadBackend(ReadContext& context, Value value) {
  Backend backend;
  backend.where = context.diagnostics.At(value.node.where);
  MapReader reader(context, std::move(value));
  reader.Text("name", kNameRule, backend.name);
  reader.List("targets", [&](const Value& item, size_t) {
    if (const std::optional<std::string> address = TextOf(context, item, kTargetAddressRule)) {
      backend.targets.push_back({*address, context.diagnostics.At(item.node.where)});
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
