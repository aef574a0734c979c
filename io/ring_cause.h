// RingCause: why a ring cannot be set up, in words for an operator: the cause and what to do about
// it.
//
// Set-up code, any thread. Reads /proc; prints nothing.
#pragma once

#include <string>

namespace portcullis::io {

struct RingCause {
  std::string cause;
  std::string remedy;
};

// RingUnavailable explains a (positive) errno from io_uring_setup. Reads kernel.io_uring_disabled
// to tell a sysctl from a seccomp filter.
RingCause RingUnavailable(int error);

// ExplainRingError is the same with its evidence given: the sysctl's value, -1 where it does not
// exist, and whether a seccomp filter is on this process.
RingCause ExplainRingError(int error, int io_uring_disabled, bool seccomp_filtered);

}  // namespace portcullis::io
