#include "io/ring_cause.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace portcullis::io {
namespace {

// The sysctl's value, -1 where there is none (Linux before 6.6).
int IoUringDisabled() {
  std::ifstream file("/proc/sys/kernel/io_uring_disabled");
  int value = -1;
  return file >> value ? value : -1;
}

bool SeccompFiltered() {
  constexpr std::string_view kKey = "Seccomp:";
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.compare(0, kKey.size(), kKey) == 0) return line.find('2') != std::string::npos;
  }
  return false;
}

}  // namespace

RingCause RingUnavailable(int error) {
  return ExplainRingError(error, IoUringDisabled(), SeccompFiltered());
}

RingCause ExplainRingError(int error, int io_uring_disabled, bool seccomp_filtered) {
  const char* const kAllow =
      "Allow the system calls io_uring_setup, io_uring_enter and io_uring_register in the "
      "container's seccomp profile (deploy/ has one)";
  switch (error) {
    case ENOSYS:
      // The sysctl came with 6.6: a kernel that has it has io_uring, so something else said no.
      if (seccomp_filtered || io_uring_disabled >= 0) {
        return {"a seccomp filter hides io_uring (ENOSYS)", kAllow};
      }
      return {"this kernel has no io_uring (ENOSYS)",
              "Run on Linux 6.1 or later built with CONFIG_IO_URING"};
    case EPERM:
    case EACCES:
      if (io_uring_disabled == 2) {
        return {"io_uring is switched off by kernel.io_uring_disabled=2",
                "sysctl -w kernel.io_uring_disabled=0"};
      }
      if (io_uring_disabled == 1) {
        return {
            "kernel.io_uring_disabled=1 keeps io_uring from this user",
            "sysctl -w kernel.io_uring_disabled=0, or run in the group of kernel.io_uring_group"};
      }
      return {"a seccomp filter or security module forbids io_uring (EPERM)", kAllow};
    case EINVAL:
      return {"this kernel's io_uring lacks flags that a worker needs (EINVAL)",
              "Run on Linux 6.1 or later"};
    case ENOMEM:
      return {"not enough memory for a ring (ENOMEM)",
              "Raise the memory limit of the container or cgroup, or use fewer workers"};
    case EMFILE:
    case ENFILE:
      return {"too many open files for a ring",
              "Raise the limit of open files (ulimit -n, fs.file-max)"};
    default:
      return {absl::StrCat("io_uring_setup failed: ", std::strerror(error)), "See the kernel log"};
  }
}

}  // namespace portcullis::io
