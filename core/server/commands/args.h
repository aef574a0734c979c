// Args: the command line, as typed values, one struct for each subcommand, and the help texts.
//
// ParseArgs is pure: it reads no file, prints nothing and does not exit; main() visits the result,
// prints help or the error and calls the subcommand. Paths and addresses are kept as given and are
// judged by whoever opens them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"

namespace portcullis::server {

struct ServeArgs {
  std::string config_path;
  std::string ready_file;  // empty: none is written
};

struct CheckArgs {
  std::string config_path;
};

struct DemoArgs {
  bool check = false;            // make the requests, verify the answers, exit
  std::optional<uint16_t> port;  // unset: 8443 or the next free one; 0: any free one
};

enum class BackendMode : uint8_t { kHttp, kEcho };

struct BackendArgs {
  std::string listen;  // "127.0.0.1:8080", "[::1]:0", "unix:/run/app.sock"
  BackendMode mode = BackendMode::kHttp;
};

struct DoctorArgs {};
struct VersionArgs {};

// What to print on stdout, then exit 0.
struct HelpArgs {
  std::string text;
};

using Args =
    std::variant<ServeArgs, CheckArgs, DemoArgs, BackendArgs, DoctorArgs, VersionArgs, HelpArgs>;

// ParseArgs reads what follows the program's name. Flags are "--name VALUE" or "--name=VALUE", each
// at most once. The error (kInvalidArgument) is one line for the user, with a "did you mean" where
// a name is nearly right, and says how to get help.
absl::StatusOr<Args> ParseArgs(std::span<const char* const> arguments);

// HelpText is the help of `command`, or the overview of all commands when it is empty or unknown.
// Ends in a newline.
[[nodiscard]] std::string HelpText(std::string_view command);

}  // namespace portcullis::server
