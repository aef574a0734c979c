// CHECK and DCHECK: assertions on our own invariants, never on what a peer or the kernel's user can
// provoke.
//
// CHECK guards memory safety and set-up and is always compiled in; DCHECK only in the sanitizer
// builds (PORTCULLIS_DCHECK_ON). Both take an optional message: CHECK(inflight_ == 0, "stream freed
// under the kernel"). Any thread; header only.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace portcullis::io {

// CheckFailed prints where and what to stderr and aborts.
[[noreturn, gnu::cold, gnu::noinline]] inline void CheckFailed(const char* file, int line,
                                                               const char* condition,
                                                               const char* message = "") {
  std::fprintf(stderr, "%s:%d: CHECK failed: %s %s\n", file, line, condition, message);
  std::abort();
}

}  // namespace portcullis::io

#define CHECK(condition, ...)         \
  (__builtin_expect(!!(condition), 1) \
       ? static_cast<void>(0)         \
       : ::portcullis::io::CheckFailed(__FILE__, __LINE__, #condition __VA_OPT__(, ) __VA_ARGS__))

#ifdef PORTCULLIS_DCHECK_ON
#define DCHECK(condition, ...) CHECK(condition __VA_OPT__(, ) __VA_ARGS__)
#else
#define DCHECK(condition, ...) \
  (true ? static_cast<void>(0) : CHECK(condition __VA_OPT__(, ) __VA_ARGS__))
#endif
