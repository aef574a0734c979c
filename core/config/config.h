// Config: what an operator may say, as typed structs with their defaults. Filled by ParseConfig
// (yaml_reader) and checked by Validate; immutable from then on. Holds paths, not file contents:
// reading certificates, trust and CRLs is the supervisor's, when it builds a snapshot. Plain data,
// any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tls/key_choice.h"
#include "tls/policy.h"
#include "tls/verifier_options.h"

namespace portcullis::config {

using std::chrono::milliseconds;

enum class StageMode : uint8_t { kHttp, kTcp };
enum class AuthMode : uint8_t { kOff, kOptional, kOptionalNoCa, kRequire };
enum class CaNames : uint8_t { kAuto, kFit, kNone };
enum class Refusal : uint8_t { kAlert, kHttp };
enum class Forwarding : uint8_t { kXForwarded, kForwarded, kBoth, kOff };
enum class IdentityProfile : uint8_t { kNone, kIngressNginx };
enum class LogLevel : uint8_t { kDebug, kInfo, kWarn, kError };

// Where a value stood, for messages about it that can only be given later (a file that cannot be
// read, ...).
struct Location {
  std::string file;
  int line = 0;  // from 1; 0: not from a file
  int column = 0;
  std::string field = {};  // by its full path: "virtual_hosts[0].certificates[1].key"
};

struct Certificate {
  std::string chain_path;          // `certificate:`, or FOLDER/tls.crt
  std::string key_path;            // `key:`, or FOLDER/tls.key
  std::string ocsp_response_path;  // DER, stapled for clients who ask; empty: none
  Location where;
  // Of the fields that name the files.
  Location chain_where;
  Location key_where;
  Location ocsp_response_where;
};

struct Tls {
  std::string min_version = "1.2";
  std::string max_version = "1.3";
  std::string ciphers;              // TLS 1.2, OpenSSL syntax; empty: modern default
  std::vector<std::string> groups;  // empty: default order
  std::vector<std::string> alpn;    // offered on tcp listeners, preferred first; empty: ignored
  bool tickets = true;
  std::chrono::seconds session_lifetime{3600};
  tls::SigningWish signing;  // key_provider and sign_on_helper
  // Where these were written, be it for all hosts; what they may say is the library's to know.
  Location ciphers_where;
  Location groups_where;
};

struct ClientAuth {
  AuthMode mode = AuthMode::kOff;
  Refusal refusal = Refusal::kHttp;  // tcp listeners: always alert
  std::string trust;                 // name of a Trust; required unless off
  uint32_t max_depth = 8;            // intermediates allowed between leaf and anchor
  CaNames send_ca_names = CaNames::kAuto;
  tls::Profile profile = tls::Profile::kCompatible;
  tls::PolicySpec policy;         // every value checked; rules have names where the file gave them
  bool close_on_change = true;    // live connections end when their certificate no longer holds
  bool pass_certificate = false;  // ssl-client-cert header with the PEM, URL-encoded
  bool explain_refusals = false;  // refusals by page say why in a header
};

struct VirtualHost {
  std::string name;                       // unique; default: the first server name
  std::vector<std::string> server_names;  // exact or "*.suffix", lower case
  std::vector<Certificate> certificates;
  Tls tls;  // `tls:` at top level gives the defaults
  ClientAuth client_auth;
  IdentityProfile identity = IdentityProfile::kIngressNginx;
  Forwarding forwarding = Forwarding::kXForwarded;
  bool server_tokens = true;  // pages made here say `Server: nginx`, as nginx's do; false: nothing
  std::string backend;        // name of a Backend
  Location where;
};

struct Ocsp {
  tls::OcspMode mode = tls::OcspMode::kOff;
  std::string responder;  // http://...; empty: the one that the certificate names
  milliseconds timeout{2000};
};

struct Trust {
  std::string name;
  // Files, or folders of files. `folder:` gives FOLDER/ca.crt and, where it exists, FOLDER/ca.crl.
  std::vector<std::string> ca_paths;
  std::vector<std::string> intermediate_paths;
  std::vector<std::string> crl_paths;
  bool intermediates_as_anchors = true;  // a CA among `ca` that is not self-signed is an anchor
  tls::RevocationSpec revocation;
  Ocsp ocsp;
  Location where;
  // Of the fields that name the files: of `folder` where there are no others.
  Location ca_where;
  Location intermediates_where;
  Location crl_where;
};

struct Target {
  std::string address;  // "127.0.0.1:8080", "[::1]:8080", "name:8080" (resolved when loaded),
                        // "unix:/run/app.sock"
  Location where;
};

struct Backend {
  std::string name;
  std::vector<Target> targets;  // at least one; round robin
  milliseconds connect_timeout{3000};
  uint32_t max_idle_per_target = 32;  // keep-alive connections kept, a worker
  milliseconds keepalive_timeout{30000};
  Location where;
};

struct Listener {
  std::string name;
  std::string address;  // "0.0.0.0:8443", "[::]:8443", "*:8443"
  StageMode mode = StageMode::kHttp;
  std::vector<std::string> hosts;  // names of VirtualHosts; default: all
  std::string default_host;        // default: the first of `hosts`
  bool refuse_unknown_sni = false;
  uint32_t backlog = 4096;
  Location where;
};

struct Timeouts {
  milliseconds handshake{10000};  // total, from accept to the end of the TLS handshake
  milliseconds request_head{
      15000};  // total, from the first byte of a request (or the handshake) to its head's end
  milliseconds idle{60000};         // no bytes either way; keep-alive between requests too
  milliseconds write_stall{30000};  // output queued and the peer takes nothing
  milliseconds response{60000};     // no byte from the backend while a response is due: 504
  milliseconds drain{10000};        // after SIGTERM, until what is left is cut
  milliseconds lapse{1000};         // for the exchange of a client that would no longer be let in
};

struct Limits {
  uint32_t max_connections = 16384;  // all workers together
  uint32_t max_handshakes = 4096;    // in progress, all workers together
  uint32_t max_request_head_bytes = 32768;
  uint32_t max_headers = 128;
  uint32_t max_chain_bytes = 65536;
  uint32_t verdict_cache = 8192;  // client chains remembered, a worker; 0: none
};

struct Admin {
  std::string address = "127.0.0.1:9180";  // empty: no admin server
};

struct Log {
  LogLevel level = LogLevel::kInfo;  // operator messages, on stderr
  std::string connections =
      "stdout";  // "stdout", "stderr", "off", or a file's path (appended; reopened on SIGHUP)
  uint32_t rejections_kept = 32;  // the last ones of each reason, on the admin port
};

// What session tickets are sealed under.
struct Tickets {
  std::string secret_file;          // at least 32 bytes; empty: random, a process's own
  std::chrono::seconds slot{3600};  // for how long one key seals; it opens for another such time
  Location where;                   // of secret_file
};

// A reload is refused that would turn away more than this of the clients seen lately.
struct Reload {
  bool is_percent = true;
  uint32_t refuse_over = 100;  // percent, or clients; 100%: never
};

struct Config {
  uint32_t workers = 0;  // 0 (`auto`): one a usable core
  bool pin_workers = true;
  Admin admin;
  Log log;
  Timeouts timeouts;
  Limits limits;
  Tickets tickets;
  Reload reload;
  std::vector<Listener> listeners;
  std::vector<VirtualHost> virtual_hosts;
  std::vector<Trust> trusts;
  std::vector<Backend> backends;
};

}  // namespace portcullis::config
