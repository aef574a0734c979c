// Options of the load generator, from its command line. Plain data, set before any thread starts.
#pragma once

#include <openssl/base.h>

#include <cstdint>
#include <span>
#include <string>

#include "absl/status/statusor.h"

#include "io/socket_address.h"

namespace portcullis::bench {

// What counts as done: the handshake on our side alone, or the whole answer to a GET behind it.
// Only the latter shows that the server has accepted the client: in TLS 1.3 a client is done before
// its certificate is judged.
enum class Mode : uint8_t { kGet, kHandshake };

struct Options {
  io::SocketAddress target;
  std::string sni = "localhost";
  std::string path = "/";
  std::string certificate;  // PEM file: the client's chain; empty: none is presented
  std::string key;          // PEM file
  std::string ca;           // PEM file the server must chain to; empty: the server is not verified
  std::string json;         // file for the result; empty: none
  Mode mode = Mode::kGet;
  uint16_t version = 0x0304;  // TLS 1.3, or 0x0303
  uint32_t connections = 32;  // at once, over all threads (closed loop)
  uint32_t threads = 1;
  double duration_s = 10;
  double warmup_s = 1;      // not counted
  uint64_t handshakes = 0;  // stop after this many counted; 0: by duration only
  double timeout_s = 10;    // for one connection
  bool progress = true;     // a line a second on stderr
};

// ParseOptions reads the arguments behind the program's name. The error is one line for the user.
// Targets other than this machine's own addresses are refused unless --not-loopback says that one
// may.
absl::StatusOr<Options> ParseOptions(std::span<const char* const> arguments);

// Usage is the help text.
[[nodiscard]] std::string Usage();

}  // namespace portcullis::bench
