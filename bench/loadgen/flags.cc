#include "bench/loadgen/flags.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "bench/loadgen/flag_values.h"

namespace portcullis::bench {
namespace {

using Set = absl::Status (*)(const std::string& value, Options& options);

// A flag that takes its text as it is.
template <std::string Options::* Member>
absl::Status Text(const std::string& value, Options& options) {
  options.*Member = value;
  return absl::OkStatus();
}

template <bool Options::* Member, bool kValue = true>
absl::Status Switch(const std::string& /*value*/, Options& options) {
  options.*Member = kValue;
  return absl::OkStatus();
}

template <uint32_t Options::* Member, uint32_t kMost>
absl::Status Count(const std::string& value, Options& options) {
  return ReadCount(value, kMost, options.*Member);
}

template <double Options::* Member>
absl::Status Seconds(const std::string& value, Options& options) {
  return ReadSeconds(value, options.*Member);
}

template <uint64_t Options::* Member>
absl::Status Bytes(const std::string& value, Options& options) {
  return ReadBytes(value, options.*Member);
}

absl::Status Target(const std::string& value, Options& options) {
  return ReadTarget(value, options.target);
}

absl::Status Sources(const std::string& value, Options& options) {
  options.sources.clear();
  for (const std::string& ip : std::vector<std::string>(absl::StrSplit(value, ','))) {
    const absl::StatusOr<io::SocketAddress> address = io::SocketAddress::FromIp(ip, 0);
    if (!address.ok()) return NotWanted(value, "IP addresses of this machine: 192.0.2.1,192.0.2.2");
    options.sources.push_back(*address);
  }
  return absl::OkStatus();
}

absl::Status Expect(const std::string& value, Options& options) {
  uint32_t status = 0;
  if (!ReadCount(value, 599U, status).ok() || status < 200)
    return NotWanted(value, "a status from 200 to 599");
  options.expect = status;
  return absl::OkStatus();
}

absl::Status SetMode(const std::string& value, Options& options) {
  if (value != "get" && value != "hs") return NotWanted(value, "get or hs");
  options.mode = value == "get" ? Mode::kGet : Mode::kHandshake;
  return absl::OkStatus();
}

absl::Status ServerNumbers(const std::string& value, Options& options) {
  return ReadRange(value, options.server_names);
}

absl::Status Version(const std::string& value, Options& options) {
  if (value != "1.2" && value != "1.3") return NotWanted(value, "1.2 or 1.3");
  options.version = value == "1.2" ? 0x0303 : 0x0304;
  return absl::OkStatus();
}

absl::Status Groups(const std::string& value, Options& options) {
  return ReadGroups(value, options.groups);
}

absl::Status SetKeyKind(const std::string& value, Options& options) {
  if (value == "p256") {
    options.key_kind = KeyKind::kP256;
  } else if (value == "rsa2048") {
    options.key_kind = KeyKind::kRsa2048;
  } else if (value == "rsa4096") {
    options.key_kind = KeyKind::kRsa4096;
  } else {
    return NotWanted(value, "p256, rsa2048 or rsa4096");
  }
  return absl::OkStatus();
}

absl::Status Sign(const std::string& value, Options& options) {
  if (value != "start" && value != "lazy") return NotWanted(value, "start or lazy");
  options.sign_at_start = value == "start";
  return absl::OkStatus();
}

absl::Status Resume(const std::string& value, Options& options) {
  return ReadShare(value, options.resume_ppm);
}

absl::Status Rate(const std::string& value, Options& options) {
  absl::StatusOr<std::vector<RateStep>> steps = ParseRate(value);
  if (!steps.ok()) return steps.status();
  options.rates = *std::move(steps);
  return absl::OkStatus();
}

absl::Status Total(const std::string& value, Options& options) {
  return ReadCount(value, uint64_t{1} << 40, options.total);
}

absl::Status Path(const std::string& value, Options& options) {
  return ReadPath(value, options.path);
}

absl::Status Label(const std::string& value, Options& options) {
  return ReadLabel(value, options.label);
}

constexpr Flag kFlags[] = {
    {nullptr, nullptr, "The server", nullptr},
    {"--target", "ADDR", "127.0.0.1:8443, [::1]:8443, unix:/run/app.sock", Target},
    {"--not-loopback", nullptr, "the target is not on this machine, and mine to load", nullptr},
    {"--source", "IP[,IP...]", "connect from these addresses, in turn: each has ports of its own",
     Sources},
    {"--sni", "NAME", "server name to ask for, and Host of the request (localhost); '': none",
     Text<&Options::sni>},
    {"--server-names", "A-B", "many: # in --sni is a number from A to B, all of them in turn",
     ServerNumbers},
    {"--ca", "FILE", "CA that the server must chain to (not verified without)", Text<&Options::ca>},
    {"--tls", "1.2|1.3", "version (1.3)", Version},
    {"--groups", "LIST", "key exchange groups, such as X25519:P-256 (the library's own)", Groups},
    {nullptr, nullptr, "The clients (default: without certificate)", nullptr},
    {"--cert", "FILE", "one certificate for all: its chain, PEM", Text<&Options::certificate>},
    {"--key", "FILE", "its key, PEM", Text<&Options::key>},
    {"--client-folder", "DIR", "many: pairs of NAME.crt and NAME.key, taken in turn",
     Text<&Options::client_folder>},
    {"--population", "N", "N certificates made here, of a root and an intermediate CA made too",
     Count<&Options::population, 100'000'000>},
    {"--population-key", "KIND", "p256, rsa2048 or rsa4096 (p256)", SetKeyKind},
    {"--sign", "start|lazy", "make a population beforehand, or each when first used (lazy)", Sign},
    {"--issuer", "FILE", "sign with this CA: certificate, rest of its chain if any, key, PEM",
     Text<&Options::issuer>},
    {"--write-ca", "FILE", "write what the server must trust; without --target, that is all",
     Text<&Options::write_ca>},
    {"--write-crl", "FILE",
     "write the CRLs that revoke those which are to be revoked; of CAs whose key is here",
     Text<&Options::write_crl>},
    {"--write-issuer", "FILE", "write the CA with its key, for --issuer in another run",
     Text<&Options::write_issuer>},
    {"--wait", nullptr, "having written, wait for a line on stdin", Switch<&Options::wait>},
    {"--bad", "SHARES", "none=5,expired=5,wrong_ca=5,revoked=5: percent that must be refused",
     ReadBad},
    {"--resume-share", "P", "percent that offers a ticket it was given (0)", Resume},
    {nullptr, nullptr, "The load", nullptr},
    {"--connections", "N", "at once at most (32)", Count<&Options::connections, 1'000'000>},
    {"--rate", "R|STEPS", "open loop: 500 starts a second, or 500:10s,1000:10s", Rate},
    {"--mode", "get|hs", "get: count whole answers as expected; hs: our side done (get)", SetMode},
    {"--path", "PATH", "of the requests (/)", Path},
    {"--expect", "STATUS", "of the answers that count (200)", Expect},
    {"--requests", "N", "on each connection (1)", Count<&Options::requests, 1'000'000'000>},
    {"--keep-alive", nullptr, "keep --connections open and count requests",
     Switch<&Options::keep_alive>},
    {"--no-close-notify", nullptr, "close connections without saying so in TLS",
     Switch<&Options::close_notify, false>},
    {"--reset", nullptr, "close connections by a reset once all is said: no port is kept waiting",
     Switch<&Options::reset>},
    {"--bulk", "BYTES", "download: answers must have this body (path /bytes/BYTES)",
     Bytes<&Options::download_bytes>},
    {"--upload", "BYTES", "POST a body of this size (path /sink)", Bytes<&Options::upload_bytes>},
    {"--idle", "N", "open N connections, a request on each, and hold them",
     Count<&Options::idle, 1'000'000>},
    {"--hold", "S", "for so many seconds, then a request on each again (10)",
     Seconds<&Options::hold_s>},
    {"--duration", "S", "seconds counted (10)", Seconds<&Options::duration_s>},
    {"--warmup", "S", "seconds before that, not counted (1)", Seconds<&Options::warmup_s>},
    {"--total", "N", "exactly N counted connections (or requests), then stop", Total},
    {"--timeout", "S", "for a handshake, and for each answer (10)", Seconds<&Options::timeout_s>},
    {"--threads", "N", "(1)", Count<&Options::threads, 256>},
    {nullptr, nullptr, "The result, on stdout (on stderr if a FILE is -, which is stdout)",
     nullptr},
    {"--label", "TEXT", "name in comparisons (the file's)", Label},
    {"--json", "FILE", "as JSON", Text<&Options::json>},
    {"--html", "FILE", "as a page with plots", Text<&Options::html>},
    {"--quiet", nullptr, "no progress lines", Switch<&Options::progress, false>},
};

}  // namespace

std::span<const Flag> Flags() { return kFlags; }

std::string Usage() {
  std::string text =
      "portcullis-loadgen --target ADDR [...]                      load a server\n"
      "portcullis-loadgen --write-ca FILE [...]                    make a CA for later runs\n"
      "portcullis-loadgen report A.json [B.json...] --html FILE    one page of several results\n"
      "portcullis-loadgen --help | --version                       -h is --help\n";
  for (const Flag& flag : kFlags) {
    if (flag.name == nullptr) {
      absl::StrAppend(&text, "\n", flag.help, ":\n");
      continue;
    }
    const std::string left = absl::StrCat("  ", flag.name, flag.value == nullptr ? "" : " ",
                                          flag.value == nullptr ? "" : flag.value);
    absl::StrAppend(&text, left, std::string(left.size() < 26 ? 26 - left.size() : 1, ' '),
                    flag.help, "\n");
  }
  return text + R"(
Exit status:
  0    something was counted as done (with --bad also: refused as it should be)
  1    nothing was; of idle connections none was alive at the end; the load could
       not run; a file could not be written
  2    the command line is wrong
  3    a client that had to be refused was accepted
  130  interrupted; the result is written all the same
)";
}

}  // namespace portcullis::bench
