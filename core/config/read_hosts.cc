// virtual_hosts and the tls section: certificates, versions, client authentication, what the
// backend is told.

#include <algorithm>
#include <utility>

#include "core/config/sections.h"
#include "core/config/text.h"

namespace portcullis::config {
namespace {

using std::chrono::seconds;

constexpr std::string_view kVersions[] = {"1.2", "1.3"};
constexpr std::string_view kGroups[] = {"X25519MLKEM768", "X25519", "P-256", "P-384", "P-521"};
constexpr std::string_view kCertificateForms = "folder, or both certificate and key";
// RFC 8446 section 4.6.1: no ticket lives longer than seven days.
constexpr DurationRange kSessionLifetime = {seconds(1), std::chrono::hours(7 * 24)};
constexpr uint32_t kMaxDepth = 100;

void ReadGroups(ReadContext& context, MapReader& reader, std::vector<std::string>& groups) {
  std::vector<std::string> read;
  reader.List("groups", [&](const Value& item, size_t) {
    const std::optional<size_t> index = WordOf(context, item, kGroups);
    if (!index) return;
    if (std::find(read.begin(), read.end(), kGroups[*index]) != read.end()) {
      Reject(context, item, "each group once");
      return;
    }
    read.emplace_back(kGroups[*index]);
  });
  if (!read.empty()) groups = std::move(read);
}

absl::Status CheckProtocol(std::string_view text) {
  constexpr size_t kMaxBytes = 255;  // RFC 7301 section 3.1
  if (text.size() > kMaxBytes) return absl::InvalidArgumentError("it is too long");
  return kAnyTextRule.check(text);
}

void ReadAlpn(ReadContext& context, MapReader& reader, std::vector<std::string>& alpn) {
  std::vector<std::string> read;
  reader.List("alpn", [&](const Value& item, size_t) {
    const std::optional<std::string> name =
        TextOf(context, item, {CheckProtocol, "an ALPN protocol name of 1 to 255 bytes"});
    if (!name) return;
    if (std::find(read.begin(), read.end(), *name) != read.end()) {
      Reject(context, item, "each protocol once");
      return;
    }
    read.push_back(*name);
  });
  if (!read.empty()) alpn = std::move(read);
}

// Judges the merged versions where this section wrote one of them: inherited ones were judged where
// they stand.
void CheckVersions(ReadContext& context, const std::string& path, const Tls& tls) {
  const std::string min_path = FieldPath(path, "min_version");
  const std::string max_path = FieldPath(path, "max_version");
  const bool min_written = context.sources.Has(min_path);
  if (!min_written && !context.sources.Has(max_path)) return;
  if (tls.min_version > tls.max_version) {
    const std::string& blamed = min_written ? min_path : max_path;
    context.diagnostics.Error(
        {context.sources.Find(blamed), blamed,
         Concat("min_version ", tls.min_version, " above max_version ", tls.max_version),
         "a min_version up to max_version", ""});
  }
}

void ReadCertificate(ReadContext& context, Value item, std::vector<Certificate>& certificates) {
  Certificate certificate;
  certificate.where = context.diagnostics.At(item.node.where, item.path);
  MapReader reader(context, std::move(item));
  std::string folder;
  reader.Path("folder", folder);
  reader.Path("certificate", certificate.chain_path);
  reader.Path("key", certificate.key_path);
  reader.Path("ocsp_response", certificate.ocsp_response_path);
  const auto written = [&](std::string_view field) {
    return context.Written(FieldPath(reader.path(), reader.has("folder") ? "folder" : field));
  };
  certificate.chain_where = written("certificate");
  certificate.key_where = written("key");
  certificate.ocsp_response_where = context.Written(FieldPath(reader.path(), "ocsp_response"));
  reader.Finish();
  const auto wrong = [&](std::string_view found) {
    context.diagnostics.Error(
        {reader.where(), reader.path(), std::string(found), std::string(kCertificateForms), ""});
  };
  if (reader.has("folder")) {
    if (reader.has("certificate") || reader.has("key")) {
      wrong("folder together with certificate or key");
    }
    // The names that a Kubernetes Secret of type kubernetes.io/tls mounts.
    certificate.chain_path = Concat(folder, "/tls.crt");
    certificate.key_path = Concat(folder, "/tls.key");
  } else if (!reader.has("certificate") && !reader.has("key")) {
    reader.Require("folder", kCertificateForms);
  } else if (!reader.has("key")) {
    wrong("a certificate without key");
  } else if (!reader.has("certificate")) {
    wrong("a key without certificate");
  }
  certificates.push_back(std::move(certificate));
}

void ReadClientAuth(ReadContext& context, MapReader& host, ClientAuth& auth) {
  std::optional<Value> value = host.Take("client_auth");
  if (!value) return;
  MapReader reader(context, *std::move(value));
  reader.Choice("mode", kAuthModes, auth.mode);
  reader.Choice("refusal", kRefusals, auth.refusal);
  reader.Text("trust", kNameRule, auth.trust);
  reader.Number("max_depth", {0, kMaxDepth}, auth.max_depth);
  reader.Choice("profile", kProfiles, auth.profile);
  reader.Choice("send_ca_names", kCaNames, auth.send_ca_names);
  ReadPolicy(context, reader, auth.policy);
  reader.Choice("close_on_change", kBools, auth.close_on_change);
  reader.Choice("pass_certificate", kBools, auth.pass_certificate);
  reader.Choice("explain_refusals", kBools, auth.explain_refusals);
  reader.Finish();
  // Whoever writes the section wants clients judged: the default `off` would let all of them in, in
  // silence.
  reader.Require("mode", "off, optional, optional_no_ca, require");
}

void ReadServerNames(ReadContext& context, MapReader& reader, VirtualHost& host) {
  reader.List("server_names", [&](const Value& item, size_t) {
    std::optional<std::string> name = TextOf(context, item, kServerNameRule);
    if (!name) return;
    *name = ToLower(*name);
    const auto same = std::find(host.server_names.begin(), host.server_names.end(), *name);
    if (same != host.server_names.end()) {
      Reject(context, item, "each server name once in a virtual host");
      return;
    }
    host.server_names.push_back(*std::move(name));
  });
}

}  // namespace

void ReadTls(ReadContext& context, MapReader& parent, Tls& tls) {
  std::optional<Value> value = parent.Take("tls");
  if (!value) return;
  MapReader reader(context, *std::move(value));
  reader.Word("min_version", kVersions, tls.min_version);
  reader.Word("max_version", kVersions, tls.max_version);
  reader.Text("ciphers", kAnyTextRule, tls.ciphers);
  ReadGroups(context, reader, tls.groups);
  ReadAlpn(context, reader, tls.alpn);
  reader.Choice("tickets", kBools, tls.tickets);
  reader.Seconds("session_lifetime", kSessionLifetime, tls.session_lifetime);
  reader.Choice("key_provider", kKeyProviders, tls.signing.provider);
  reader.Choice("sign_on_helper", kHelperWishes, tls.signing.helper);
  reader.Finish();
  if (reader.has("groups")) {
    tls.groups_where = context.Written(FieldPath(reader.path(), "groups"));
  }
  CheckVersions(context, reader.path(), tls);
  const std::string ciphers_path = FieldPath(reader.path(), "ciphers");
  if (reader.has("ciphers")) tls.ciphers_where = context.Written(ciphers_path);
  if (context.sources.Has(ciphers_path) && tls.min_version == "1.3") {
    context.diagnostics.Warn(context.sources.Find(ciphers_path), ciphers_path,
                             "has no effect: it is for TLS 1.2, and min_version is 1.3");
  }
}

VirtualHost ReadVirtualHost(ReadContext& context, Value value, const Tls& defaults) {
  VirtualHost host;
  host.tls = defaults;
  host.where = context.diagnostics.At(value.node.where, value.path);
  MapReader reader(context, std::move(value));
  reader.Text("name", kNameRule, host.name);
  ReadServerNames(context, reader, host);
  reader.List("certificates", [&](Value item, size_t) {
    ReadCertificate(context, std::move(item), host.certificates);
  });
  ReadTls(context, reader, host.tls);
  ReadClientAuth(context, reader, host.client_auth);
  reader.Choice("identity", kIdentityProfiles, host.identity);
  reader.Choice("forwarding", kForwardings, host.forwarding);
  reader.Choice("server_tokens", kBools, host.server_tokens);
  reader.Text("backend", kNameRule, host.backend);
  reader.Finish();
  reader.Require("server_names", "a list of names that clients ask for (SNI)");
  reader.Require("certificates",
                 "a list of certificates, each with folder, or with certificate and key");
  reader.Require("backend", "the name of a backend");
  if (host.name.empty() && !host.server_names.empty()) host.name = host.server_names.front();
  return host;
}

}  // namespace portcullis::config
