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
#include <vector>

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

enum class VerifyProfile : uint8_t { kCompatible, kStrict };
enum class VerifyRevocation : uint8_t { kOff, kSoft, kRequire };

struct VerifyArgs {
  std::string leaf_path;                        // PEM: the leaf, and what a client sends behind it
  std::vector<std::string> trust_paths;         // one at least, or `policy`
  std::vector<std::string> intermediate_paths;  // as trusts[].intermediates: known, never anchors
  std::vector<std::string> untrusted_paths;     // further ones that the client sends, in order
  std::vector<std::string> crl_paths;
  std::optional<int64_t> time;  // seconds since the epoch; unset: now
  // Unset: as the host of `policy` has it, or the default.
  std::optional<uint32_t> max_depth;
  std::optional<VerifyProfile> profile;
  std::optional<VerifyRevocation> revocation;
  std::string policy;  // CONFIG#HOST; empty: none
  bool json = false;
};

struct VersionArgs {};

// What to print on stdout, then exit 0.
struct HelpArgs {
  std::string text;
};

using Args = std::variant<ServeArgs, CheckArgs, DemoArgs, BackendArgs, DoctorArgs, VerifyArgs,
                          VersionArgs, HelpArgs>;

// ParseArgs reads what follows the program's name. Flags are "--name VALUE" or "--name=VALUE", each
// at most once but for those whose help says otherwise. The error (kInvalidArgument) is one line
// for the user, with a "did you mean" where a name is nearly right, and says how to get help.
absl::StatusOr<Args> ParseArgs(std::span<const char* const> arguments);

// HelpText is the help of `command`, or the overview of all commands when it is empty or unknown.
// Ends in a newline.
[[nodiscard]] std::string HelpText(std::string_view command);

// UsageExitCode is what the program exits with when ParseArgs refuses `arguments`: 1, and 2 for
// `verify`, whose 1 is a verdict.
[[nodiscard]] int UsageExitCode(std::span<const char* const> arguments);

}  // namespace portcullis::server
