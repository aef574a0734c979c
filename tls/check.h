// TLS_CHECK: assertion on our own invariants in tls/, never on what a peer can provoke. Always
// compiled in. For .cc files only, so that no name of it reaches those who use this layer.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace portcullis::tls {

// CheckFailed prints where and what to stderr and aborts.
[[noreturn, gnu::cold, gnu::noinline]] inline void CheckFailed(const char* file, int line,
                                                               const char* condition) {
  std::fprintf(stderr, "%s:%d: TLS_CHECK failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace portcullis::tls

#define TLS_CHECK(condition)          \
  (__builtin_expect(!!(condition), 1) \
       ? static_cast<void>(0)         \
       : ::portcullis::tls::CheckFailed(__FILE__, __LINE__, #condition))
