// trusts: whose certificates vouch for clients, and how it is learnt that they no longer do.

#include <filesystem>
#include <utility>

#include "core/config/address.h"
#include "core/config/sections.h"
#include "core/config/text.h"

namespace portcullis::config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr DurationRange kGrace = {milliseconds(0), hours(365 * 24)};
constexpr DurationRange kOcspTimeout = {milliseconds(10), minutes(1)};

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

absl::Status CheckResponder(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme))
    return absl::InvalidArgumentError("it does not begin with http://");
  const std::string_view rest = url.substr(kScheme.size());
  const std::string_view host = rest.substr(0, rest.find('/'));
  for (const char c : rest) {
    if (c <= ' ' || c >= '\x7F') return absl::InvalidArgumentError("it is not printable ASCII");
  }
  const bool has_port = host.find(':') != std::string_view::npos && !host.ends_with(']');
  const std::string with_port = has_port ? std::string(host) : Concat(host, ":80");
  return ParseTargetAddress(with_port).status();
}

constexpr TextRule kResponderRule = {CheckResponder, "a URL such as http://ocsp.example/"};

void ReadRevocation(ReadContext& context, MapReader& trust, tls::RevocationSpec& revocation) {
  std::optional<Value> value = trust.Take("revocation");
  if (!value) return;
  MapReader reader(context, *std::move(value));
  reader.Choice("mode", kRevocationModes, revocation.mode);
  reader.Choice("scope", kRevocationScopes, revocation.scope);
  seconds grace(revocation.grace_s);
  reader.Seconds("grace", kGrace, grace);
  revocation.grace_s = grace.count();
  reader.Finish();
}

void ReadOcsp(ReadContext& context, MapReader& trust, Ocsp& ocsp) {
  std::optional<Value> value = trust.Take("ocsp");
  if (!value) return;
  MapReader reader(context, *std::move(value));
  reader.Choice("mode", kOcspModes, ocsp.mode);
  reader.Text("responder", kResponderRule, ocsp.responder);
  reader.Duration("timeout", kOcspTimeout, ocsp.timeout);
  reader.Finish();
  // Whoever writes the section wants responders asked: the default `off` would ask none, in
  // silence.
  reader.Require("mode", "off, soft, require");
}

}  // namespace

Trust ReadTrust(ReadContext& context, Value value) {
  Trust trust;
  trust.where = context.diagnostics.At(value.node.where, value.path);
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
  PathList(context, reader, "intermediates", trust.intermediate_paths);
  PathList(context, reader, "crl", trust.crl_paths);
  const auto written = [&](std::string_view field) {
    return context.Written(FieldPath(reader.path(), reader.has(field) ? field : "folder"));
  };
  trust.ca_where = written("ca");
  trust.intermediates_where = written("intermediates");
  trust.crl_where = written("crl");
  reader.Choice("intermediates_as_anchors", kBools, trust.intermediates_as_anchors);
  ReadRevocation(context, reader, trust.revocation);
  ReadOcsp(context, reader, trust.ocsp);
  reader.Finish();
  reader.Require("name", kNameRule.allowed);
  if (!reader.has("folder")) {
    reader.Require("ca", "a list of files with CA certificates, or folder with ca.crt in it");
  }
  return trust;
}

}  // namespace portcullis::config
