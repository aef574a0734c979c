#include "io/ring_cause.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace portcullis::io {
namespace {

struct Case {
  int error;
  int io_uring_disabled;
  bool seccomp_filtered;
  const char* cause;
  const char* remedy;
};

TEST(RingCause, TellsSysctlSeccompAndKernelApart) {
  const Case cases[] = {
      {ENOSYS, -1, false, "no io_uring", "6.1"},
      {ENOSYS, -1, true, "seccomp", "profile"},
      {ENOSYS, 0, false, "seccomp", "profile"},
      {EPERM, 2, false, "io_uring_disabled=2", "sysctl"},
      {EPERM, 2, true, "io_uring_disabled=2", "sysctl"},
      {EPERM, 1, false, "io_uring_disabled=1", "io_uring_group"},
      {EPERM, 0, true, "seccomp", "profile"},
      {EPERM, -1, false, "seccomp", "profile"},
      {EACCES, 0, false, "security module", "profile"},
      {EINVAL, 0, false, "flags", "6.1"},
      {ENOMEM, 0, false, "memory", "limit"},
      {EMFILE, 0, false, "open files", "ulimit"},
      {ENFILE, 0, false, "open files", "ulimit"},
      {EIO, 0, false, "Input/output error", "kernel log"},
  };
  for (const Case& expected : cases) {
    const RingCause cause =
        ExplainRingError(expected.error, expected.io_uring_disabled, expected.seccomp_filtered);
    EXPECT_NE(cause.cause.find(expected.cause), std::string::npos) << cause.cause;
    EXPECT_NE(cause.remedy.find(expected.remedy), std::string::npos) << cause.remedy;
  }
}

TEST(RingCause, EveryErrnoHasACauseAndARemedy) {
  for (int error = 1; error <= 133; ++error) {
    const RingCause cause = RingUnavailable(error);
    EXPECT_FALSE(cause.cause.empty());
    EXPECT_FALSE(cause.remedy.empty());
  }
}

}  // namespace
}  // namespace portcullis::io
