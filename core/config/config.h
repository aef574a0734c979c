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

namespace portcullis::config {

using std::chrono::milliseconds;

enum class StageMode : uint8_t { kHttp, kTcp };
enum class AuthMode : uint8_t { kOff, kOptional, kRequire };
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
};

struct Certificate {
  std::string chain_path;  // `certificate:`, or FOLDER/tls.crt
  std::string key_path;    // `key:`, or FOLDER/tls.key
  Location where;
};

struct Tls {
  std::string min_version = "1.2";
  std::string max_version = "1.3";
  std::string ciphers;              // TLS 1.2, OpenSSL syntax; empty: modern default
  std::vector<std::string> groups;  // empty: default order
  bool tickets = true;
  std::chrono::seconds session_lifetime{3600};
};

struct ClientAuth {
  AuthMode mode = AuthMode::kOff;
  Refusal refusal = Refusal::kHttp;  // tcp listeners: always alert
  std::string trust;                 // name of a Trust; required unless off
  uint32_t max_depth = 8;            // intermediates allowed between leaf and anchor
  bool send_ca_names = true;
  bool pass_certificate = false;  // ssl-client-cert header with the PEM, URL-encoded
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

struct Trust {
  std::string name;
  std::vector<std::string> ca_paths;   // files; `folder:` gives FOLDER/ca.crt
  std::vector<std::string> crl_paths;  // files; `folder:` gives FOLDER/ca.crl where it exists
  Location where;
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
};

struct Limits {
  uint32_t max_connections = 16384;  // all workers together
  uint32_t max_handshakes = 4096;    // in progress, all workers together
  uint32_t max_request_head_bytes = 32768;
  uint32_t max_headers = 128;
  uint32_t max_chain_bytes = 65536;
};

struct Admin {
  std::string address = "127.0.0.1:9180";  // empty: no admin server
};

struct Log {
  LogLevel level = LogLevel::kInfo;  // operator messages, on stderr
  std::string connections =
      "stdout";  // "stdout", "stderr", "off", or a file's path (appended; reopened on SIGHUP)
};

struct Config {
  uint32_t workers = 0;  // 0 (`auto`): one a usable core
  bool pin_workers = true;
  Admin admin;
  Log log;
  Timeouts timeouts;
  Limits limits;
  std::vector<Listener> listeners;
  std::vector<VirtualHost> virtual_hosts;
  std::vector<Trust> trusts;
  std::vector<Backend> backends;
};

}  // namespace portcullis::config
