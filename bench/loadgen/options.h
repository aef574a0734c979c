// Options of the load generator, from its command line. Plain data, set before any thread starts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "bench/loadgen/arrivals.h"
#include "io/socket_address.h"

namespace portcullis::bench {

// What counts as done: the handshake on our side alone, or the whole answer to a request behind it.
// Only the latter shows that the server has accepted the client: in TLS 1.3 a client is done before
// its certificate is judged.
enum class Mode : uint8_t { kGet, kHandshake };

// Clients that a server must refuse, and by which fault.
enum class BadKind : uint8_t { kNoCertificate, kExpired, kWrongCa, kRevoked };
inline constexpr size_t kNumBadKinds = 4;
// BadKindName returns the kind as --bad and the results have it: "none", "expired", ...
[[nodiscard]] std::string_view BadKindName(BadKind kind);

// Keys of a generated population, its CA's included.
enum class KeyKind : uint8_t { kP256, kRsa2048, kRsa4096 };

inline constexpr size_t kLongestServerName = 255;

// What stands in --sni for a number of --server-names.
inline constexpr char kServerNumber = '#';

struct NumberRange {
  uint32_t first = 0;
  uint32_t size = 0;
};

struct Options {
  io::SocketAddress target;
  std::vector<io::SocketAddress> sources;  // to connect from, in turn; empty: the kernel's choice
  std::string sni = "localhost";  // with kServerNumber where there are several names; empty: none
  std::string host;               // of requests where no server name is asked for
  NumberRange server_names;       // the numbers in them; none: one name for all
  std::string path;               // empty: "/", "/bytes/N" for a download, "/sink" for an upload
  std::string ca;  // PEM file the server must chain to; empty: the server is not verified
  std::string groups;
  Mode mode = Mode::kGet;
  uint16_t version = 0x0304;  // TLS 1.3, or 0x0303

  // Clients: none, one pair, a folder of pairs, or a population.
  std::string certificate;    // PEM file: the client's chain; empty: none is presented
  std::string key;            // PEM file
  std::string client_folder;  // of NAME.crt and NAME.key
  uint32_t population = 0;    // so many clients are made; 0: none
  KeyKind key_kind = KeyKind::kP256;
  bool sign_at_start = false;                     // or each when its turn comes first
  std::string issuer;                             // PEM: CA certificate, the rest of its chain, key
  std::string write_ca, write_crl, write_issuer;  // files; empty: not written
  bool wait = false;                              // for a line on stdin, the files written
  std::array<uint32_t, kNumBadKinds> bad_ppm{};   // share of each kind, in millionths
  uint32_t resume_ppm = 0;                        // share that offers a ticket

  // Shape of the load.
  uint32_t connections = 32;    // at once at most, over all threads
  std::vector<RateStep> rates;  // open loop; empty: closed loop
  uint32_t requests = 1;        // on each connection
  uint32_t expect = 200;        // status of the answers that count
  bool keep_alive = false;      // requests on kept connections are the unit, not connections
  bool close_notify = true;     // said before a connection is closed
  bool reset = false;           // connections are closed by a reset, which leaves no TIME_WAIT
  uint64_t download_bytes = 0;  // the answer's body must have this many; 0: whatever comes
  uint64_t upload_bytes = 0;    // of body in each request, which then is a POST
  uint32_t idle = 0;            // so many connections are opened and held; 0: not this mode
  double hold_s = 10;           // how long
  uint32_t threads = 1;
  double duration_s = 10;
  double warmup_s = 1;    // not counted
  uint64_t total = 0;     // exactly so many counted units; 0: by duration only
  double timeout_s = 10;  // for a handshake, and for each exchange

  std::string label;       // what the result is called where several are compared
  std::string json, html;  // files for the result; empty: none
  bool progress = true;    // a line a second on stderr
};

// ParseOptions reads the arguments behind the program's name. The error is one line for the user.
// Targets other than this machine's own addresses are refused unless --not-loopback says that one
// may.
absl::StatusOr<Options> ParseOptions(std::span<const char* const> arguments);

// OnlyWrites tells whether there is nothing to do but to write CA files: no target was given.
[[nodiscard]] bool OnlyWrites(const Options& options);
// StdoutTaken tells whether one of the files to write is standard output.
[[nodiscard]] bool StdoutTaken(const Options& options);
// OutputsOf returns the files that are to be written, of the CA's and the result's.
[[nodiscard]] std::vector<std::string> OutputsOf(const Options& options);

}  // namespace portcullis::bench
