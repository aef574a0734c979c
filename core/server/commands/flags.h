// Flags of a subcommand: how they are described, read from a command line, and looked up. Pure
// functions; the strings are borrowed from the command line and from constants.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace portcullis::server {

struct Flag {
  std::string_view name;
  std::string_view value;  // its name in help; empty: a switch
  std::string_view help;
  bool required = false;
  bool repeats = false;
};

// Flags found, by name, with their values in order; a switch has an empty one. What stands without
// a flag goes by the empty name.
using Values = std::map<std::string_view, std::vector<std::string_view>>;

// Get returns the first value of a flag, empty when it is not given; GetAll all of them.
[[nodiscard]] std::string Get(const Values& values, std::string_view name);
[[nodiscard]] std::vector<std::string> GetAll(const Values& values, std::string_view name);

// ReadFlags reads `words` into `values`; one may stand without a flag where `takes_operand`.
// InvalidArgument says what is wrong with which; OutOfRange stands for "help was asked for".
[[nodiscard]] absl::Status ReadFlags(std::span<const Flag> flags, bool takes_operand,
                                     std::span<const char* const> words, Values& values);

// FlagLine is the flag as help writes it, e.g. "--port N"; FlagsHelp a line for each, aligned.
[[nodiscard]] std::string FlagLine(const Flag& flag);
[[nodiscard]] std::string FlagsHelp(std::span<const Flag> flags);

// MeaningHint is "; did you mean '...'?" where a candidate is near, with `prefix` before its name.
[[nodiscard]] std::string MeaningHint(std::string_view name,
                                      const std::vector<std::string_view>& candidates,
                                      std::string_view prefix);

}  // namespace portcullis::server
