// ReadLocks: how often the calling thread has locked the C library's read-write locks for reading,
// which is how BoringSSL guards what all threads share: counted by a wrapper that exists in
// benchmark binaries only. Such a lock never waits where nobody writes, but each time it and its
// release write a cache line, which all cores share if it is one of the process's.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>

namespace portcullis::bench {

struct ReadLocks {
  uint64_t global = 0;   // of locks that are variables of the program: all cores share them
  uint64_t busiest = 0;  // of that one of them which was locked most often
};

// LocksScope counts the calling thread's from its construction. One at a time.
class LocksScope {
 public:
  LocksScope();
  [[nodiscard]] ReadLocks Taken() const;
  // Report has them reported as "locks" and "busiest" an iteration.
  void Report(benchmark::State& state) const;
};

// Pause and Resume leave out what is not to be counted in between.
void PauseLocks();
void ResumeLocks();

}  // namespace portcullis::bench
