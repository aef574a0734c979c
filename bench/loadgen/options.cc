#include "bench/loadgen/options.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "bench/loadgen/flags.h"
#include "bench/loadgen/output.h"

namespace portcullis::bench {
namespace {

using Names = std::vector<std::string>;

bool Has(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

absl::Status Mistake(absl::string_view what) { return absl::InvalidArgumentError(what); }

bool IsLoopback(const io::SocketAddress& address) {
  const std::string ip = address.Ip();
  return address.is_unix() || ip.starts_with("127.") || ip == "::1";
}

bool WritesFiles(const Options& options) {
  return !options.write_ca.empty() || !options.write_crl.empty() || !options.write_issuer.empty();
}

bool HasIssuer(const Options& options) {
  return options.population != 0 || !options.issuer.empty() || WritesFiles(options);
}

uint32_t Share(const Options& options, BadKind kind) {
  return options.bad_ppm[static_cast<size_t>(kind)];
}

bool HasBad(const Options& options) {
  return std::any_of(options.bad_ppm.begin(), options.bad_ppm.end(),
                     [](uint32_t ppm) { return ppm != 0; });
}

absl::Status CheckClients(const Options& options) {
  if (options.certificate.empty() != options.key.empty())
    return Mistake("--cert and --key go together");
  const int sources = static_cast<int>(!options.certificate.empty()) +
                      static_cast<int>(!options.client_folder.empty()) +
                      static_cast<int>(options.population != 0);
  if (sources > 1) return Mistake("one of --cert, --client-folder and --population");
  if ((Share(options, BadKind::kExpired) != 0 || Share(options, BadKind::kRevoked) != 0) &&
      !HasIssuer(options)) {
    return Mistake("--bad expired and revoked need a CA that signs them: --population or --issuer");
  }
  // There our side is done before the server has judged its certificate, and leaves.
  if (HasBad(options) && options.mode == Mode::kHandshake && options.version == 0x0304) {
    return Mistake(
        "--bad cannot be seen with --mode hs under TLS 1.3, where a client is done before the "
        "server has judged it: --mode get, or --tls 1.2 if the server refuses in the handshake");
  }
  if (options.wait && !WritesFiles(options)) return Mistake("--wait needs one of --write-...");
  return absl::OkStatus();
}

absl::Status CheckNames(const Options& options) {
  // The last number is the longest; it stands for one character.
  const NumberRange& numbers = options.server_names;
  const size_t more =
      numbers.size == 0 ? 0 : absl::StrCat(numbers.first + numbers.size - 1).size() - 1;
  if (options.sni.size() + more > kLongestServerName) {
    return Mistake(absl::StrCat("--sni: a name of ", options.sni.size() + more,
                                " bytes, wanted at most ", kLongestServerName));
  }
  if (options.server_names.size == 0) return absl::OkStatus();
  if (std::count(options.sni.begin(), options.sni.end(), kServerNumber) != 1)
    return Mistake("--server-names needs one # in --sni");
  // A client keeps one ticket, which the host that gave it would have to get back.
  if (options.resume_ppm != 0) return Mistake("one of --server-names and --resume-share");
  return absl::OkStatus();
}

absl::Status CheckSources(const Options& options) {
  for (const io::SocketAddress& source : options.sources) {
    if (!OnlyWrites(options) && source.family() != options.target.family()) {
      return Mistake(absl::StrCat("--source: ", source.Ip(), " cannot reach ",
                                  options.target.ToString(), ": another kind of address"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckLoad(const Options& options) {
  if (options.mode == Mode::kHandshake && options.reset)
    return Mistake("--reset with --mode hs: the server might miss the handshake's end");
  if (options.mode == Mode::kHandshake &&
      (options.keep_alive || options.requests > 1 || options.idle != 0)) {
    return Mistake("--mode hs makes no requests");
  }
  // The tickets of TLS 1.3 come behind the handshake, when we have left.
  if (options.mode == Mode::kHandshake && options.resume_ppm != 0 && options.version == 0x0304) {
    return Mistake(
        "--resume-share gets no tickets with --mode hs under TLS 1.3, where they come behind the "
        "handshake: --mode get or --tls 1.2");
  }
  if (options.keep_alive && (options.requests > 1 || options.idle != 0)) {
    return Mistake("one of --keep-alive, --requests and --idle");
  }
  if (options.idle != 0 && options.rates.size() > 1) return Mistake("--idle takes one --rate");
  return absl::OkStatus();
}

// A flag that would mean nothing beside others, which is to be told rather than dropped.
struct Contradiction {
  const char* flag;
  bool (*present)(const Options& options);
  const char* why;
};

bool HandshakesOnly(const Options& options) { return options.mode == Mode::kHandshake; }
bool Idle(const Options& options) { return options.idle != 0; }
bool NotIdle(const Options& options) { return options.idle == 0; }
bool NoPopulation(const Options& options) { return options.population == 0; }
bool MakesNoKeys(const Options& options) {
  return !HasIssuer(options) && Share(options, BadKind::kWrongCa) == 0;
}
bool TimedSteps(const Options& options) {
  return !options.rates.empty() && options.rates[0].seconds != 0;
}

constexpr Contradiction kContradictions[] = {
    {"--path", HandshakesOnly, "--mode hs makes no requests"},
    {"--expect", HandshakesOnly, "--mode hs makes no requests"},
    {"--bulk", HandshakesOnly, "--mode hs makes no requests"},
    {"--upload", HandshakesOnly, "--mode hs makes no requests"},
    {"--keep-alive", HasBad,
     "--bad is a share of connections, and kept ones are opened once: leave one of the two out"},
    {"--hold", NotIdle, "it goes with --idle"},
    {"--requests", Idle, "--idle makes one on each connection"},
    {"--total", Idle, "--idle says itself how many connections it opens"},
    {"--duration", Idle, "--idle ends when all are open and --hold is over"},
    {"--duration", TimedSteps, "the steps of --rate say how long they take"},
    {"--sign", NoPopulation, "it goes with --population"},
    {"--population-key", MakesNoKeys,
     "no keys are made without --population, --issuer, --write-... or --bad wrong_ca"},
};

absl::Status CheckContradictions(const Options& options, const Names& given) {
  for (const Contradiction& each : kContradictions) {
    if (Has(given, each.flag) && each.present(options))
      return Mistake(absl::StrCat(each.flag, ": ", each.why));
  }
  return absl::OkStatus();
}

absl::Status CheckOutputs(const Options& options) {
  const std::vector<std::string> outputs = OutputsOf(options);
  if (std::count_if(outputs.begin(), outputs.end(), IsStdout) > 1)
    return Mistake("of --json, --html and --write-..., only one may be standard output");
  return absl::OkStatus();
}

// What the flags leave to one another.
void Complete(Options& options) {
  options.host = options.target.is_ip() ? options.target.ToString() : "localhost";
  if (options.path.empty()) {
    options.path = options.upload_bytes != 0     ? "/sink"
                   : options.download_bytes != 0 ? absl::StrCat("/bytes/", options.download_bytes)
                                                 : "/";
  }
  if (options.idle != 0) {
    options.total = options.idle;
    options.warmup_s = 0;
    options.connections = std::min(options.connections, options.idle);
  }
  if (!options.rates.empty()) {
    double sum = 0;
    for (RateStep& step : options.rates) {
      if (step.seconds == 0) step.seconds = options.idle != 0 ? 86'400 : options.duration_s;
      sum += step.seconds;
    }
    options.duration_s = sum;
  }
  options.threads = std::min(options.threads, options.connections);
}

// A flag's value stands behind it, or behind its "=". `given`: the names of the flags.
absl::Status Take(std::span<const char* const> arguments, Options& options, Names& given) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::vector<std::string> parts = absl::StrSplit(arguments[i], absl::MaxSplits('=', 1));
    const std::string& name = parts[0];
    const auto flag = std::find_if(Flags().begin(), Flags().end(), [&](const Flag& each) {
      return each.name != nullptr && name == each.name;
    });
    if (flag == Flags().end()) return Mistake(absl::StrCat("unknown option '", name, "'"));
    given.push_back(name);
    if (flag->value == nullptr && parts.size() > 1)
      return Mistake(absl::StrCat(name, " takes no value"));
    if (flag->set == nullptr) continue;
    std::string value = parts.size() > 1 ? parts[1] : "";
    if (flag->value != nullptr && parts.size() == 1) {
      if (i + 1 == arguments.size()) return Mistake(absl::StrCat(name, " needs ", flag->value));
      value = arguments[++i];
    }
    if (absl::Status status = flag->set(value, options); !status.ok())
      return Mistake(absl::StrCat(name, ": ", status.message()));
  }
  return absl::OkStatus();
}

}  // namespace

std::string_view BadKindName(BadKind kind) {
  constexpr std::string_view kNames[kNumBadKinds] = {"none", "expired", "wrong_ca", "revoked"};
  return kNames[static_cast<size_t>(kind)];
}

bool OnlyWrites(const Options& options) {
  return options.target.family() == AF_UNSPEC && WritesFiles(options);
}

std::vector<std::string> OutputsOf(const Options& options) {
  std::vector<std::string> outputs;
  for (const std::string* each : {&options.write_ca, &options.write_crl, &options.write_issuer,
                                  &options.json, &options.html}) {
    if (!each->empty()) outputs.push_back(*each);
  }
  return outputs;
}

bool StdoutTaken(const Options& options) {
  const std::vector<std::string> outputs = OutputsOf(options);
  return std::any_of(outputs.begin(), outputs.end(), IsStdout);
}

absl::StatusOr<Options> ParseOptions(std::span<const char* const> arguments) {
  Options options;
  Names given;
  if (absl::Status status = Take(arguments, options, given); !status.ok()) return status;
  if (options.target.family() == AF_UNSPEC && !OnlyWrites(options))
    return Mistake("--target is missing");
  if (absl::Status status = CheckClients(options); !status.ok()) return status;
  if (absl::Status status = CheckNames(options); !status.ok()) return status;
  if (absl::Status status = CheckSources(options); !status.ok()) return status;
  if (absl::Status status = CheckLoad(options); !status.ok()) return status;
  if (absl::Status status = CheckContradictions(options, given); !status.ok()) return status;
  if (absl::Status status = CheckOutputs(options); !status.ok()) return status;
  if (!OnlyWrites(options) && !IsLoopback(options.target) && !Has(given, "--not-loopback")) {
    return Mistake(absl::StrCat("the target ", options.target.ToString(),
                                " is not on this machine; --not-loopback if it is yours to load"));
  }
  Complete(options);
  if (options.population != 0 && options.population < options.threads) {
    return Mistake(absl::StrCat("--population ", options.population, " with --threads ",
                                options.threads, ": each thread needs a client of its own"));
  }
  return options;
}

}  // namespace portcullis::bench
