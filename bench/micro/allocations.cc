#include "bench/micro/allocations.h"

#include <cstddef>

namespace portcullis::bench {
namespace {
// Plain data: a thread-local with a constructor would allocate while it is being counted.
thread_local constinit Allocations totals{};
}  // namespace

Allocations AllocationsSoFar() { return totals; }

void Count(size_t size) {
  ++totals.count;
  totals.bytes += size;
}

}  // namespace portcullis::bench

// A sanitizer has a malloc of its own; nothing is counted under it.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
extern "C" {
void* __libc_malloc(size_t size);  // NOLINT(bugprone-reserved-identifier): glibc's name
void* __libc_realloc(void* pointer,
                     size_t size);  // NOLINT(bugprone-reserved-identifier): glibc's name

void* malloc(size_t size) {
  portcullis::bench::Count(size);
  return __libc_malloc(size);
}

void* realloc(void* pointer, size_t size) {
  portcullis::bench::Count(size);
  return __libc_realloc(pointer, size);
}
}
#endif
