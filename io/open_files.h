// Open files: how many descriptors this process may have (RLIMIT_NOFILE), and more of them.
//
// Set-up code, any thread; the limit is the whole process's. Says nothing of how many are needed.
#pragma once

#include <cstdint>

namespace portcullis::io {

struct OpenFileLimit {
  uint64_t soft = 0;  // in force; UINT64_MAX: unlimited
  uint64_t hard = 0;  // up to which the process may raise it; likewise
};

// ReadOpenFileLimit returns what is in force.
[[nodiscard]] OpenFileLimit ReadOpenFileLimit();

// RaiseOpenFileLimit raises the soft limit to `wanted`, or to the hard one where that is less, and
// returns what is in force then. It never lowers it. Best effort: where a filter forbids the system
// call, things stay as they are.
[[nodiscard]] OpenFileLimit RaiseOpenFileLimit(uint64_t wanted);

// ReserveOpenFiles makes room for `wanted` descriptors in this process's table, or for as many as
// the soft limit allows. The kernel enlarges the table when a descriptor does not fit, and where
// threads share it, whoever wanted the descriptor then waits for an RCU grace period: some ms,
// half a second where the cores are busy (measured), and all connections of a worker with it. To be
// called before there are any. Best effort, as above.
void ReserveOpenFiles(uint64_t wanted);

}  // namespace portcullis::io
