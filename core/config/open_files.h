// Open files: how many descriptors serving a configuration takes, and what to do where there are
// fewer. Arithmetic over a Config, any thread; the limits themselves are the kernel's
// (io/open_files.h).
#pragma once

#include <cstdint>
#include <string>

#include "core/config/config.h"

namespace portcullis::config {

// OpenFilesNeeded returns how many descriptors `workers` (>= 1) of them may come to hold: two a
// connection, backend connections kept for the next request, sockets, rings, and what a process
// has anyway.
[[nodiscard]] uint64_t OpenFilesNeeded(const Config& config, uint32_t workers);

// OpenFilesRemedy says what to do where no more than `limit` can be had; empty where that is
// enough.
[[nodiscard]] std::string OpenFilesRemedy(const Config& config, uint32_t workers, uint64_t limit);

}  // namespace portcullis::config
