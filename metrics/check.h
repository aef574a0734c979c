// METRICS_CHECK: assertion on our own invariants in metrics/, never on what a peer can provoke.
// Always compiled in: a wrong index would write to another's memory. Any thread; header only.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace portcullis::metrics {

// CheckFailed prints where and what to stderr and aborts.
[[noreturn, gnu::cold, gnu::noinline]] inline void CheckFailed(const char* file, int line,
                                                               const char* condition) {
  std::fprintf(stderr, "%s:%d: METRICS_CHECK failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace portcullis::metrics

#define METRICS_CHECK(condition)      \
  (__builtin_expect(!!(condition), 1) \
       ? static_cast<void>(0)         \
       : ::portcullis::metrics::CheckFailed(__FILE__, __LINE__, #condition))
