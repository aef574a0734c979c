#include "core/config/describe.h"

#include <string_view>
#include <vector>

#include "core/config/byte_sizes.h"
#include "core/config/durations.h"
#include "core/config/enum_names.h"
#include "core/config/text.h"

namespace portcullis::config {
namespace {

// Appends the parts as one line.
template <typename... Parts>
void Line(std::string& out, const Parts&... parts) {
  (AppendPart(out, parts), ...);
  out += '\n';
}

std::string DescribeReload(const Reload& reload) {
  if (reload.is_percent && reload.refuse_over == 100) return "however many clients it refuses";
  return Concat("only if it refuses at most ", reload.refuse_over,
                reload.is_percent ? "% of the clients seen lately" : " clients seen lately");
}

void DescribeProcess(const Config& config, std::string& out) {
  const std::string count = config.workers == 0 ? "one a usable core" : Concat(config.workers);
  Line(out, "workers: ", count, config.pin_workers ? ", pinned" : ", not pinned");
  Line(out, "admin: ", config.admin.address.empty() ? "off" : config.admin.address);
  Line(out, "log: messages from ", NameOf(kLogLevels, config.log.level),
       " up on stderr; connections to ", config.log.connections, "; the last ",
       config.log.rejections_kept, " rejections of each reason kept");
  const Timeouts& timeouts = config.timeouts;
  Line(out, "timeouts: handshake ", FormatDuration(timeouts.handshake), ", request head ",
       FormatDuration(timeouts.request_head), ", idle ", FormatDuration(timeouts.idle),
       ", write stall ", FormatDuration(timeouts.write_stall), ", response ",
       FormatDuration(timeouts.response), ", drain ", FormatDuration(timeouts.drain), ", lapse ",
       FormatDuration(timeouts.lapse));
  const Limits& limits = config.limits;
  Line(out, "limits: ", limits.max_connections, " connections, ", limits.max_handshakes,
       " handshakes in progress, request head ", FormatByteSize(limits.max_request_head_bytes),
       " and ", limits.max_headers, " headers, client chain ",
       FormatByteSize(limits.max_chain_bytes), "; ", limits.verdict_cache,
       " chains remembered a worker");
  const std::string slot = FormatDuration(config.tickets.slot);
  Line(out, "tickets: ",
       config.tickets.secret_file.empty() ? "a random secret of this process"
                                          : Concat("secret ", config.tickets.secret_file),
       ", a key for ", slot);
  Line(out, "reload: ", DescribeReload(config.reload));
}

std::string DescribeSigning(const tls::SigningWish& signing) {
  const bool any = signing.provider == tls::KeyProviderWish::kAuto;
  return Concat(any ? "" : ", key provider ", any ? "" : NameOf(kKeyProviders, signing.provider),
                signing.helper == tls::HelperWish::kAlways  ? ", signatures on a helper thread"
                : signing.helper == tls::HelperWish::kNever ? ", signatures on the worker"
                                                            : "");
}

std::string DescribeTls(const Tls& tls, StageMode mode) {
  const std::string versions = tls.min_version == tls.max_version
                                   ? Concat("TLS ", tls.min_version)
                                   : Concat("TLS ", tls.min_version, " to ", tls.max_version);
  const std::string ciphers = tls.ciphers.empty() ? "default" : tls.ciphers;
  const std::string groups = tls.groups.empty() ? "default" : Join(tls.groups, " ");
  const std::string sessions =
      tls.tickets ? Concat("tickets for ", FormatDuration(tls.session_lifetime)) : "no tickets";
  const std::string alpn =
      tls.alpn.empty() || mode != StageMode::kTcp ? "" : Concat(", ALPN ", Join(tls.alpn, " "));
  return Concat(versions, ", ciphers ", ciphers, ", groups ", groups, alpn, ", ", sessions,
                DescribeSigning(tls.signing));
}

std::string DescribeClientAuth(const ClientAuth& auth, StageMode mode) {
  if (auth.mode == AuthMode::kOff) return "not asked for";
  const bool page = auth.refusal == Refusal::kHttp && mode == StageMode::kHttp;
  const std::string_view asked = auth.mode == AuthMode::kRequire    ? "required"
                                 : auth.mode == AuthMode::kOptional ? "optional"
                                                                    : "optional, of any CA";
  return Concat(
      asked, ", trust ", auth.trust, auth.profile == tls::Profile::kStrict ? ", strict" : "",
      ", at most ", auth.max_depth, " intermediates, refused by ",
      page ? "an HTTP 400 page" : "a TLS alert",
      auth.send_ca_names == CaNames::kNone  ? ", CA names not sent"
      : auth.send_ca_names == CaNames::kFit ? ", CA names sent as far as they fit"
                                            : "",
      auth.close_on_change ? "" : ", live connections stay on changes",
      page && auth.explain_refusals ? ", refusals explained to the client" : "",
      auth.pass_certificate && mode == StageMode::kHttp ? ", certificate passed to the backend"
                                                        : "");
}

void DescribeRules(std::string_view verb, const std::vector<tls::RuleSpec>& rules,
                   std::string& out) {
  for (const tls::RuleSpec& rule : rules) {
    std::vector<std::string> matches;
    for (const tls::MatchSpec& match : rule.all_of) {
      matches.push_back(Concat(tls::FieldName(match.field), " ", Join(match.values, " or ")));
    }
    Line(out, "    policy: ", verb, rule.name.empty() ? "" : Concat(" (", rule.name, ")"), " ",
         Join(matches, ", and "));
  }
}

void DescribeHost(const VirtualHost& host, StageMode mode, std::string& out) {
  Line(out, "  host ", host.name, ": ", Join(host.server_names, ", "));
  Line(out, "    ", DescribeTls(host.tls, mode));
  for (const Certificate& certificate : host.certificates) {
    Line(out, "    certificate ", certificate.chain_path, ", key ", certificate.key_path,
         certificate.ocsp_response_path.empty() ? "" : ", OCSP response ",
         certificate.ocsp_response_path);
  }
  Line(out, "    client certificates: ", DescribeClientAuth(host.client_auth, mode));
  DescribeRules("deny", host.client_auth.policy.deny, out);
  DescribeRules("allow", host.client_auth.policy.allow, out);
  if (mode == StageMode::kHttp) {
    Line(out, "    identity headers: ", NameOf(kIdentityProfiles, host.identity),
         "; forwarding headers: ", NameOf(kForwardings, host.forwarding),
         host.server_tokens ? "" : "; no Server header");
  }
  Line(out, "    backend ", host.backend);
}

void DescribeListener(const Config& config, const Listener& listener, std::string& out) {
  Line(out, "listener ", listener.name, ": ", listener.address, ", ",
       NameOf(kStageModes, listener.mode), ", backlog ", listener.backlog);
  Line(out, "  without SNI: ", listener.default_host, "; with an unknown one: ",
       listener.refuse_unknown_sni ? std::string_view("refused") : listener.default_host);
  for (const std::string& name : listener.hosts) {
    for (const VirtualHost& host : config.virtual_hosts) {
      if (host.name == name) DescribeHost(host, listener.mode, out);
    }
  }
}

void DescribeTrust(const Trust& trust, std::string& out) {
  Line(out, "trust ", trust.name);
  for (const std::string& path : trust.ca_paths) Line(out, "  CA ", path);
  for (const std::string& path : trust.intermediate_paths) Line(out, "  intermediates ", path);
  if (!trust.intermediates_as_anchors) Line(out, "  only self-signed CAs are anchors");
  for (const std::string& path : trust.crl_paths) Line(out, "  CRL ", path);
  const tls::RevocationSpec& revocation = trust.revocation;
  const bool crls = revocation.mode != tls::RevocationMode::kOff && !trust.crl_paths.empty();
  const bool ocsp = trust.ocsp.mode != tls::OcspMode::kOff;
  if (crls) {
    Line(out, "  revocation by CRL: ", NameOf(kRevocationModes, revocation.mode), ", ",
         NameOf(kRevocationScopes, revocation.scope), ", grace ",
         FormatDuration(std::chrono::seconds(revocation.grace_s)));
  }
  if (ocsp) {
    Line(out, "  revocation by OCSP: ", NameOf(kOcspModes, trust.ocsp.mode), ", ",
         trust.ocsp.responder.empty() ? "the certificate's responder" : trust.ocsp.responder,
         ", within ", FormatDuration(trust.ocsp.timeout));
  }
  if (!crls && !ocsp) Line(out, "  revocation is not checked");
}

void DescribeBackend(const Backend& backend, std::string& out) {
  Line(out, "backend ", backend.name, ": connect within ", FormatDuration(backend.connect_timeout),
       ", keep up to ", backend.max_idle_per_target, " idle connections a target and worker for ",
       FormatDuration(backend.keepalive_timeout));
  for (const Target& target : backend.targets) Line(out, "  target ", target.address);
}

}  // namespace

std::string Describe(const Config& config) {
  std::string out;
  DescribeProcess(config, out);
  for (const Listener& listener : config.listeners) DescribeListener(config, listener, out);
  for (const Trust& trust : config.trusts) DescribeTrust(trust, out);
  for (const Backend& backend : config.backends) DescribeBackend(backend, out);
  return out;
}

}  // namespace portcullis::config
