#include "core/server/commands/verify_args.h"

#include <initializer_list>
#include <optional>

#include "absl/strings/numbers.h"

#include "core/server/commands/text.h"

namespace portcullis::server {
namespace {

constexpr uint32_t kMaxVerifyDepth = 100;

constexpr Flag kVerifyFlags[] = {
    {"trust", "FILE", "PEM of CAs to trust; may be repeated", false, true},
    {"intermediate", "FILE", "PEM of intermediates that you know; may be repeated", false, true},
    {"untrusted", "FILE", "PEM that the client sends behind the leaf; may be repeated", false,
     true},
    {"crl", "FILE", "CRLs, PEM or DER; may be repeated", false, true},
    {"time", "EPOCH", "the time to judge at, seconds since 1970 (default: now)"},
    {"max-depth", "N", "intermediates allowed between leaf and CA (default: 8)"},
    {"profile", "strict|compatible", "RFC 5280 to the letter, or not (default: compatible)"},
    {"revocation", "off|soft|require", "what CRLs decide (default: soft)"},
    {"policy", "CONFIG#HOST", "trust, bounds and policy of a virtual host of a configuration"},
    {"json", "", "print one JSON object"},
};

// Sets `out` to the value of flag `name`, where it is given, by its place among `words`.
template <typename Enum>
absl::Status GetWord(const Values& values, std::string_view name,
                     std::initializer_list<std::string_view> words, std::optional<Enum>& out) {
  if (!values.contains(name)) return absl::OkStatus();
  const std::string word = Get(values, name);
  uint8_t place = 0;
  for (const std::string_view each : words) {
    if (each == word) {
      out = static_cast<Enum>(place);
      return absl::OkStatus();
    }
    ++place;
  }
  std::string allowed;
  for (const std::string_view each : words) Append(&allowed, allowed.empty() ? "" : ", ", each);
  return absl::InvalidArgumentError(
      Cat("--", name, ": '", word, "' is unknown; allowed are ", allowed));
}

absl::Status ReadVerifyNumbers(const Values& values, VerifyArgs& args) {
  if (values.contains("time")) {
    int64_t time = 0;
    if (!absl::SimpleAtoi(Get(values, "time"), &time)) {
      return absl::InvalidArgumentError(
          Cat("--time: '", Get(values, "time"), "' is no number of seconds since 1970"));
    }
    args.time = time;
  }
  if (values.contains("max-depth")) {
    uint32_t depth = 0;
    if (!absl::SimpleAtoi(Get(values, "max-depth"), &depth) || depth > kMaxVerifyDepth) {
      return absl::InvalidArgumentError(Cat("--max-depth: '", Get(values, "max-depth"),
                                            "' is no depth; allowed is 0 to ", kMaxVerifyDepth));
    }
    args.max_depth = depth;
  }
  return absl::OkStatus();
}

}  // namespace

std::span<const Flag> VerifyFlags() { return kVerifyFlags; }

absl::StatusOr<Args> BuildVerify(const Values& values) {
  VerifyArgs args{.leaf_path = Get(values, ""),
                  .trust_paths = GetAll(values, "trust"),
                  .intermediate_paths = GetAll(values, "intermediate"),
                  .untrusted_paths = GetAll(values, "untrusted"),
                  .crl_paths = GetAll(values, "crl"),
                  .time = {},
                  .max_depth = {},
                  .profile = {},
                  .revocation = {},
                  .policy = Get(values, "policy"),
                  .json = values.contains("json")};
  for (const absl::Status& status :
       {ReadVerifyNumbers(values, args),
        GetWord(values, "profile", {"compatible", "strict"}, args.profile),
        GetWord(values, "revocation", {"off", "soft", "require"}, args.revocation)}) {
    if (!status.ok()) return status;
  }
  const size_t hash = args.policy.rfind('#');
  if (!args.policy.empty() &&
      (hash == 0 || hash == args.policy.npos || hash + 1 == args.policy.size())) {
    return absl::InvalidArgumentError(
        Cat("--policy: '", args.policy, "' is not of the form CONFIG#HOST"));
  }
  if (args.trust_paths.empty() && args.policy.empty()) {
    return absl::InvalidArgumentError("--trust FILE or --policy CONFIG#HOST is needed");
  }
  if (args.trust_paths.empty() && !args.crl_paths.empty()) {
    return absl::InvalidArgumentError("--crl goes with --trust; a host has CRLs of its own");
  }
  if (args.trust_paths.empty() && !args.intermediate_paths.empty()) {
    return absl::InvalidArgumentError(
        "--intermediate goes with --trust; a host has intermediates of its own");
  }
  return args;
}

}  // namespace portcullis::server
