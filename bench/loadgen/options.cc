#include "bench/loadgen/options.h"

#include <array>
#include <cmath>
#include <functional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace portcullis::bench {
namespace {

struct Flag {
  const char* name;
  const char* value;  // null: takes none
  const char* help;
};

constexpr std::array<Flag, 17> kFlags = {{
    {"--target", "ADDR", "where to connect: 127.0.0.1:8443, [::1]:8443 (required)"},
    {"--sni", "NAME", "server name to ask for, and Host of the request (localhost)"},
    {"--path", "PATH", "of the GET (/)"},
    {"--cert", "FILE", "client certificate chain, PEM"},
    {"--key", "FILE", "its key, PEM"},
    {"--ca", "FILE", "CA that the server's certificate must chain to (not verified without)"},
    {"--mode", "get|hs",
     "get: count whole answers with status 200; hs: our side of the handshake (get)"},
    {"--tls", "1.2|1.3", "version (1.3)"},
    {"--connections", "N", "at once (32)"},
    {"--threads", "N", "(1)"},
    {"--duration", "S", "seconds counted (10)"},
    {"--warmup", "S", "seconds before that, not counted (1)"},
    {"--handshakes", "N", "stop after this many"},
    {"--timeout", "S", "for one connection (10)"},
    {"--json", "FILE", "write the result there as JSON"},
    {"--quiet", nullptr, "no progress line"},
    {"--not-loopback", nullptr, "the target is not on this machine, and mine to load"},
}};

absl::Status Bad(absl::string_view flag, absl::string_view value, absl::string_view wanted) {
  return absl::InvalidArgumentError(absl::StrCat(flag, ": found '", value, "', wanted ", wanted));
}

absl::Status SetCount(const std::string& flag, const std::string& value, uint32_t most,
                      uint32_t& out) {
  if (!absl::SimpleAtoi(value, &out) || out == 0 || out > most) {
    return Bad(flag, value, absl::StrCat("a number from 1 to ", most));
  }
  return absl::OkStatus();
}

absl::Status SetSeconds(const std::string& flag, const std::string& value, double& out) {
  if (!absl::SimpleAtod(value, &out) || !std::isfinite(out) || out < 0 || out > 3600) {
    return Bad(flag, value, "seconds, at most 3600");
  }
  return absl::OkStatus();
}

absl::Status Set(const std::string& flag, const std::string& value, Options& options) {
  if (flag == "--target") {
    absl::StatusOr<io::SocketAddress> address = io::SocketAddress::Parse(value);
    if (address.ok()) options.target = *address;
    return address.status();
  }
  if (flag == "--mode") {
    if (value != "get" && value != "hs") return Bad(flag, value, "get or hs");
    options.mode = value == "get" ? Mode::kGet : Mode::kHandshake;
  } else if (flag == "--tls") {
    if (value != "1.2" && value != "1.3") return Bad(flag, value, "1.2 or 1.3");
    options.version = value == "1.2" ? 0x0303 : 0x0304;
  } else if (flag == "--connections") {
    return SetCount(flag, value, 100'000, options.connections);
  } else if (flag == "--threads") {
    return SetCount(flag, value, 256, options.threads);
  } else if (flag == "--duration") {
    return SetSeconds(flag, value, options.duration_s);
  } else if (flag == "--warmup") {
    return SetSeconds(flag, value, options.warmup_s);
  } else if (flag == "--timeout") {
    return SetSeconds(flag, value, options.timeout_s);
  } else if (flag == "--handshakes") {
    if (!absl::SimpleAtoi(value, &options.handshakes) || options.handshakes == 0)
      return Bad(flag, value, "a number");
  } else {
    std::string& text = flag == "--sni"    ? options.sni
                        : flag == "--path" ? options.path
                        : flag == "--cert" ? options.certificate
                        : flag == "--key"  ? options.key
                        : flag == "--ca"   ? options.ca
                                           : options.json;
    text = value;
  }
  return absl::OkStatus();
}

bool IsLoopback(const io::SocketAddress& address) {
  const std::string ip = address.Ip();
  return address.is_unix() || ip.starts_with("127.") || ip == "::1";
}

}  // namespace

absl::StatusOr<Options> ParseOptions(std::span<const char* const> arguments) {
  Options options;
  bool not_loopback = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string flag = arguments[i];
    const Flag* known = nullptr;
    for (const Flag& each : kFlags) {
      if (flag == each.name) known = &each;
    }
    if (known == nullptr)
      return absl::InvalidArgumentError(absl::StrCat("unknown option '", flag, "'"));
    if (known->value == nullptr) {
      (flag == "--quiet" ? options.progress : not_loopback) = flag != "--quiet";
      continue;
    }
    if (++i == arguments.size())
      return absl::InvalidArgumentError(absl::StrCat(flag, " needs ", known->value));
    if (absl::Status status = Set(flag, arguments[i], options); !status.ok()) return status;
  }
  if (options.target.family() == AF_UNSPEC)
    return absl::InvalidArgumentError("--target is missing");
  if (options.certificate.empty() != options.key.empty()) {
    return absl::InvalidArgumentError("--cert and --key go together");
  }
  if (!IsLoopback(options.target) && !not_loopback) {
    return absl::InvalidArgumentError(
        absl::StrCat("the target ", options.target.ToString(),
                     " is not on this machine; --not-loopback if it is yours to load"));
  }
  if (options.threads > options.connections) options.threads = options.connections;
  return options;
}

std::string Usage() {
  std::string text = "portcullis-loadgen --target ADDR [--cert FILE --key FILE] [...]\n";
  for (const Flag& flag : kFlags) {
    const std::string left = absl::StrCat("  ", flag.name, flag.value == nullptr ? "" : " ",
                                          flag.value == nullptr ? "" : flag.value);
    absl::StrAppend(&text, left, std::string(left.size() < 26 ? 26 - left.size() : 1, ' '),
                    flag.help, "\n");
  }
  return text;
}

}  // namespace portcullis::bench
