#include "core/server/commands/args.h"

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"

#include "core/server/commands/exit_codes.h"
#include "core/server/commands/flags.h"
#include "core/server/commands/text.h"
#include "core/server/commands/verify_args.h"

namespace portcullis::server {
namespace {

struct Command {
  std::string_view name;
  std::string_view summary;
  std::string_view text;
  std::span<const Flag> flags;
  absl::StatusOr<Args> (*build)(const Values& values);
  std::string_view operand = {};  // what it needs one of, without a flag
};

constexpr Flag kServeFlags[] = {
    {"config", "FILE", "the YAML configuration", true},
    {"ready-file", "PATH", "written, as JSON with pid and ports, once every worker accepts"},
};
constexpr Flag kCheckFlags[] = {
    {"config", "FILE", "the YAML configuration", true},
};
constexpr Flag kDemoFlags[] = {
    {"check", "", "make the requests, verify every answer, exit 0 if all are right"},
    {"port", "N",
     "port of the terminator on loopback; 0: any free one (default: 8443, or the next free one)"},
};
constexpr Flag kBackendFlags[] = {
    {"listen", "ADDR", "IP:PORT, [IPV6]:PORT or unix:/PATH; port 0: any free one", true},
    {"mode", "http|echo", "a small web site, or every byte back (default: http)"},
};

absl::StatusOr<Args> BuildServe(const Values& values) {
  return ServeArgs{.config_path = Get(values, "config"), .ready_file = Get(values, "ready-file")};
}

absl::StatusOr<Args> BuildCheck(const Values& values) {
  return CheckArgs{.config_path = Get(values, "config")};
}

absl::StatusOr<Args> BuildDemo(const Values& values) {
  DemoArgs args{.check = values.contains("check"), .port = std::nullopt};
  if (values.contains("port")) {
    const std::string text = Get(values, "port");
    int port = 0;
    if (!absl::SimpleAtoi(text, &port) || port < 0 || port > 65535) {
      return absl::InvalidArgumentError(
          Cat("--port: '", text, "' is no port; allowed is 0 to 65535"));
    }
    args.port = static_cast<uint16_t>(port);
  }
  return args;
}

absl::StatusOr<Args> BuildBackend(const Values& values) {
  BackendArgs args{.listen = Get(values, "listen")};
  const std::string mode = values.contains("mode") ? Get(values, "mode") : "http";
  if (mode == "echo") {
    args.mode = BackendMode::kEcho;
  } else if (mode != "http") {
    return absl::InvalidArgumentError(
        Cat("--mode: '", mode, "' is unknown; allowed are http and echo"));
  }
  return args;
}

absl::StatusOr<Args> BuildDoctor(const Values&) { return DoctorArgs{}; }

const Command kCommands[] = {
    {"serve", "terminate mutual TLS as the configuration says",
     "Serves until SIGTERM or SIGINT, which drain: accepting stops, what runs may finish within\n"
     "timeouts.drain, and a second signal cuts it. SIGHUP rereads the configuration, "
     "certificates,\n"
     "trust and CRLs; on any error the old ones stay.\n"
     "One JSON line for each connection goes to stdout (log.connections), messages to stderr.\n"
     "Exit status: 0 after a drain, 78 for a configuration error or a kernel without io_uring,\n"
     "1 otherwise.\n",
     kServeFlags, BuildServe},
    {"check", "validate a configuration and every file it names",
     "Prints what would run. Exit status: 0 when it is valid, 78 with the errors on stderr.\n",
     kCheckFlags, BuildCheck},
    {"demo", "try it: throw-away certificates, a backend and the terminator on loopback",
     "Prints curl commands that work, and their answers. Ctrl-C ends it and removes its files.\n"
     "With --check, exit status 0 if every answer is right, 1 if not.\n",
     kDemoFlags, BuildDemo},
    {"backend", "the demo's backend by itself",
     "Prints \"listening on ADDR\" once it accepts. In http mode it serves / (the identity "
     "headers\n"
     "it received), /headers, /bytes/N, /status/N, /delay/MS, POST /echo and PUT /sink.\n",
     kBackendFlags, BuildBackend},
    {"doctor",
     "say whether this machine can serve, and what to do where it cannot",
     "Exit status: 0, or 78 when serving is impossible.\n",
     {},
     BuildDoctor},
    {"verify", "judge a client's certificate as the server would, and say why",
     "LEAF.pem holds the certificate, and what the client sends behind it. Prints the path found.\n"
     "With --policy, whatever else is given goes before what the host has.\n"
     "Exit status: 0 accepted, 1 rejected with the reason on stderr, 2 when it cannot be told: "
     "bad\n"
     "arguments, files that cannot be read.\n",
     VerifyFlags(), BuildVerify, "LEAF.pem"},
};

const Command* FindCommand(std::string_view name) {
  for (const Command& command : kCommands) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

std::string Usage(const Command& command) {
  std::string usage = Cat("portcullis ", command.name);
  for (const Flag& flag : command.flags) {
    Append(&usage, flag.required ? " " : " [", FlagLine(flag), flag.required ? "" : "]",
           flag.repeats ? "..." : "");
  }
  if (!command.operand.empty()) Append(&usage, " ", command.operand);
  return usage;
}

std::string Padded(std::string_view text, size_t width) {
  std::string padded(text);
  if (padded.size() < width) padded.resize(width, ' ');
  return padded;
}

std::vector<std::string_view> CommandNames() {
  std::vector<std::string_view> names;
  for (const Command& command : kCommands) names.push_back(command.name);
  return names;
}

std::string CommandNeeded() {
  std::string text = "a command is needed: ";
  const char* separator = "";
  for (const std::string_view name : CommandNames()) {
    Append(&text, separator, name);
    separator = ", ";
  }
  return text;
}

absl::Status Wrong(const Command* command, std::string_view message) {
  return absl::InvalidArgumentError(Cat(
      message, " (see portcullis ", command == nullptr ? "" : Cat(command->name, " "), "--help)"));
}

}  // namespace

absl::StatusOr<Args> ParseArgs(std::span<const char* const> arguments) {
  if (arguments.empty()) {
    return Wrong(nullptr, CommandNeeded());
  }
  const std::string_view first = arguments[0];
  if (first == "--version") return VersionArgs{};
  if (first == "--help" || first == "-h") return HelpArgs{HelpText("")};
  if (first == "help") return HelpArgs{HelpText(arguments.size() > 1 ? arguments[1] : "")};

  const Command* command = FindCommand(first);
  if (command == nullptr) {
    return Wrong(nullptr, Cat(first.starts_with("-") ? "unknown flag '" : "unknown command '",
                              first, "'", MeaningHint(first, CommandNames(), "")));
  }
  Values values;
  const absl::Status read =
      ReadFlags(command->flags, !command->operand.empty(), arguments.subspan(1), values);
  if (absl::IsOutOfRange(read)) return HelpArgs{HelpText(command->name)};
  if (!read.ok()) return Wrong(command, std::string(read.message()));
  for (const Flag& flag : command->flags) {
    if (flag.required && !values.contains(flag.name)) {
      return Wrong(command, Cat(FlagLine(flag), " is needed"));
    }
  }
  if (!command->operand.empty() && !values.contains("")) {
    return Wrong(command, Cat(command->operand, " is needed"));
  }
  absl::StatusOr<Args> built = command->build(values);
  if (!built.ok()) return Wrong(command, std::string(built.status().message()));
  return built;
}

std::string HelpText(std::string_view name) {
  const Command* command = FindCommand(name);
  if (command == nullptr) {
    std::string text =
        "usage: portcullis COMMAND [FLAGS]\n\nTerminates mutual TLS on io_uring.\n\n";
    for (const Command& each : kCommands) {
      Append(&text, "  ", Padded(each.name, 9), each.summary, "\n");
    }
    Append(&text, "\n  portcullis COMMAND --help   more about one of them\n",
           "  portcullis --version        version and commit\n");
    return text;
  }
  std::string text = Cat("usage: ", Usage(*command), "\n\n", command->text);
  if (!command->flags.empty()) Append(&text, "\n", FlagsHelp(command->flags));
  return text;
}

int UsageExitCode(std::span<const char* const> arguments) {
  return !arguments.empty() && std::string_view(arguments[0]) == "verify" ? kExitUnknown
                                                                          : kExitFailure;
}

}  // namespace portcullis::server
