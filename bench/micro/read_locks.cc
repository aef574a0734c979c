#include "bench/micro/read_locks.h"

#include <dlfcn.h>
#include <pthread.h>

#include <algorithm>
#include <array>

// What the linker puts around the program's own variables.
extern "C" {
extern char __data_start;  // NOLINT(bugprone-reserved-identifier): the linker's name
extern char _end;          // NOLINT(bugprone-reserved-identifier): the linker's name
}

namespace portcullis::bench {
namespace {

constexpr size_t kMaxLocks = 64;

struct Count {
  const pthread_rwlock_t* lock = nullptr;
  uint64_t count = 0;
};

// Plain data: used before any constructor has run.
thread_local constinit std::array<Count, kMaxLocks> taken{};
thread_local constinit bool paused = true;

bool IsGlobal(const void* lock) {
  return lock >= static_cast<const void*>(&__data_start) && lock < static_cast<const void*>(&_end);
}

}  // namespace

// CountLock is for the wrapper.
void CountLock(const pthread_rwlock_t* lock) {
  if (paused || !IsGlobal(lock)) return;
  for (Count& one : taken) {
    if (one.lock != nullptr && one.lock != lock) continue;
    one.lock = lock;
    ++one.count;
    return;
  }
}

LocksScope::LocksScope() {
  taken = {};
  paused = false;
}

ReadLocks LocksScope::Taken() const {
  ReadLocks locks;
  for (const auto& one : taken) {
    locks.global += one.count;
    locks.busiest = std::max(locks.busiest, one.count);
  }
  return locks;
}

void LocksScope::Report(benchmark::State& state) const {
  const ReadLocks locks = Taken();
  const auto runs = static_cast<double>(state.iterations());
  if (runs == 0) return;
  state.counters["locks"] = static_cast<double>(locks.global) / runs;
  state.counters["busiest"] = static_cast<double>(locks.busiest) / runs;
}

void PauseLocks() { paused = true; }
void ResumeLocks() { paused = false; }

}  // namespace portcullis::bench

// A sanitizer has a wrapper of its own; nothing is counted under it.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
extern "C" int pthread_rwlock_rdlock(pthread_rwlock_t* lock) {
  using Function = int (*)(pthread_rwlock_t*);
  static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "pthread_rwlock_rdlock"));
  portcullis::bench::CountLock(lock);
  return real(lock);
}
#endif
