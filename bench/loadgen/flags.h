// Flags: the load generator's command line one flag at a time: names, help, and how each value is
// read. What they mean together is ParseOptions' business. Constant data, any thread.
#pragma once

#include <span>
#include <string>

#include "absl/status/status.h"

#include "bench/loadgen/options.h"

namespace portcullis::bench {

struct Flag {
  const char* name;   // null: a heading, which is `help`
  const char* value;  // null: takes none, and `set` gets ""
  const char* help;
  // Null: it is enough that it was given.
  absl::Status (*set)(const std::string& value, Options& options);
};

[[nodiscard]] std::span<const Flag> Flags();

// Usage is the help text.
[[nodiscard]] std::string Usage();

}  // namespace portcullis::bench
