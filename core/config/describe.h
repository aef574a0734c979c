// Describe: a configuration in the words of an operator, as `portcullis check` prints it: what
// would run. The text is for people and may change; for one Config it is always the same. Pure
// function, any thread.
#pragma once

#include <string>

#include "core/config/config.h"

namespace portcullis::config {

// Describe returns the summary of a Config from ParseConfig, lines ending in '\n': the process
// first, then each listener with its virtual hosts, then trusts and backends, all in the order of
// the file.
std::string Describe(const Config& config);

}  // namespace portcullis::config
